"""Give a log's rows our columns, our units and our kinds, and name what is wrong with a row."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from endcap.errors import SchemaError
from endcap.prep import clock, values
from endcap.prep.columns import EVENT_COLUMNS, Column, columns_of, find_columns, values_of
from endcap.prep.event_types import check_declared, read_event_types
from endcap.prep.tables import FILE, PLACE, ROW, Table
from endcap.schema import NO_SLOT, ShopConfig

REASON = "__reason"

DTYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "time": pl.Int64(),
    "money": pl.Int64(),
    "whole": pl.Int64(),
    "decimal": pl.Float64(),
    "flag": pl.Boolean(),
}

EVENTS_SCHEMA: dict[str, pl.DataType] = {
    column.stored: DTYPES[column.kind] for column in EVENT_COLUMNS if column.name != "currency"
}
"""The columns of `Log.events`; what a log does not tell is null."""

MAX_DWELL_MS = 2**31 - 1
SEARCH = r"(^|\+)\s*search\s*(\+|$)"
"""Kinds that are a search, perhaps among others."""


@dataclass(frozen=True, kw_only=True)
class Canonical:
    """Rows in our columns, with `FILE`, `ROW`, `PLACE` and, where a row is bad, its `REASON`."""

    frame: pl.DataFrame
    columns: dict[str, str]
    """Our columns, and which of the file's each was read from."""
    unused: tuple[str, ...]
    notes: tuple[str, ...]


def to_canonical(table: Table, shop: ShopConfig, *, file: str) -> Canonical:
    """Read every known column of a log.

    Raises:
        SchemaError: there is no user, no item, or a declared column is missing.
        ConfigError: `event_types` maps a kind to none.
    """
    check_declared(shop.log.event_types)
    found = table.columns
    sources = find_columns(EVENT_COLUMNS, shop.log.columns, found, file=file)
    check_required(sources, found, file=file)
    frame = table.frame.select(FILE, ROW, PLACE)
    reasons: list[pl.Series] = []
    for column in EVENT_COLUMNS:
        if column.name not in sources or column.name == "currency":
            continue
        raw = values_of(table.frame, sources[column.name], shop.log.missing)
        read, reason = _read_column(raw, column, shop, source=sources[column.name])
        frame = frame.with_columns(read.alias(column.stored))
        reasons.append(reason)
    frame, notes = _complete(frame, sources, shop)
    frame = _without_places(frame, sources)
    first_reason = pl.coalesce(*reasons, *_missing(frame, sources)).alias(REASON)
    used = {name for source in sources.values() for name in columns_of(source, found)}
    return Canonical(
        frame=frame.with_columns(first_reason),
        columns=sources,
        unused=tuple(name for name in found if not any(_is_in(name, one) for one in used)),
        notes=notes,
    )


def _without_places(frame: pl.DataFrame, sources: Mapping[str, str]) -> pl.DataFrame:
    """Keep a place in a list as the slot of what was shown only: a cart's lines have no slots."""
    if not sources.get("slot", "").endswith(".#"):
        return frame
    shown = pl.col("event_type").str.contains("impression", literal=True)
    return frame.with_columns(pl.when(shown).then(pl.col("slot")).alias("slot"))


def _is_in(column: str, name: str) -> bool:
    """Tell whether a name is the column's, or that of a part of it."""
    return name == column or name.startswith(f"{column}.")


def check_required(sources: Mapping[str, str], found: list[str], *, file: str) -> None:
    """Refuse a log in which nobody or nothing can be told apart.

    Raises:
        SchemaError: neither `user_id` nor `visitor_id`, or no `item_id`, was found.
    """
    wanted = {"user_id": "CustomerID", "item_id": "StockCode"}
    if "visitor_id" in sources:
        del wanted["user_id"]
    missing = [name for name in wanted if name not in sources]
    if missing:
        examples = ", ".join(f'{name} = "{wanted[name]}"' for name in missing)
        raise SchemaError(
            f"{file} needs a column for {' and '.join(missing)}, but has only "
            f"{', '.join(found)}; name it in shop.toml under [log.columns], "
            f"for example {examples}."
        )


def _read_column(raw: pl.Series, column: Column, shop: ShopConfig, *, source: str) -> values.Read:
    name = column.name
    match column.kind:
        case "time":
            return _read_time(raw, shop, source)
        case "money":
            return values.read_money(raw, name)
        case "whole":
            return _read_whole(raw, name, source)
        case "decimal":
            return (values.read_share if name == "propensity" else values.read_number)(raw, name)
        case "flag":
            return values.read_flag(raw, name)
    return values.read_text(raw), values.no_reasons(raw)


def _read_whole(raw: pl.Series, name: str, source: str) -> values.Read:
    if name == "quantity":  # a refund may count downwards; its sign is looked at with its kind
        return values.read_whole(raw, name, least=-(2**53))
    if name == "dwell_ms":
        return values.read_whole(raw, name, most=MAX_DWELL_MS)
    read, reason = values.read_whole(raw, name)
    if name == "slot" and source.lower() != "slot" and read.min() == 1:
        read = read - 1  # positions and ranks count from 1
    return read, reason


def _read_time(raw: pl.Series, shop: ShopConfig, source: str) -> values.Read:
    if not shop.has_clock:
        number, reason = values.read_number(raw, "timestamp")
        return clock.count_order(number.set(reason.is_not_null(), None)), reason
    instants = clock.read_instants(raw, zone=shop.zone, name=source)
    is_absent = values.read_text(raw).is_null()
    if shop.log.resolution == "day":
        instants = clock.to_local_days(instants, shop.zone)
    reason = values.name_cases(
        instants,
        (instants.is_null() & ~is_absent, "timestamp is no time"),
        ((instants < 0) | (instants >= clock.LATEST_US), "timestamp is before 1970 or after 2199"),
    )
    return instants, reason


def _complete(
    frame: pl.DataFrame, sources: Mapping[str, str], shop: ShopConfig
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Fill in what a log leaves unsaid, and give every column its place."""
    notes: list[str] = []
    if "timestamp" not in sources:
        if shop.has_clock:
            raise SchemaError(
                'This log has no column of time; write resolution = "order" in shop.toml under '
                "[log] to take its order as the order of events, or name the column."
            )
        notes.append("No column of time or order: the order of the rows is taken instead.")
        frame = frame.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias("timestamp_us"))
    if "price" in sources and "price_micros" in sources:
        notes.append("Both price and price_micros are there: price_micros is read.")
    absent = {name: dtype for name, dtype in EVENTS_SCHEMA.items() if name not in frame.columns}
    frame = frame.with_columns(
        pl.lit(None, dtype=dtype).alias(name) for name, dtype in absent.items()
    )
    frame = frame.with_columns(pl.coalesce("user_id", "visitor_id").alias("user_id"))
    slot = pl.col("slot")
    if frame.select((slot >= NO_SLOT).any()).item():
        notes.append(f"Slots from {NO_SLOT} on are kept as unknown.")
        frame = frame.with_columns(pl.when(slot < NO_SLOT).then(slot).alias("slot"))
    return _name_kinds(frame, sources, shop), tuple(notes)


def _name_kinds(frame: pl.DataFrame, sources: Mapping[str, str], shop: ShopConfig) -> pl.DataFrame:
    if "event_type" not in sources or frame["event_type"].null_count() == frame.height:
        return frame.with_columns(pl.lit(shop.log.default_event_type).alias("event_type"))
    kinds = read_event_types(frame["event_type"], shop.log.event_types)
    return frame.with_columns(kinds.alias("event_type"))


def _missing(frame: pl.DataFrame, sources: Mapping[str, str]) -> list[pl.Expr]:
    """Name what a row must have and has not; only a search goes without an item."""
    kind, quantity = pl.col("event_type"), pl.col("quantity")
    is_search = kind.str.contains(SEARCH).fill_null(False)
    cases = [
        (pl.col("user_id").is_null(), "no user_id"),
        (pl.col("item_id").is_null() & ~is_search, "no item_id"),
        (pl.col("timestamp_us").is_null(), "no timestamp"),
        (kind.is_null(), "no event_type"),
        ((quantity <= 0) & (kind != "refund"), "quantity is less than 1"),
        (quantity == 0, "quantity is less than 1"),
    ]
    return [pl.when(holds).then(pl.lit(reason)) for holds, reason in cases]
