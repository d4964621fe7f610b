"""What a run leaves behind: what was shown, what came of it, and what it was worth."""

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.errors import ConfigError
from endcap.schema import Campaigns, Catalogue, Decision, ShopEvent, ValueConfig
from endcap.simulate.config import WorldConfig
from endcap.simulate.noise import F64, I64

Column = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class PageOutcomes:
    """One row per page view. `expected_*` is the truth about the page shown, neighbours included.

    Realised parts are counted where they began: a purchase belongs to the page of its click, when
    it comes within seven days; dwell is the true one, also where the log saw less.
    """

    decision_id: Column
    user_id: Column
    shopper: I64
    day: I64
    session: I64
    page: I64
    at_us: I64
    device: I64
    ads: I64
    """Shown on the page."""
    clicks: I64
    dwell_ms: I64
    purchases: I64
    margin_micros: I64
    """Price less unit cost of the purchases."""
    ad_micros: I64
    """Charged for clicked ads, within budgets."""
    expected_clicks: F64
    expected_dwell_ms: F64
    expected_margin_micros: F64
    expected_ad_micros: F64
    """By the prices of the decision; budgets are not foreseen."""

    def __len__(self) -> int:
        return len(self.shopper)


@dataclass(frozen=True, kw_only=True)
class ShownSlots:
    """One row per filled slot of every page, in order of time of the rounds."""

    decision_id: Column
    user_id: Column
    timestamp_us: I64
    item_id: Column
    campaign_id: Column
    """`""` for a product."""
    placement: Column
    slot: I64
    device: I64
    propensity: F64
    price_micros: I64
    """What a click costs the advertiser; 0 for a product."""
    chance: F64
    """True P(click) in this slot, on this page."""
    page_row: I64
    """Row of the page in `WorldRun.pages`."""


@dataclass(frozen=True, kw_only=True)
class WorldRun:
    """The log of a run, by column, with the truth beside it."""

    config: WorldConfig
    first_day: int
    days: int
    pages: PageOutcomes
    shown: ShownSlots
    events: list[ShopEvent]
    decisions: list[Decision]
    catalogue: Catalogue
    """As of the end of the run."""
    campaigns: Campaigns
    spent_micros: dict[tuple[int, int], int]
    """Ad money by (campaign row, day), since the world began."""

    def followed_by(self, later: "WorldRun") -> "WorldRun":
        """Return two runs of one world as one log.

        Raises:
            ConfigError: the later run did not begin on the day after this one's last.
        """
        if later.first_day != self.first_day + self.days:
            raise ConfigError(
                f"A run from day {self.first_day} of {self.days} days is followed by one from day "
                f"{self.first_day + self.days}, got one from day {later.first_day}."
            )
        shown = replace(later.shown, page_row=later.shown.page_row + len(self.pages))
        return replace(
            later,
            first_day=self.first_day,
            days=self.days + later.days,
            pages=PageOutcomes(**_joined(PageOutcomes, [self.pages, later.pages])),
            shown=ShownSlots(**_joined(ShownSlots, [self.shown, shown])),
            events=self.events + later.events,
            decisions=self.decisions + later.decisions,
        )

    def subjects(self) -> list[tuple[str, str]]:
        """List the (user_id, subject) pairs of the kept decisions, in order of first sight."""
        user_of = dict(zip(self.pages.decision_id, self.pages.user_id, strict=True))
        pairs = ((str(user_of[d.decision_id]), d.subject) for d in self.decisions)
        return list(dict.fromkeys(pairs))


@dataclass(frozen=True)
class PageValues:
    """Micros per page; two float64 arrays of one row per page."""

    realised: F64
    expected: F64


def value_of(run: WorldRun, value: ValueConfig) -> PageValues:
    """Price the outcomes of a run at the shop's exchange rates.

    `sum / pages * 1000` is the value per 1,000 pages; rows of `run.pages.shopper` are what a
    bootstrap must draw, because pages of one shopper are alike.
    """
    pages, second = run.pages, value.dwell_micros_per_second / 1000
    realised = (
        value.click_micros * pages.clicks
        + second * pages.dwell_ms
        + pages.margin_micros
        + pages.ad_micros
    )
    return PageValues(
        realised=realised.astype(np.float64),
        expected=value.click_micros * pages.expected_clicks
        + second * pages.expected_dwell_ms
        + pages.expected_margin_micros
        + pages.expected_ad_micros,
    )


@dataclass
class Recorder:
    """Collects parts of columns while a run goes on."""

    keep_decisions: bool = True
    pages: list[PageOutcomes] = field(default_factory=list)
    shown: list[ShownSlots] = field(default_factory=list)
    events: list[ShopEvent] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    num_pages: int = 0

    def add(self, pages: PageOutcomes, shown: ShownSlots, decisions: list[Decision]) -> None:
        """Take the notes of one round."""
        self.pages.append(pages)
        self.shown.append(shown)
        self.num_pages += len(pages)
        if self.keep_decisions:
            self.decisions.extend(decisions)

    def all_pages(self) -> PageOutcomes:
        """Join the parts."""
        return PageOutcomes(**_joined(PageOutcomes, self.pages))

    def all_shown(self) -> ShownSlots:
        """Join the parts."""
        return ShownSlots(**_joined(ShownSlots, self.shown))


def _joined(kind: type, parts: list[Any]) -> dict[str, Column]:
    names = [item.name for item in fields(kind)]
    if not parts:
        return {name: np.zeros(0, dtype=np.int64) for name in names}
    return {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
