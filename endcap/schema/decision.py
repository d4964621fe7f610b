"""The decision record: the one thing that everything else reads.

`Engine.decide(query) -> Decision` is the only way a page is made. A record holds all that the page
rule read (tier 1), so page, propensities and prices replay from it alone; a logged sample also
holds what the model read (tier 2), so predictions replay.
"""

from enum import IntEnum

import msgspec
from msgspec import Struct

from endcap.errors import QueryError
from endcap.schema.shop import PageConfig, ValueConfig

EMPTY = -1
"""In `Decision.chosen` and prices: nothing stands there, nothing is owed."""


MAX_PLACEMENTS = 62
"""Of one page: `Shortlist.allowed` holds a bit for each in an int64."""


class Query(Struct, frozen=True, kw_only=True):
    """One page view that needs items."""

    user_id: str
    placements: dict[str, int]
    """Slots wanted, by placement."""
    at_us: int | None = None
    """The instant of the page view; the engine's clock when absent."""
    device: str = "unknown"
    categories: tuple[str, ...] = ()
    """Only items whose category path begins with one of these; empty means all."""
    exclude: tuple[str, ...] = ()
    """Items that must not be shown."""
    ads: bool = True
    explore: bool = True
    personal: bool = True
    """False for a shopper who wants the page of a stranger: nothing of theirs is read or kept."""
    decision_id: str | None = None
    """Given by a caller that repeats a request; made by the engine when absent."""

    def __post_init__(self) -> None:
        if not self.user_id:
            raise QueryError("user_id must not be empty; send visitor ids for unknown shoppers.")
        if not self.placements or any(slots < 1 for slots in self.placements.values()):
            raise QueryError(
                f"placements must name at least one placement with 1 or more slots, "
                f"got {self.placements}."
            )
        if len(self.placements) > MAX_PLACEMENTS:
            raise QueryError(
                f"placements must name at most {MAX_PLACEMENTS} placements, "
                f"got {len(self.placements)}; ask for the rest as another page."
            )


class Source(IntEnum):
    """Why a candidate was looked at; every slot answers with it."""

    RETRIEVED = 0  # the model's own nearest items
    CATALOGUE = 1  # a small catalogue, every item
    POPULAR = 2  # a fallback: what others bought and clicked of late
    BOUGHT_BEFORE = 3
    NEW = 4
    CAMPAIGN = 5


class Dropped(IntEnum):
    """Why a candidate was dropped before it was valued; 0 is kept."""

    KEPT = 0
    UNAVAILABLE = 1
    OUT_OF_STOCK = 2
    EXCLUDED = 3
    CATEGORY = 4
    BOUGHT = 5
    NOT_YET = 6  # not created yet
    ADS_OFF = 7
    FLIGHT = 8  # outside the campaign's dates
    DAYPART = 9
    PLACEMENT = 10
    BUDGET = 11
    BELOW_RESERVE = 12


class Slots(Struct, frozen=True, kw_only=True):
    """All slots of all placements, in order of examination. Lists of length L."""

    placement: list[str]
    slot: list[int]
    examination: list[float]


class Shortlist(Struct, frozen=True, kw_only=True):
    """The candidates that the page rule read: one list per column, one entry per candidate.

    Neither who is on it nor their order depends on a bid.
    """

    item: list[int]
    item_id: list[str]
    campaign_id: list[str | None]
    source: list[int]
    q: list[float]  # P(click | examined), calibrated
    dwell_ms: list[float]  # E[dwell | click]
    buy: list[float]  # P(buy | click)
    margin_micros: list[int]
    harm_micros: list[int]
    h_micros: list[float]  # worth to the shop without payment, per examined view
    bid_micros: list[int]  # per click; 0 for a product
    kappa: list[float]  # the campaign's pacing factor in (0, 1]; 1 for a product
    category: list[int]  # codes that only need to agree or differ
    brand: list[int]
    seller: list[int]
    allowed: list[int]  # bit p: the p-th placement by first appearance in Slots.placement


class Chosen(Struct, frozen=True, kw_only=True):
    """What stands in one slot, and why."""

    placement: str
    slot: int
    row: int  # of the shortlist
    item_id: str
    campaign_id: str | None
    source: str
    propensity: float  # conditional on the slots before it, exact
    price_micros: int  # of one click; 0 for a product
    attention_ms: float  # e (view_ms + q E[dwell])


class ModelInputs(Struct, frozen=True, kw_only=True):
    """Tier 2: what the model read, so that predictions replay. Arrays as little-endian bytes."""

    history: bytes  # EVENT rows
    candidate_item: list[int]
    candidate_campaign: list[int]
    context: bytes  # float32 [C, X]: the candidates' dense columns as the model read them


class Decision(Struct, frozen=True, kw_only=True):
    """One page and everything it was made of."""

    decision_id: str
    subject: str
    """The person as a random key; erasing the key erases the person from the log."""
    at_us: int
    model_version: str
    policy: str
    page: PageConfig
    value: ValueConfig
    device: str
    ads: bool
    explore: bool
    slots: Slots
    shortlist: Shortlist
    chosen: list[Chosen]
    """Filled slots in order of examination; a slot for which nothing was left is absent."""
    found: int
    dropped: dict[str, int]
    """Candidates dropped, by the name of the filter; found = sum(dropped) + valued."""
    valued: int
    degraded: list[str] = []
    """What could not be done as usual, and what was done instead."""
    noise_key: str = ""
    """Hex of HMAC-SHA256(secret, decision_id): this decision's noise, and nothing of the secret or
    of other decisions. Empty where no page rule of ours made the page; such a record has no replay.
    """
    inputs: ModelInputs | None = None
    personal: bool = True
    """Whether the shopper's history was read, and keeps what the page shows."""

    def items_of(self, placement: str) -> list[Chosen]:
        """List what stands in a placement, by slot."""
        return sorted((c for c in self.chosen if c.placement == placement), key=lambda c: c.slot)


def encode_decision(decision: Decision) -> bytes:
    """Write a decision as one line of JSON, without the line's end."""
    return msgspec.json.encode(decision)


def decode_decision(line: bytes | str) -> Decision:
    """Read what `encode_decision` wrote."""
    return msgspec.json.decode(line, type=Decision)
