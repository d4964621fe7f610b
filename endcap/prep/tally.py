"""Count what a checked log holds, shelf by shelf."""

from dataclasses import dataclass

import polars as pl

from endcap.prep.shelves import Shelves
from endcap.prep.split import Cuts, plan_split
from endcap.prep.unlocks import count_contents
from endcap.schema import ShopConfig


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Counts of all good rows."""

    events: int
    users: int
    items: int
    event_types: dict[str, int]
    """The most frequent first."""
    contents: pl.DataFrame
    """As `unlocks.count_contents` counts them."""
    first_us: int
    last_us: int
    alone: int
    """Events that share their instant with no other of the same user."""
    cuts: Cuts
    parts: tuple[int, int, int]
    """Events of training, validation and test."""


def count_events(shelves: Shelves, shop: ShopConfig) -> Tally:
    """Count a log; each shopper's events stand on one shelf."""
    kinds, contents, items = [], [], pl.Series("item_id", [], dtype=pl.String)
    events = users = alone = 0
    spans = pl.concat(
        [rows.select(first=pl.col("timestamp_us").min(), last=pl.col("timestamp_us").max())
         for rows in shelves.each("timestamp_us")]
    )  # fmt: skip
    first_us, last_us = (spans["first"].min() or 0), (spans["last"].max() or 0)
    assert isinstance(first_us, int) and isinstance(last_us, int)
    cuts = plan_split(shop, first_us, last_us)
    parts = [0, 0, 0]
    names = ("user_id", "item_id", "event_type", "timestamp_us", "campaign_id", "dwell_ms")
    for rows in shelves.each(*names):
        kinds.append(rows["event_type"].value_counts(sort=True))
        contents.append(count_contents(rows))
        items = pl.concat([items, rows["item_id"].drop_nulls().unique()]).unique()
        events, users = events + rows.height, users + rows["user_id"].n_unique()
        alone += _alone(rows, shop)
        parts = [count + more for count, more in zip(parts, _parts(rows, cuts, shop), strict=True)]
    by_kind = pl.concat(kinds).group_by("event_type", maintain_order=True).sum()
    return Tally(
        events=events,
        users=users,
        items=items.len(),
        event_types=dict(by_kind.sort("count", descending=True, maintain_order=True).rows()),
        contents=pl.concat(contents).group_by("event_type", "is_ad", maintain_order=True).sum(),
        first_us=first_us,
        last_us=last_us,
        alone=alone,
        cuts=cuts,
        parts=(parts[0], parts[1], parts[2]),
    )


def _instant(shop: ShopConfig) -> pl.Expr:
    return (pl.col("timestamp_us") // shop.resolution_us).alias("instant")


def _alone(events: pl.DataFrame, shop: ShopConfig) -> int:
    groups = events.group_by("user_id", _instant(shop)).len()
    return groups.filter(pl.col("len") == 1).height


def _parts(events: pl.DataFrame, cuts: Cuts, shop: ShopConfig) -> list[int]:
    times = events["timestamp_us"]
    if cuts.kind == "time":
        part = (times >= cuts.train_end_us).cast(pl.Int8) + (times >= cuts.validation_end_us)
        return [int((part == number).sum()) for number in range(3)]
    shown = pl.col("event_type") == "impression"
    place = pl.col("instant").rank("dense", descending=True).over("user_id")
    places = events.filter(~shown).select("user_id", _instant(shop)).select(
        place=place, places=pl.col("instant").n_unique().over("user_id")
    )  # fmt: skip
    kept_aside = (3 - pl.col("place").cast(pl.Int64)).clip(0)
    part = places.select(pl.when(pl.col("places") < 3).then(0).otherwise(kept_aside)).to_series()
    return [int((part == number).sum()) for number in range(3)]
