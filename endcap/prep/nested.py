"""Make rows that hold lists and structs flat: a row per element, and columns by dotted names.

`items.item_id` is a field of a struct, or of the elements of a list that is spread; `items.#` is
the place in that list. `event_params.currency` is the value in a list of names and values.
"""

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

import polars as pl

from endcap.errors import SchemaError
from endcap.prep.columns import columns_of
from endcap.prep.tables import PLACE, Table
from endcap.schema import ShopConfig

KEYS, VALUE = ("key", "name"), "value"
"""What the elements of a list of names and values call the two."""

PLACE_STEP = "#"


def unfold(table: Table, shop: ShopConfig, *, file: str, must_reach: bool = True) -> Table:
    """Spread the list that `log.explode` names, and reach every dotted name of the configuration.

    Raises:
        SchemaError: what is to be spread is missing or holds no lists, or a struct has no such
            field.
    """
    table = spread(table, shop.log.explode, file=file)
    names = names_of([*shop.log.columns.values(), shop.log.shown], table.columns)
    table = reach(table, names, spread_at=shop.log.explode, file=file if must_reach else "")
    items = [*shop.items.columns.values(), *shop.items.attributes]
    # These may be the catalogue's own: what the log has not is not looked for.
    return reach(table, names_of(items, table.columns), spread_at=shop.log.explode)


def names_of(sources: Iterable[str], found: Sequence[str]) -> dict[str, bool]:
    """List the columns that sources read, and whether a row cannot be read without."""
    named: dict[str, bool] = {}
    for source in sources:
        for name in columns_of(source, found):
            named[name] = named.get(name, False) or " | " not in source
    return named


def spread(table: Table, column: str, *, file: str) -> Table:
    """Make a row of every element of a list; a row whose list is empty stays one row.

    Every row keeps its number in the file, and `PLACE` counts its elements from 0.
    """
    if not column:
        return table
    values = value_at(table.frame, column)
    if values is None:
        raise SchemaError(
            f"explode in shop.toml names {column}, but {file} has the columns "
            f"{', '.join(table.columns)}; correct it, or leave it out."
        )
    lists = lists_of(values)
    if lists is None:
        raise SchemaError(
            f"explode in shop.toml names {column}, which holds no lists in {file}; "
            f"name a column of lists, or leave explode out."
        )
    frame = table.frame.with_columns(lists.alias(column))
    filled = pl.when(pl.col(column).list.len() > 0).then(pl.col(column))
    frame = frame.with_columns(filled.alias(column)).with_columns(
        pl.int_ranges(0, pl.col(column).list.len(), dtype=pl.UInt32).alias(PLACE)
    )
    frame = frame.explode(column, PLACE).with_columns(pl.col(PLACE).fill_null(0))
    return replace(table, frame=frame)


def reach(table: Table, names: dict[str, bool], *, spread_at: str = "", file: str = "") -> Table:
    """Add the columns that dotted names reach into structs; what cannot be reached is left.

    Args:
        names: dotted names, and whether one that cannot be reached is an error (with a `file`).
    """
    made: dict[str, pl.Series] = {}
    decoded: dict[str, pl.Series] = {}
    for name, is_needed in names.items():
        if name in table.frame.columns or "." not in name:
            continue
        if name == f"{spread_at}.{PLACE_STEP}":
            made[name] = table.frame[PLACE]
            continue
        values = value_at(table.frame, name, decoded)
        if values is not None:
            made[name] = values
        elif file and is_needed and (root := _root_of(table.frame, name)):
            raise SchemaError(
                f"shop.toml reads {name}, but {root} in {file} holds "
                f"{_fields_of(decoded[root])}; correct it in shop.toml."
            )
    frame = table.frame.with_columns(values.alias(name) for name, values in made.items())
    return replace(table, frame=frame, reached=(*table.reached, *made))


def value_at(
    frame: pl.DataFrame, name: str, decoded: dict[str, pl.Series] | None = None
) -> pl.Series | None:
    """Follow a dotted name from a column inwards; None when it leads nowhere.

    Args:
        decoded: columns of JSON text that are read already; more are added.
    """
    root = _root_of(frame, name)
    if not root:
        return None
    decoded = {} if decoded is None else decoded
    if root not in decoded:
        decoded[root] = decode(frame[root])
    values: pl.Series | None = decoded[root]
    for step in name[len(root) + 1 :].split(".") if name != root else ():
        values = _step(values, step) if values is not None else None
    return values


def lists_of(values: pl.Series) -> pl.Series | None:
    """Return lists: as they are, from JSON, or from texts such as `a|b`; None for anything else."""
    values = decode(values)
    if values.dtype == pl.String:
        return values.str.split("|")
    return values if isinstance(values.dtype, pl.List) else None


def _root_of(frame: pl.DataFrame, name: str) -> str:
    """Return the longest beginning of a dotted name that is a column."""
    parts = name.split(".")
    starts = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((start for start in starts if start in frame.columns), "")


def _step(values: pl.Series, step: str) -> pl.Series | None:
    dtype = values.dtype
    if isinstance(dtype, pl.Struct):
        return values.struct.field(step) if step in _names(dtype) else None
    if not isinstance(dtype, pl.List):
        return None
    if step.isdigit():
        return values.list.get(int(step), null_on_oob=True)
    inner = dtype.inner
    names = _names(inner) if isinstance(inner, pl.Struct) else []
    key = next((key for key in KEYS if key in names), None)
    return _value_of_key(values, key, step) if key and VALUE in names else None


def _value_of_key(values: pl.Series, key: str, wanted: str) -> pl.Series | None:
    """Pick the value that stands beside a name; typed alternatives give the one that is set."""
    element = pl.element().struct
    picked = values.list.eval(
        pl.element().filter(element.field(key) == wanted).struct.field(VALUE)
    ).list.first()
    if isinstance(picked.dtype, pl.Struct):
        alternatives = picked.struct.unnest()
        picked = alternatives.select(pl.coalesce(pl.all().cast(pl.String))).to_series()
    if picked.null_count() == picked.len():
        return None
    return _join_lists(picked) if picked.dtype == pl.String else picked


def _join_lists(texts: pl.Series) -> pl.Series:
    """Write texts that are JSON lists, among others that are not, as `a|b`."""
    if not texts.str.starts_with("[").any():
        return texts
    return pl.Series(texts.name, [_join_list(text) for text in texts], dtype=pl.String)


def _join_list(text: str | None) -> str | None:
    if text is None or not text.startswith("["):
        return text
    try:
        return "|".join(str(one) for one in json.loads(text))
    except json.JSONDecodeError:
        return text


def decode(values: pl.Series) -> pl.Series:
    """Read a column of JSON texts; any other column is returned as it is."""
    if values.dtype != pl.String:
        return values
    texts = values.str.strip_chars()
    present = texts.drop_nulls()
    present = present.filter(~present.is_in(["", "null"]))
    if present.is_empty() or not present.str.contains(r"^[\[{]").all():
        return values
    lines = "\n".join(f'{{"v":{_one_line(text)}}}' for text in texts)
    try:
        read = pl.read_ndjson(io.BytesIO(lines.encode()), infer_schema_length=None)
    except pl.exceptions.PolarsError:
        return values
    return read["v"].alias(values.name) if read.height == values.len() else values


def _one_line(text: str | None) -> str:
    """Return valid JSON in one line; null where there is none."""
    try:
        return json.dumps(json.loads(text)) if text else "null"
    except json.JSONDecodeError:
        return "null"


def _names(dtype: pl.Struct) -> list[str]:
    return [field.name for field in dtype.fields]


def _fields_of(values: pl.Series) -> str:
    dtype = values.dtype
    if isinstance(dtype, pl.List):
        dtype = dtype.inner if isinstance(dtype.inner, pl.DataType) else dtype.inner()
        return f"lists of {', '.join(_names(dtype))}" if isinstance(dtype, pl.Struct) else "lists"
    return ", ".join(_names(dtype)) if isinstance(dtype, pl.Struct) else "no fields"
