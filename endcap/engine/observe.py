"""Events -> state: histories, counters, stock, and money for clicks on ads."""

from dataclasses import dataclass

import numpy as np

from endcap.engine.campaigns import LiveCampaigns
from endcap.engine.catalogue import LiveCatalogue
from endcap.engine.memory import State
from endcap.engine.request import local_time
from endcap.features.counters import (
    COLUMN_OF_ACTION,
    CounterColumn,
    FreshColumn,
    log_seconds,
)
from endcap.schema import (
    EVENT,
    IGNORE,
    NO_CAMPAIGN,
    NO_ITEM,
    NO_SLOT,
    Action,
    Chosen,
    Decision,
    Events,
    Flag,
    ShopConfig,
    ShopEvent,
    Taken,
    empty_events,
    join_events,
    translate,
)

DAY_US = 86_400_000_000
MAX_PLACEMENT = 255
MAX_DWELL_MS = 2**31 - 1
NAMES = EVENT.names or ()


@dataclass(kw_only=True)
class Observed:
    """What became of a batch of events."""

    accepted: int = 0
    repeated: int = 0
    """Events that were known by their id; nothing came of them."""
    unknown_items: int = 0
    """Kept with item -1: that the shopper did something counts, the item does not."""
    charged_micros: int = 0
    refused: int = 0
    """Clicks on ads that the day's budget could not bear: served, and not charged."""


class Observer:
    """Lets events change the state, one at a time."""

    def __init__(
        self,
        *,
        shop: ShopConfig,
        state: State,
        catalogue: LiveCatalogue,
        campaigns: LiveCampaigns,
        placements: list[str],
    ) -> None:
        self._shop, self._state = shop, state
        self._catalogue, self._campaigns = catalogue, campaigns
        self._placements = placements
        self._report = Observed()
        self._times_shown = shop.times_shown
        self._actions: dict[str, tuple[int, ...]] = {}

    def apply(self, taken: Taken) -> Observed:
        """Take in a batch; the events of one shopper are appended together."""
        rows: dict[str, list[Events]] = {}
        self._report.repeated += taken.repeated
        for event in taken.events:
            self._report.accepted += 1
            for action in self._actions_of(event.event_type):
                row = self._take(event, action)
                # What a feed of others showed is kept with its dwell; a decision keeps its page.
                is_foreign = self._times_shown and event.decision_id is None
                if action != Action.IMPRESSION or is_foreign:
                    rows.setdefault(event.user_id, []).append(row)
        for user_id, of_user in rows.items():
            self._state.histories.append(user_id, join_events(of_user))
        return self._report

    def _actions_of(self, event_type: str) -> tuple[int, ...]:
        """Name a kind as a fit does: one event may tell two, or none."""
        if event_type not in self._actions:
            told = translate(event_type, self._shop.log.event_types)
            kinds = [] if told == IGNORE else [part.strip() for part in told.split("+")]
            self._actions[event_type] = tuple(self._shop.action_of(kind) for kind in kinds)
        return self._actions[event_type]

    def _take(self, event: ShopEvent, action: int) -> Events:
        """Let one event change counters, stock and budgets; return it as a row."""
        decision, chosen = self._answered(event)
        row = self._row(event, action, chosen)
        item = int(row["item"][0])
        self._report.unknown_items += event.item_id is not None and item == NO_ITEM
        # A decision counts its own impressions when it is made.
        if item != NO_ITEM and not (action == Action.IMPRESSION and chosen is not None):
            self._count(event, item, action)
        if item != NO_ITEM and self._times_shown:
            self._count_fresh(row, is_new=chosen is None)
        if action == Action.PURCHASE and item != NO_ITEM:
            self._state.shelves.sell(item, event.quantity)
        if action == Action.CLICK and decision is not None and chosen is not None:
            self._charge(decision, chosen)
        return row

    def _answered(self, event: ShopEvent) -> tuple[Decision | None, Chosen | None]:
        """Find the decision that an event answers and the slot in it that holds its item."""
        if event.decision_id is None or event.item_id is None:
            return None, None
        decision = self._state.decisions.get(event.decision_id)
        if decision is None:
            return None, None
        for chosen in decision.chosen:
            same_slot = event.slot is None or event.slot == chosen.slot
            same_place = event.placement is None or event.placement == chosen.placement
            if chosen.item_id == event.item_id and same_slot and same_place:
                return decision, chosen
        return decision, None

    def _row(self, event: ShopEvent, action: int, chosen: Chosen | None) -> Events:
        slot = event.slot if chosen is None else chosen.slot
        campaign_id = event.campaign_id if chosen is None else chosen.campaign_id
        placement = event.placement if chosen is None else chosen.placement
        told = {
            "timestamp_us": event.timestamp_us,
            "price_micros": event.price_micros,
            "item": self._catalogue.row_of.get(event.item_id or "", NO_ITEM),
            "campaign": self._campaigns.campaigns.row_of.get(campaign_id or "", NO_CAMPAIGN),
            "dwell_ms": min(event.dwell_ms, MAX_DWELL_MS),
            "action": action,
            "placement": placement_code(self._placements, placement),
            "slot": NO_SLOT if slot is None else min(max(slot, 0), NO_SLOT),
            "flags": int(Flag.CENSORED) if event.censored else 0,
        }
        return np.array([tuple(told[name] for name in NAMES)], dtype=EVENT)

    def _count(self, event: ShopEvent, item: int, action: int) -> None:
        column = COLUMN_OF_ACTION.get(action)
        if column is not None:
            rows = np.array([item], dtype=np.int32)
            self._state.counters.observe(event.timestamp_us // DAY_US, rows, int(column))

    def _count_fresh(self, row: Events, *, is_new: bool) -> None:
        """Count what a feed tells at once: a showing, a click, a dwell."""
        action, dwell_ms = int(row["action"][0]), row["dwell_ms"]
        counted: list[tuple[FreshColumn, float]] = []
        if action == Action.CLICK:
            counted.append((FreshColumn.CLICKS, 1.0))
        if action == Action.IMPRESSION:
            counted += [(FreshColumn.SHOWN, 1.0)] * is_new
            if dwell_ms[0] >= 0:
                counted += [(FreshColumn.TIMED, 1.0)]
                counted += [(FreshColumn.LOG_DWELL, float(log_seconds(dwell_ms)[0]))]
        day = int(row["timestamp_us"][0]) // DAY_US
        for column, amount in counted:
            self._state.counters.observe(day, row["item"], int(column), amount)

    def _charge(self, decision: Decision, chosen: Chosen) -> None:
        """Charge the price that the decision set, to the day of the decision, once per slot."""
        row = self._campaigns.campaigns.row_of.get(chosen.campaign_id or "")
        if row is None or chosen.campaign_id is None:
            return
        day, _ = local_time(decision.at_us, self._shop.tzinfo)
        charged = self._state.ledger.charge(
            f"{decision.decision_id}/{chosen.placement}/{chosen.slot}",
            chosen.campaign_id,
            day=day,
            price_micros=chosen.price_micros,
            budget_micros=int(self._campaigns.budget_micros[row]),
        )
        self._report.charged_micros += charged or 0
        self._report.refused += charged == 0 and chosen.price_micros > 0


def count_impressions(
    user_id: str,
    decision: Decision,
    state: State,
    *,
    campaigns: LiveCampaigns,
    placements: list[str],
    times_shown: bool = False,
) -> None:
    """Count what a decision shows, one impression per filled slot, for the item and the shopper.

    The rows are those that a fit makes of the log's impressions (`schema.shown_by_user`).
    """
    rows = [decision.shortlist.item[chosen.row] for chosen in decision.chosen]
    items = np.array(rows, dtype=np.int32)
    day = decision.at_us // DAY_US
    state.counters.observe(day, items, int(CounterColumn.IMPRESSIONS))
    if times_shown:
        state.counters.observe(day, items, int(FreshColumn.SHOWN))
    if not decision.personal:
        return
    shown = empty_events(len(items))
    shown["timestamp_us"], shown["item"] = decision.at_us, items
    shown["slot"] = [min(chosen.slot, NO_SLOT) for chosen in decision.chosen]
    row_of = campaigns.campaigns.row_of
    shown["campaign"] = [row_of.get(c.campaign_id or "", NO_CAMPAIGN) for c in decision.chosen]
    shown["placement"] = [placement_code(placements, c.placement) for c in decision.chosen]
    shown["action"] = Action.IMPRESSION
    state.histories.append(user_id, shown)


def placement_code(placements: list[str], name: str | None) -> int:
    """Return the number of a placement, as a log's import numbers it: no name is 0.

    A new name is appended; `EVENT.placement` is one byte, so names beyond the 256th share its last
    number.
    """
    if name is None:
        return 0
    if name in placements:
        return placements.index(name)
    if len(placements) > MAX_PLACEMENT:
        return MAX_PLACEMENT
    placements.append(name)
    return len(placements) - 1
