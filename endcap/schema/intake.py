"""An event as the outside sends it: ids, not rows. The two doors (files, requests) end here."""

from hashlib import sha256

import msgspec
from msgspec import Struct

from endcap.schema.events import UNKNOWN


class ShopEvent(Struct, frozen=True, kw_only=True):
    """Something a shopper did; `design.md` 1 names the fields."""

    user_id: str
    event_type: str
    timestamp_us: int
    item_id: str | None = None
    event_id: str | None = None
    """Idempotency key: an event sent twice counts once."""
    dwell_ms: int = UNKNOWN
    censored: bool = False
    placement: str | None = None
    slot: int | None = None
    decision_id: str | None = None
    """The page that it answered."""
    campaign_id: str | None = None
    price_micros: int = UNKNOWN
    quantity: int = 1
    rating: float | None = None

    @property
    def key(self) -> str:
        """Name the event by its id, or else by its content: the same event twice is one event."""
        return self.event_id or sha256(msgspec.json.encode(self)).hexdigest()


class Taken(Struct, frozen=True, kw_only=True):
    """Events of a batch that a journal did not know, now kept; the engine may read them."""

    events: list[ShopEvent]
    repeated: int = 0
    """Events of the batch that were known by their key."""
    upto: int = 0
    """The journal's number of the last event kept; it counts from 1."""
