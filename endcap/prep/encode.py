"""Number a checked log: users, items, campaigns and decisions by row, events as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.errors import ConfigError
from endcap.prep.catalogue import to_catalogue
from endcap.prep.event_types import action_codes
from endcap.prep.log import Log
from endcap.prep.split import Cuts, plan_split, split_by_place, split_by_time
from endcap.prep.unlocks import unlocked_tasks
from endcap.schema import (
    IMPRESSION,
    NO_CAMPAIGN,
    NO_ITEM,
    NO_SLOT,
    UNKNOWN,
    Campaign,
    Campaigns,
    Dataset,
    Device,
    Flag,
    Histories,
    Impressions,
    ShopConfig,
    make_events,
)

MAX_PLACEMENTS = 256
DEVICES = {
    Device.DESKTOP: ("desktop", "web", "pc", "computer"),
    Device.MOBILE: ("mobile", "phone", "smartphone", "tablet", "app", "ios", "android"),
}


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The ids behind every row number; earlier rows do not change when a log grows."""

    users: list[str]
    further_items: list[str]
    campaigns: tuple[Campaign, ...]
    placements: tuple[str, ...]


def encode(log: Log) -> Dataset:
    """Turn a checked log into arrays.

    Items stand in the catalogue's order, then by first appearance in time; users by first
    appearance; ties by id. So what comes later changes no earlier number.
    """
    rows = _number_rows(log)
    catalogue = to_catalogue(log.items, rows.further_items, log.relations)
    item_ids = [str(item_id) for item_id in catalogue.item_ids]
    cuts = plan_split(log.shop, *_span(log.events))
    shop = _shop(log, rows.placements, cuts)
    coded = _code(log.events, rows, item_ids, shop)
    is_shown = coded["event_type"] == "impression"
    impressions, decisions = _impressions(coded.filter(is_shown))
    told = coded.filter(~is_shown).sort("user", "timestamp_us", maintain_order=True)
    histories = _histories(told, len(rows.users))
    event_split, impression_split = _split(histories, impressions, cuts, log.shop)
    return Dataset(
        shop=shop,
        user_ids=rows.users,
        catalogue=catalogue,
        campaigns=Campaigns(rows=rows.campaigns),
        histories=histories,
        event_split=event_split,
        impressions=impressions,
        impression_split=impression_split,
        event_decision=_rows_of(told["decision_id"], decisions, -1).to_numpy().astype(np.int64),
        train_end_us=cuts.train_end_us,
        validation_end_us=cuts.validation_end_us,
        end_us=cuts.end_us,
    )


def _shop(log: Log, placements: tuple[str, ...], cuts: Cuts) -> ShopConfig:
    """Write down what the log settled: placements, the tasks it unlocks, how it was split."""
    return msgspec.structs.replace(
        log.shop,
        placements=placements,
        tasks=unlocked_tasks(log.report.tasks, log.shop),
        split=msgspec.structs.replace(log.shop.split, kind=cuts.kind),
    )


def _span(events: pl.DataFrame) -> tuple[int, int]:
    first, last = events.select(pl.col("timestamp_us").min().alias("first"),
                                pl.col("timestamp_us").max().alias("last")).row(0)  # fmt: skip
    return int(first), int(last)


def _number_rows(log: Log) -> Rows:
    known = log.items["item_id"].to_list() if log.items is not None else []
    campaigns = _first_seen(log.events, "campaign_id", known=list(log.campaigns.row_of))
    named = list(log.shop.placements)
    placements = (*named, *_first_seen(log.events, "placement", known=named))
    if len(placements) > MAX_PLACEMENTS:
        raise ConfigError(
            f"A shop has at most {MAX_PLACEMENTS} placements, this log has {len(placements)}; "
            f"name the areas of a page, not the pages."
        )
    return Rows(
        users=_first_seen(log.events, "user_id", known=[]),
        further_items=_first_seen(log.events, "item_id", known=known),
        campaigns=(*log.campaigns.rows, *map(_unknown_campaign, campaigns)),
        placements=placements,
    )


def _unknown_campaign(campaign_id: str) -> Campaign:
    """Make a campaign of which the events name only the id."""
    return Campaign(
        campaign_id=campaign_id, advertiser_id="", item_ids=(), bid_micros=0, daily_budget_micros=0
    )


def _first_seen(events: pl.DataFrame, column: str, *, known: Sequence[str]) -> list[str]:
    """List the ids that are not known yet, by first appearance in time, then by id."""
    seen = events.select(column, "timestamp_us").drop_nulls(column)
    if known:
        seen = seen.filter(~pl.col(column).is_in(pl.Series(known, dtype=pl.String).implode()))
    first = seen.group_by(column).agg(pl.col("timestamp_us").min())
    return first.sort("timestamp_us", column)[column].to_list()


def _rows_of(values: pl.Series, ids: Sequence[str], absent: int) -> pl.Series:
    """Replace ids by their row numbers."""
    table = pl.DataFrame({"id": pl.Series(ids, dtype=pl.String)}).with_row_index("row")
    joined = pl.DataFrame({"id": values}).join(table, on="id", how="left", maintain_order="left")
    return joined["row"].cast(pl.Int64).fill_null(absent)


def _code(events: pl.DataFrame, rows: Rows, item_ids: list[str], shop: ShopConfig) -> pl.DataFrame:
    campaign_ids = [campaign.campaign_id for campaign in rows.campaigns]
    codes = {word: int(device) for device, words in DEVICES.items() for word in words}
    device = pl.col("device").str.to_lowercase().replace_strict(
        list(codes), list(codes.values()), default=0, return_dtype=pl.UInt8
    )  # fmt: skip
    return events.select(
        "timestamp_us",
        "event_type",
        "decision_id",
        _rows_of(events["user_id"], rows.users, 0).alias("user"),
        _rows_of(events["item_id"], item_ids, NO_ITEM).alias("item"),
        _rows_of(events["campaign_id"], campaign_ids, NO_CAMPAIGN).alias("campaign"),
        _rows_of(events["placement"], rows.placements, 0).alias("placement"),
        action_codes(pl.col("event_type"), shop).alias("action"),
        pl.col("dwell_ms").fill_null(UNKNOWN),
        pl.col("price_micros").fill_null(UNKNOWN),
        pl.col("slot").fill_null(NO_SLOT),
        pl.col("propensity").fill_null(float("nan")),
        device.alias("device"),
        (pl.col("censored").fill_null(False).cast(pl.UInt8) * int(Flag.CENSORED)).alias("flags"),
    )


EVENT_FIELDS = ("timestamp_us", "price_micros", "item", "campaign", "dwell_ms", "action",
                "placement", "slot", "flags")  # fmt: skip


def _histories(told: pl.DataFrame, num_users: int) -> Histories:
    counts = np.bincount(told["user"].to_numpy(), minlength=num_users)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    events = make_events(**{name: told[name].to_numpy() for name in EVENT_FIELDS})
    return Histories(events=events, offsets=offsets)


def _impressions(shown: pl.DataFrame) -> tuple[Impressions, list[str]]:
    """Write what was shown, by time, and list the decisions in order of first showing."""
    decisions = _first_seen(shown, "decision_id", known=[])
    rows = shown.sort("timestamp_us", maintain_order=True)
    impressions: Impressions = np.zeros(rows.height, dtype=IMPRESSION)
    impressions["decision"] = _rows_of(rows["decision_id"], decisions, -1).to_numpy()
    for name in IMPRESSION.names or ():
        if name != "decision":
            impressions[name] = rows[name].to_numpy()
    return impressions, decisions


def _split(
    histories: Histories, impressions: Impressions, cuts: Cuts, shop: ShopConfig
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    if cuts.kind == "time":
        times = histories.events["timestamp_us"], impressions["timestamp_us"]
        return split_by_time(times[0], cuts), split_by_time(times[1], cuts)
    parts, begins = split_by_place(histories, shop.resolution_us)
    instants = impressions["timestamp_us"] // shop.resolution_us
    shown = (instants[:, None] >= begins[impressions["user"]]).sum(axis=1).astype(np.uint8)
    return parts, shown
