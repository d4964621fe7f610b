"""What a column as a whole tells of how each of its values is read, so that pieces can agree.

Ids that are all written `17850.0`, dates whose days go beyond 12, positions that count from 1: such
a habit is seen in the whole column. Where every piece of a log tells the same, or nothing, reading
the pieces one by one gives what reading the whole would give.
"""

from collections.abc import Mapping

import polars as pl

from endcap.prep import clock
from endcap.prep.columns import EVENT_COLUMNS, find_columns, is_there, values_of
from endcap.prep.event_types import read_event_types
from endcap.prep.nested import decode
from endcap.prep.tables import Table
from endcap.prep.values import loses_point_zero, read_text, read_whole
from endcap.schema import ShopConfig

Habits = dict[str, object]
"""By name; None is what a piece does not tell."""

LEAST_EPOCH = 10_000_000
"""Smaller numbers may be places of an order, which only the whole log tells."""


def habits_of(table: Table, shop: ShopConfig, *, file: str) -> Habits:
    """Return what a piece's columns tell, once its lists are spread."""
    sources = find_columns(EVENT_COLUMNS, shop.log.columns, table.columns, file=file)
    habits: Habits = {"columns": tuple(zip(table.columns, _kinds(table), strict=True))}
    for column in EVENT_COLUMNS:
        if column.name not in sources:
            continue
        raw = values_of(table.frame, sources[column.name], shop.log.missing)
        if column.kind in ("text", "flag"):
            habits[f"{column.name} loses .0"] = _loses_point(raw)
        elif column.kind == "time":
            found = clock.habits_of(raw, sources[column.name])
            habits |= {f"{column.name} {name}": told for name, told in found.items()}
            habits["has epochs"] = _has_epochs(raw)
        elif column.name == "slot":
            habits["least slot is 1"] = read_whole(raw, "slot")[0].min() == 1
        if column.name == "event_type":
            habits |= _of_kinds(raw, shop)
    return habits | _of_items(table, shop)


def merge(known: Habits, told: Mapping[str, object]) -> str:
    """Add what a piece tells; return the name of a habit in which it differs, or nothing."""
    for name, value in told.items():
        if value is None:
            continue
        if known.get(name) is None:
            known[name] = value
        elif known[name] != value:
            return name
    return ""


def _kinds(table: Table) -> list[str]:
    """Name each column's type; the fields of a struct are looked at where they are read."""
    kinds = (table.frame[name].dtype for name in table.columns)
    return ["nested" if kind.is_nested() else str(kind) for kind in kinds]


def _loses_point(raw: pl.Series) -> bool | None:
    if raw.dtype != pl.String:
        return loses_point_zero(raw)
    text = raw.str.strip_chars()
    return loses_point_zero(text.set(text == "", None))


def _has_epochs(raw: pl.Series) -> bool:
    if raw.dtype.is_temporal():
        return True
    numbers = raw.cast(pl.Float64, strict=False)
    largest = numbers.max()
    return raw.null_count() < raw.len() and not (
        isinstance(largest, int | float) and largest < LEAST_EPOCH
    )


def _of_kinds(raw: pl.Series, shop: ShopConfig) -> Habits:
    kinds = read_event_types(read_text(raw).unique(), shop.log.event_types).drop_nulls()
    both = kinds.filter(kinds.str.contains("+", literal=True))
    answers = both.str.contains("impression", literal=True) & ~both.str.contains("search")
    return {"has kinds": kinds.len() > 0, "pages answer": bool(answers.any())}


def _of_items(table: Table, shop: ShopConfig) -> Habits:
    names = [*shop.items.columns.values(), *shop.items.attributes, *shop.items.numbers]
    habits: Habits = {}
    for name in names:
        if is_there(name, table.columns):
            raw = values_of(table.frame, name, shop.items.missing)
            decoded = decode(raw)
            habits[f"{name} holds"] = str(decoded.dtype) if raw.null_count() < raw.len() else None
            habits[f"{name} loses .0"] = None if decoded.dtype.is_nested() else _loses_point(raw)
    return habits
