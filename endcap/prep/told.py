"""What the log itself tells of its items, where columns of it are declared to."""

import polars as pl

from endcap.prep.columns import ITEM_COLUMNS, TEXT_OF_ITEM, is_there, values_of
from endcap.prep.item_columns import (
    attributes_of,
    check_named,
    read_column,
    texts_of,
    with_schema,
)
from endcap.prep.tables import FILE, PLACE, ROW, Table
from endcap.schema import ShopConfig


def rows_that_tell(table: Table, events: pl.DataFrame, shop: ShopConfig) -> pl.DataFrame | None:
    """Put what rows tell of their items beside each one's id and time."""
    told = _told_by_log(table, shop)
    keys = [FILE, ROW, PLACE]
    if told.columns == keys:
        return None
    events = events.select(*keys, "item_id", "timestamp_us")
    rows = events.join(told, on=keys, how="left", maintain_order="left")
    return rows.filter(pl.col("item_id").is_not_null()).drop(keys)


def first_that_tell(rows: pl.DataFrame) -> pl.DataFrame:
    """Keep of each item's rows the first, and the first that tells each column, in time."""
    rows = rows.sort("timestamp_us", maintain_order=True).with_row_index("__at")
    names = [name for name in rows.columns if name not in ("__at", "item_id", "timestamp_us")]
    firsts = [pl.col("__at").filter(pl.col(name).is_not_null()).first().over("item_id")
              for name in names]  # fmt: skip
    firsts.append(pl.col("__at").first().over("item_id"))
    is_first = pl.any_horizontal([pl.col("__at").eq_missing(first) for first in firsts])
    return rows.filter(is_first).drop("__at")


def items_told(rows: pl.DataFrame, shop: ShopConfig) -> pl.DataFrame:
    """Gather rows that tell of items, one row per item."""
    rows = rows.sort("timestamp_us", maintain_order=True)
    numbers = shop.items.numbers
    names = [name for name in rows.columns if name not in ("item_id", "timestamp_us")]
    frame = rows.group_by("item_id", maintain_order=True).agg(
        pl.col("timestamp_us").first(), *(pl.col(name).drop_nulls().first() for name in names)
    )
    if numbers:
        lists = [pl.col("attributes").fill_null([])] if "attributes" in names else []
        amounts = pl.concat_list([f"number {name}" for name in numbers]).list.drop_nulls()
        frame = frame.with_columns(pl.concat_list(*lists, amounts).alias("attributes"))
    return with_schema(frame.sort("timestamp_us", "item_id"))


def _told_by_log(table: Table, shop: ShopConfig) -> pl.DataFrame:
    """Read what a log's rows say of their items, as far as shop.toml declares it."""
    kinds = {column.name: column for column in ITEM_COLUMNS}
    told = table.frame.select(FILE, ROW, PLACE)
    for name in (*TEXT_OF_ITEM, "price"):
        source = shop.items.columns.get(name, "")
        if is_there(source, table.columns):
            raw = values_of(table.frame, source, shop.items.missing)
            read, _ = read_column(raw, kinds[name], shop, source=source)
            told = told.with_columns(read.alias(kinds[name].stored))
    check_named("numbers", shop.items.numbers, table, file="the log")
    told = told.with_columns(
        texts_of(table.frame[name], name).list.first().alias(f"number {name}")
        for name in shop.items.numbers
    )
    attributes = [name for name in shop.items.attributes if name in table.columns]
    if attributes:
        lists = attributes_of([texts_of(table.frame[name], name) for name in attributes])
        told = told.with_columns(lists.set(lists.list.len() == 0, None))
    return told
