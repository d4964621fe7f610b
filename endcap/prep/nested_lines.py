"""Read JSON lines that hold lists and structs, several times quicker than the dataframe engine.

Lines become Python objects, then one flat column per leaf, which are put together as lists and
structs. What is not plain (two types in one place, a number beyond 64 bits, nothing but nulls) is
left to the engine.
"""

from itertools import chain
from typing import Any

import msgspec
import polars as pl

LEAVES: dict[frozenset[type], pl.DataType] = {
    frozenset({str}): pl.String(),
    frozenset({bool}): pl.Boolean(),
    frozenset({int}): pl.Int64(),
    frozenset({float}): pl.Float64(),
    frozenset({int, float}): pl.Float64(),
}


class _NotPlainError(Exception):
    """Here the engine's own rules hold."""


def read_nested_lines(data: bytes) -> pl.DataFrame | None:
    """Return a table of all lines; None where they are flat, broken, or not plain."""
    lines = data.rstrip(b"\n").split(b"\n")
    try:
        first = msgspec.json.decode(lines[0])
        if not isinstance(first, dict) or not any(
            isinstance(value, dict | list) for value in first.values()
        ):
            return None
        decode = msgspec.json.Decoder(dict[str, Any]).decode
        return pl.DataFrame(_fields([decode(line) for line in lines]))
    except (msgspec.DecodeError, OverflowError, TypeError, _NotPlainError):
        return None


def _fields(rows: list[Any]) -> list[pl.Series]:
    """Make a column of every name that a row has."""
    names = dict.fromkeys(chain.from_iterable(row for row in rows if row is not None))
    if not names:
        raise _NotPlainError
    return [
        _column(name, [None if row is None else row.get(name) for row in rows]) for name in names
    ]


def _column(name: str, values: list[Any]) -> pl.Series:
    kinds = frozenset(map(type, values)) - {type(None)}
    if kinds == {dict}:
        struct = pl.DataFrame(_fields(values)).to_struct(name)
        is_there = pl.Series([value is not None for value in values])
        return pl.select(pl.when(is_there).then(struct).alias(name)).to_series()
    if kinds == {list}:
        return _lists(name, values)
    if kinds not in LEAVES:
        raise _NotPlainError
    return pl.Series(name, values, dtype=LEAVES[kinds], strict=kinds != {int, float})


def _lists(name: str, values: list[Any]) -> pl.Series:
    """Cut a flat column of all elements into lists, some of them empty or null."""
    elements = _column("v", list(chain.from_iterable(value for value in values if value)))
    lengths = pl.Series("length", [len(value) if value else 0 for value in values])
    rows = pl.int_range(lengths.len(), eager=True)
    owner = pl.select(rows.repeat_by(lengths).explode(empty_as_null=False)).to_series()
    cut = pl.DataFrame([owner.alias("row"), elements]).group_by("row", maintain_order=True).agg("v")
    whole = pl.DataFrame([rows.alias("row")]).join(cut, on="row", how="left", maintain_order="left")
    is_there = pl.Series([value is not None for value in values])
    empty = pl.lit(pl.Series([[]], dtype=pl.List(elements.dtype))).first()
    filled = pl.when(is_there).then(pl.col("v").fill_null(empty))
    return whole.select(filled.alias(name)).to_series()
