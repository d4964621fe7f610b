"""Columns that tell of items, read into ours: values, paths, and `name=value` texts."""

from collections.abc import Sequence

import polars as pl

from endcap.errors import SchemaError
from endcap.prep import clock, values
from endcap.prep.columns import Column, values_of
from endcap.prep.nested import decode
from endcap.prep.tables import FILE, ROW, Table
from endcap.schema import ShopConfig

ITEMS_SCHEMA: dict[str, pl.DataType] = {
    "item_id": pl.String(),
    "title": pl.String(),
    "description": pl.String(),
    "categories": pl.String(),
    "brand": pl.String(),
    "seller_id": pl.String(),
    "attributes": pl.List(pl.String()),
    "price_micros": pl.Int64(),
    "unit_cost_micros": pl.Int64(),
    "stock": pl.Int64(),
    "available": pl.Boolean(),
    "created_at_us": pl.Int64(),
    "embedding": pl.List(pl.Float32()),
}
"""The columns of `Log.items`; what is not told is null."""

VALUE_TYPES = ("text", "numbers")


def with_schema(frame: pl.DataFrame) -> pl.DataFrame:
    """Order the columns of `ITEMS_SCHEMA`, those that are missing null."""
    absent = {name: dtype for name, dtype in ITEMS_SCHEMA.items() if name not in frame.columns}
    frame = frame.with_columns(
        pl.lit(None, dtype=dtype).alias(name) for name, dtype in absent.items()
    )
    kept = [name for name in (FILE, ROW) if name in frame.columns]
    return frame.select(*kept, *ITEMS_SCHEMA)


def read_column(raw: pl.Series, column: Column, shop: ShopConfig, *, source: str) -> values.Read:
    """Read a column by its kind; return it with the reasons of what could not be read."""
    name = column.name
    match column.kind:
        case "time":
            instants = clock.read_instants(raw, zone=shop.zone, name=source)
            bad = instants.is_null() & values.read_text(raw).is_not_null()
            return instants, values.name_cases(raw, (bad, f"{name} is no time"))
        case "money":
            return values.read_money(raw, name)
        case "whole":
            return values.read_whole(raw, name, least=-1 if name == "stock" else 0)
        case "flag":
            return values.read_flag(raw, name)
        case "texts":
            return _read_paths(raw), values.no_reasons(raw)
    return values.read_text(raw), values.no_reasons(raw)


def _read_paths(raw: pl.Series) -> pl.Series:
    """Read category paths: one text, or a list of paths joined by `|`."""
    lists = decode(raw)
    if isinstance(lists.dtype, pl.List):
        return lists.cast(pl.List(pl.String)).list.drop_nulls().list.join("|")
    return values.read_text(raw)


def read_attributes(
    table: Table, sources: dict[str, str], shop: ShopConfig, *, file: str
) -> pl.Series:
    """Gather `tag=x`, `attribute=y` and `name=value` texts of every item, in this order."""
    further = (*shop.items.attributes, *shop.items.numbers)
    check_named("attributes", shop.items.attributes, table, file=file)
    check_named("numbers", shop.items.numbers, table, file=file)
    parts = [texts_of(values_of(table.frame, sources[name], shop.items.missing), label)
             for name, label in (("tags", "tag"), ("attributes", "attribute"))
             if name in sources]  # fmt: skip
    parts += [texts_of(table.frame[name], name) for name in further]
    if not parts:
        nothing = pl.Series("attributes", [[]], dtype=pl.List(pl.String))
        return nothing.new_from_index(0, table.frame.height)
    return attributes_of(parts)


def attributes_of(lists: list[pl.Series]) -> pl.Series:
    """Join lists of texts, row by row, as the column `attributes`."""
    frame = pl.DataFrame([one.alias(str(at)) for at, one in enumerate(lists)])
    return frame.select(pl.concat_list(pl.all()).alias("attributes")).to_series()


def check_named(setting: str, names: Sequence[str], table: Table, *, file: str) -> None:
    """Check that the columns which a setting names are there.

    Raises:
        SchemaError: one is not.
    """
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise SchemaError(
            f"items.{setting} in shop.toml names {', '.join(missing)}, but {file} has the columns "
            f"{', '.join(table.columns)}; correct it."
        )


def texts_of(raw: pl.Series, label: str) -> pl.Series:
    """Write a column as lists of `label=value`; a struct's fields name themselves.

    A struct of `text` and `numbers`, as the Google Retail API writes a value, is named outside.
    """
    label, raw = label.rsplit(".", 1)[-1], decode(raw)
    if isinstance(raw.dtype, pl.Struct):
        fields = raw.struct.unnest()
        typed = [name for name in VALUE_TYPES if name in fields.columns]
        if typed:
            return attributes_of([texts_of(fields[name], label) for name in typed])
        return attributes_of([texts_of(fields[name], name) for name in fields.columns])
    if isinstance(raw.dtype, pl.List):
        lists = raw.cast(pl.List(pl.String))
    else:
        lists = values.read_text(raw).str.split("|")
    value = pl.element().str.strip_chars()
    named = pl.when(value.str.contains("=", literal=True)).then(value).otherwise(
        pl.lit(f"{label}=") + value
    )  # fmt: skip
    kept = lists.fill_null([]).list.eval(named.filter(value.is_not_null() & (value != "")))
    return kept.alias(label)
