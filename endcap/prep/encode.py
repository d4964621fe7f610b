"""Number a checked log: users, items, campaigns and decisions by row, events as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.errors import ConfigError
from endcap.prep.event_types import action_codes
from endcap.prep.firsts import Firsts, first_seen
from endcap.prep.gather import ORDER
from endcap.prep.item_arrays import to_catalogue
from endcap.prep.log import Log
from endcap.prep.shelves import Shelves
from endcap.prep.split import Cuts, plan_split, split_by_place, split_by_time
from endcap.prep.unlocks import unlocked_tasks
from endcap.schema import (
    EVENT,
    IMPRESSION,
    NO_CAMPAIGN,
    NO_ITEM,
    NO_SLOT,
    UNKNOWN,
    Campaign,
    Campaigns,
    Dataset,
    Device,
    Events,
    Flag,
    Histories,
    Impressions,
    ShopConfig,
    make_events,
)
from endcap.schema.long_array import LongArray

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
    """Turn a checked log into arrays; those of a large log lie on disk.

    Items stand in the catalogue's order, then by first appearance in time; users by first
    appearance; ties by id. So what comes later changes no earlier number.
    """
    firsts = first_seen(log.shelves)
    rows = _number_rows(log, firsts)
    catalogue = to_catalogue(log.items, rows.further_items, log.relations)
    item_ids = [str(item_id) for item_id in catalogue.item_ids]
    cuts = plan_split(log.shop, firsts.first_us, firsts.last_us)
    shop = _shop(log, rows.placements, cuts)
    told, shown = _code_all(log, rows, item_ids, shop, firsts)
    offsets = np.concatenate([[0], np.cumsum(_per_user(firsts))]).astype(np.int64)
    arrays = _write_told(told, offsets, cuts, log.shop)
    impressions, impression_split = _write_shown(shown, cuts, log.shop, arrays.begins)
    return Dataset(
        shop=shop,
        user_ids=rows.users,
        catalogue=catalogue,
        campaigns=Campaigns(rows=rows.campaigns),
        histories=Histories(events=arrays.events, offsets=offsets),
        event_split=arrays.split,
        impressions=impressions,
        impression_split=impression_split,
        event_decision=arrays.decision,
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


def _number_rows(log: Log, firsts: Firsts) -> Rows:
    known = log.items["item_id"].to_list() if log.items is not None else []
    campaigns = firsts.of("campaign_id", known=list(log.campaigns.row_of))
    named = list(log.shop.placements)
    placements = (*named, *firsts.of("placement", known=named))
    if len(placements) > MAX_PLACEMENTS:
        raise ConfigError(
            f"A shop has at most {MAX_PLACEMENTS} placements, this log has {len(placements)}; "
            f"name the areas of a page, not the pages."
        )
    return Rows(
        users=firsts.of("user_id"),
        further_items=firsts.of("item_id", known=known),
        campaigns=(*log.campaigns.rows, *map(_unknown_campaign, campaigns)),
        placements=placements,
    )


def _unknown_campaign(campaign_id: str) -> Campaign:
    """Make a campaign of which the events name only the id."""
    return Campaign(
        campaign_id=campaign_id, advertiser_id="", item_ids=(), bid_micros=0, daily_budget_micros=0
    )


def _rows_of(values: pl.Series, ids: pl.DataFrame, absent: int) -> pl.Series:
    """Replace ids by their row numbers."""
    joined = pl.DataFrame({"id": values}).join(ids, on="id", how="left", maintain_order="left")
    return joined["row"].cast(pl.Int64).fill_null(absent)


def _table_of(ids: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame({"id": pl.Series(ids, dtype=pl.String)}).with_row_index("row")


def _code_all(
    log: Log, rows: Rows, item_ids: list[str], shop: ShopConfig, firsts: Firsts
) -> tuple[Shelves, Shelves]:
    """Code all rows: events on shelves by user rows, what was shown by time."""
    campaign_ids = [campaign.campaign_id for campaign in rows.campaigns]
    named = {"user_id": rows.users, "item_id": item_ids, "campaign_id": campaign_ids,
             "placement": rows.placements, "decision_id": firsts.of("decision_id")}  # fmt: skip
    tables = {name: _table_of(ids) for name, ids in named.items()}
    count = log.shelves.count
    told, shown = Shelves(count), Shelves(count)
    per_user = np.cumsum(_per_user(firsts))
    shelf_of_user = pl.Series(np.maximum(per_user - 1, 0) * count // max(int(per_user[-1]), 1))
    span = max(firsts.last_us + 1 - firsts.first_us, 1)
    shelf_of_time = (pl.col("timestamp_us") - firsts.first_us) // -(-span // count)
    for events in log.shelves.each():
        coded = _code(events, tables, shop)
        is_shown = pl.col("event_type") == "impression"
        of_user = pl.lit(shelf_of_user).gather(pl.col("user"))
        told.put(coded.filter(~is_shown).drop("event_type"), of_user)
        shown.put(coded.filter(is_shown).drop("event_type"), shelf_of_time)
    return told, shown


def _per_user(firsts: Firsts) -> NDArray[np.int64]:
    return firsts.tables["user_id"]["told"].to_numpy().astype(np.int64)


def _code(events: pl.DataFrame, tables: dict[str, pl.DataFrame], shop: ShopConfig) -> pl.DataFrame:
    codes = {word: int(device) for device, words in DEVICES.items() for word in words}
    device = pl.col("device").str.to_lowercase().replace_strict(
        list(codes), list(codes.values()), default=0, return_dtype=pl.UInt8
    )  # fmt: skip
    rows = {name: (events[name], table) for name, table in tables.items()}
    return events.select(
        ORDER,
        "timestamp_us",
        "event_type",
        _rows_of(*rows["user_id"], 0).alias("user"),
        _rows_of(*rows["item_id"], NO_ITEM).alias("item"),
        _rows_of(*rows["campaign_id"], NO_CAMPAIGN).alias("campaign"),
        _rows_of(*rows["placement"], 0).alias("placement"),
        _rows_of(*rows["decision_id"], -1).alias("decision"),
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


@dataclass(frozen=True, kw_only=True)
class _Told:
    """The arrays of all events."""

    events: Events
    split: NDArray[np.uint8]
    decision: NDArray[np.int64]
    begins: NDArray[np.int64]
    """As `split_by_place` returns them; empty where time parts the log."""


def _write_told(
    shelves: Shelves, offsets: NDArray[np.int64], cuts: Cuts, shop: ShopConfig
) -> _Told:
    size = int(offsets[-1])
    on_disk = shelves.count > 1
    events, split, decision = (
        LongArray(size, dtype, on_disk=on_disk) for dtype in (EVENT, np.uint8, np.int64)
    )
    begins, first_user = [], 0
    for shelf in shelves.each():
        told = shelf.sort("user", "timestamp_us", ORDER)
        made = make_events(**{name: told[name].to_numpy() for name in EVENT_FIELDS})
        if cuts.kind == "time":
            split.append(split_by_time(made["timestamp_us"], cuts))
        else:
            filled = events.filled + len(made)
            last_user = max(int(np.searchsorted(offsets, filled, side="left")), first_user)
            if filled == size:
                last_user = len(offsets) - 1
            inside = offsets[first_user : last_user + 1] - offsets[first_user]
            of_shelf = Histories(events=made, offsets=inside)
            parts, begin = split_by_place(of_shelf, shop.resolution_us)
            split.append(parts)
            begins.append(begin)
            first_user = last_user
        events.append(made)
        decision.append(told["decision"].to_numpy())
    nobody = np.zeros((0, 2), dtype=np.int64)
    return _Told(events=events.array(), split=split.array(), decision=decision.array(),
                 begins=np.concatenate([nobody, *begins]))  # fmt: skip


def _write_shown(
    shelves: Shelves, cuts: Cuts, shop: ShopConfig, begins: NDArray[np.int64]
) -> tuple[Impressions, NDArray[np.uint8]]:
    """Write what was shown, by time."""
    on_disk = shelves.count > 1
    impressions = LongArray(shelves.height, IMPRESSION, on_disk=on_disk)
    split = LongArray(shelves.height, np.uint8, on_disk=on_disk)
    for shelf in shelves.each():
        shown = shelf.sort("timestamp_us", ORDER)
        rows = np.zeros(shown.height, dtype=IMPRESSION)
        for name in IMPRESSION.names or ():
            rows[name] = shown[name].to_numpy()
        impressions.append(rows)
        if cuts.kind == "time":
            split.append(split_by_time(rows["timestamp_us"], cuts))
        else:
            instants = rows["timestamp_us"] // shop.resolution_us
            later = instants[:, None] >= begins[rows["user"]]
            split.append(later.sum(axis=1).astype(np.uint8))
    return impressions.array(), split.array()
