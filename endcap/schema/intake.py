"""An event as the outside sends it: ids, not rows. The two doors (files, requests) end here."""

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
