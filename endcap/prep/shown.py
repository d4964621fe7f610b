"""Tell the impressions that a row carries beside its own event, as a list of items."""

import polars as pl

from endcap.prep.canonical import EVENTS_SCHEMA
from endcap.prep.columns import values_of
from endcap.prep.nested import lists_of
from endcap.prep.tables import FILE, PLACE, ROW, Table
from endcap.schema import NO_SLOT, ShopConfig

KEYS = (FILE, ROW, PLACE)
KEPT = ("user_id", "visitor_id", "timestamp_us", "session_id", "placement", "device", "decision_id")
"""What an impression has in common with the event that carries it."""


def add_shown(events: pl.DataFrame, table: Table, shop: ShopConfig) -> pl.DataFrame:
    """Put what was shown before the event that tells of it, both of one decision.

    A decision that several rows tell of counts once.

    Args:
        events: good rows, with `FILE`, `ROW` and `PLACE`.
    """
    if not shop.log.shown:
        return events
    lists = lists_of(values_of(table.frame, shop.log.shown, shop.log.missing))
    if lists is None:
        return events
    told = table.frame.select(KEYS).with_columns(lists.cast(pl.List(pl.String)).alias("shown"))
    rows = events.with_row_index("__order").join(
        told.filter(pl.col("shown").list.len() > 0, pl.col(PLACE) == 0),
        on=KEYS, how="left", maintain_order="left",
    )  # fmt: skip
    made = pl.when(pl.col("shown").is_not_null()).then(pl.format("{}:{}", FILE, ROW))
    rows = rows.with_columns(pl.coalesce("decision_id", made).alias("decision_id"))
    both = [_impressions(rows), rows.drop("shown")]
    return pl.concat(both).sort("__order", maintain_order=True).select(*EVENTS_SCHEMA, *KEYS)


def _impressions(rows: pl.DataFrame) -> pl.DataFrame:
    shown = rows.filter(pl.col("shown").is_not_null())
    slots = pl.int_ranges(0, pl.col("shown").list.len(), dtype=pl.Int64)
    shown = shown.select("__order", *KEYS, *KEPT, pl.col("shown").alias("item_id"), slot=slots)
    shown = shown.explode("item_id", "slot").with_columns(pl.col("item_id").str.strip_chars())
    shown = shown.filter(pl.col("item_id") != "", pl.col("slot") < NO_SLOT)
    shown = shown.unique(
        ["user_id", "decision_id", "item_id", "slot"], keep="first", maintain_order=True
    )
    absent = {name: kind for name, kind in EVENTS_SCHEMA.items() if name not in shown.columns}
    shown = shown.with_columns(
        pl.lit(None, dtype=kind).alias(name) for name, kind in absent.items()
    )
    named = shown.with_columns(pl.lit("impression").alias("event_type"))
    return named.select(c for c in rows.columns if c != "shown")
