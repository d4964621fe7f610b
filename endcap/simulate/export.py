"""A run as the folder of a shop: columns of the log, the catalogue and the campaigns.

Columns are plain lists, `None` where there is nothing; whoever has a dataframe engine writes them.
Money is decimal, in the currency; instants are int64 microseconds, UTC.
"""

from typing import Any

from endcap.schema import MICROS, UNKNOWN, Campaigns, Catalogue, Device, ShopEvent
from endcap.simulate.record import WorldRun
from endcap.simulate.words import review_of

Columns = dict[str, list[Any]]

EVENT_COLUMNS = (
    "event_id", "user_id", "item_id", "event_type", "timestamp", "dwell_ms", "censored",
    "placement", "slot", "device", "decision_id", "campaign_id", "price", "quantity", "rating",
    "propensity", "review",
)  # fmt: skip


def event_columns(run: WorldRun) -> Columns:
    """Return the whole log, sorted by time: impressions, clicks, carts, purchases, ratings.

    `review` is the text of a rating event; its sentiment follows `rating`.
    """
    device_of = dict(zip(run.pages.decision_id, run.pages.device.tolist(), strict=True))
    rows = _impressions(run)
    rows += [
        _event(event, number, device_of.get(event.decision_id, Device.UNKNOWN))
        for number, event in enumerate(run.events)
    ]
    rows.sort(key=lambda row: row["timestamp"])
    return {name: [row.get(name) for row in rows] for name in EVENT_COLUMNS}


def _impressions(run: WorldRun) -> list[dict[str, Any]]:
    shown = run.shown
    return [
        {
            "event_id": f"{decision_id}-{placement}-{slot}",
            "user_id": user_id,
            "item_id": item_id,
            "event_type": "impression",
            "timestamp": timestamp,
            "placement": placement,
            "slot": slot,
            "device": Device(device).name.lower(),
            "decision_id": decision_id,
            "campaign_id": campaign_id or None,
            "propensity": propensity,
        }
        for decision_id, user_id, item_id, timestamp, placement, slot, device, campaign_id,
        propensity in zip(
            shown.decision_id, shown.user_id, shown.item_id, shown.timestamp_us.tolist(),
            shown.placement, shown.slot.tolist(), shown.device.tolist(), shown.campaign_id,
            shown.propensity.tolist(), strict=True,
        )
    ]  # fmt: skip


def _event(event: ShopEvent, number: int, device: int) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "user_id": event.user_id,
        "item_id": event.item_id,
        "event_type": event.event_type,
        "timestamp": event.timestamp_us,
        "dwell_ms": None if event.dwell_ms == UNKNOWN else event.dwell_ms,
        "censored": event.censored if event.event_type == "click" else None,
        "placement": event.placement,
        "slot": event.slot,
        "device": Device(device).name.lower(),
        "decision_id": event.decision_id,
        "campaign_id": event.campaign_id,
        "price": event.price_micros / MICROS,
        "quantity": event.quantity if event.event_type == "purchase" else None,
        "rating": event.rating,
        "review": None if event.rating is None else review_of(int(event.rating), number),
    }


def item_columns(catalogue: Catalogue) -> Columns:
    """Return the catalogue as a table of items."""
    return {
        "item_id": catalogue.item_ids.tolist(),
        "title": catalogue.titles.tolist(),
        "description": catalogue.descriptions.tolist(),
        "categories": catalogue.categories.tolist(),
        "brand": catalogue.brands.tolist(),
        "price": (catalogue.price_micros / MICROS).tolist(),
        "unit_cost": (catalogue.unit_cost_micros / MICROS).tolist(),
        "stock": catalogue.stock.tolist(),
        "available": catalogue.available.tolist(),
        "created_at": catalogue.created_at_us.tolist(),
        "seller_id": catalogue.seller_ids.tolist(),
        "attributes": ["|".join(facts) for facts in catalogue.attributes],
    }


def campaign_columns(campaigns: Campaigns) -> Columns:
    """Return the campaigns as a table; items and hours are separated by `|`."""
    rows = campaigns.rows
    return {
        "campaign_id": [row.campaign_id for row in rows],
        "advertiser_id": [row.advertiser_id for row in rows],
        "item_ids": ["|".join(row.item_ids) for row in rows],
        "bid_type": ["cpc" for _ in rows],
        "bid": [row.bid_micros / MICROS for row in rows],
        "daily_budget": [row.daily_budget_micros / MICROS for row in rows],
        "start_at": [row.start_at_us for row in rows],
        "dayparts": ["|".join(str(hour) for hour in row.dayparts) for row in rows],
    }
