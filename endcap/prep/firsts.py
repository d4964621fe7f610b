"""When each id of a log was first seen: by this, ids are numbered."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from endcap.prep.shelves import Shelves

NAMES = ("user_id", "item_id", "campaign_id", "placement")


@dataclass(frozen=True, kw_only=True)
class Firsts:
    """The ids of each column, by first appearance in time, then by id."""

    tables: dict[str, pl.DataFrame]
    """By column: `id`, `first`, and `told`: how many rows but impressions have it."""
    first_us: int
    last_us: int

    def of(self, column: str, *, known: Sequence[str] = ()) -> list[str]:
        """List the ids that are not known yet."""
        ids = self.tables[column]["id"]
        if known:
            ids = ids.filter(~ids.is_in(pl.Series(known, dtype=pl.String).implode()))
        return ids.to_list()


def first_seen(shelves: Shelves) -> Firsts:
    """Look for the first of every id; decisions are those of impressions."""
    found: dict[str, list[pl.DataFrame]] = {name: [] for name in (*NAMES, "decision_id")}
    spans: list[int] = []
    is_shown = pl.col("event_type") == "impression"
    for events in shelves.each(*NAMES, "decision_id", "event_type", "timestamp_us"):
        if events.is_empty():
            continue
        for name, tables in found.items():
            rows = events.filter(is_shown) if name == "decision_id" else events
            tables.append(_firsts(rows, name, told=(~is_shown).sum()))
        spans += [int(events["timestamp_us"].min()), int(events["timestamp_us"].max())]  # type: ignore[arg-type]
    return Firsts(
        tables={name: _together(tables) for name, tables in found.items()},
        first_us=min(spans),
        last_us=max(spans),
    )


def _firsts(rows: pl.DataFrame, name: str, *, told: pl.Expr) -> pl.DataFrame:
    grouped = rows.drop_nulls(name).group_by(pl.col(name).alias("id"))
    return grouped.agg(first=pl.col("timestamp_us").min(), told=told)


def _together(tables: list[pl.DataFrame]) -> pl.DataFrame:
    whole = pl.concat(tables)
    if len(tables) > 1:
        whole = whole.group_by("id").agg(pl.col("first").min(), pl.col("told").sum())
    return whole.sort("first", "id")
