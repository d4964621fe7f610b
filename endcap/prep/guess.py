"""Guess a shop's configuration from its log: columns by name, then time by content."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
from msgspec.structs import replace

from endcap.prep import clock, published
from endcap.prep.checks import agree_on_currency
from endcap.prep.columns import (
    EVENT_COLUMNS,
    ITEM_COLUMNS,
    TEXT_OF_ITEM,
    find_columns,
    values_of,
)
from endcap.prep.nested import unfold
from endcap.prep.sources import find_sources
from endcap.prep.tables import Table, read_tables
from endcap.prep.values import read_flag, read_money, read_number, read_text, read_whole
from endcap.schema import COMMON, Action, ItemsConfig, LogConfig, ShopConfig, tidy
from endcap.schema.shop import Resolution

SAMPLE = 10_000
MAX_KINDS = 200
LEAST_EPOCH = 10_000_000
"""Smaller numbers are no seconds since 1970 and no dates such as 20260301."""


def guess_shop(path: str | Path) -> ShopConfig:
    """Guess how a log is written; the ready mapping of a published log is known by its columns.

    Raises:
        FileError: the log cannot be read.
        SchemaError: it is a published log that holds no events of users and items.
    """
    sources = find_sources(path)
    table, file = read_tables(sources.events), sources.events[0].name
    shop = guess_from_table(table, file=file)
    return agree_on_currency(unfold(table, shop, file=file), shop, file=file)


def guess_from_table(table: Table, *, file: str, items: Table | None = None) -> ShopConfig:
    """Guess the configuration of a log that is read already, and of its catalogue, if any."""
    mapping = published.find_mapping(table)
    if mapping is not None:
        return published.shop_of(mapping, table, file=file, items=items)
    columns = find_columns(EVENT_COLUMNS, {}, table.columns, file=file)
    declared: dict[str, str] = {}
    if not _has_time(table, columns):
        named = columns.pop("timestamp", None)
        found = _find_time(table, columns) or ""
        declared = {"timestamp": found} if found or named else {}
        columns = find_columns(EVENT_COLUMNS, declared, table.columns, file=file)
    unread = _unreadable(table, columns)
    if unread:
        declared |= dict.fromkeys(unread, "")
        columns = find_columns(EVENT_COLUMNS, declared, table.columns, file=file)
    own = {name: source for name, source in columns.items() if name != source}
    log = LogConfig(
        columns=declared | own,
        event_types=_guess_kinds(table, columns),
        default_event_type=_guess_default_kind(columns),
        resolution=_guess_resolution(table, columns),
    )
    stem = file.split(".", maxsplit=1)[0]
    name = "shop" if stem in ("", "events") else stem
    return ShopConfig(name=name, log=log, items=_guess_items(table, columns, file=file))


def _unreadable(table: Table, columns: dict[str, str]) -> list[str]:
    """List our columns whose namesakes hold something else: a `position` of `top` and `left`."""
    readers = {"money": read_money, "whole": read_whole, "decimal": read_number, "flag": read_flag}
    unread = []
    for column in EVENT_COLUMNS:
        source = columns.get(column.name)
        if source is None or source == column.name or column.kind not in readers:
            continue
        sample = table.frame[source].head(SAMPLE).drop_nulls()
        _, reasons = readers[column.kind](sample, column.name)
        if reasons.is_not_null().sum() * 2 > sample.len():
            unread.append(column.name)
    return unread


def _has_time(table: Table, columns: dict[str, str]) -> bool:
    """Tell whether the column that is called time holds any: not a `day` of small numbers."""
    if "timestamp" not in columns:
        return False
    source = columns["timestamp"]
    values = table.frame[source]
    if source == "timestamp" or values.drop_nulls().is_empty() or values.dtype.is_temporal():
        return True
    numbers = values.head(SAMPLE).cast(pl.Float64, strict=False)
    largest = numbers.max()
    if isinstance(largest, float) and largest < LEAST_EPOCH:
        return _is_order(table, columns, values)
    return clock.read_instants(values.head(SAMPLE), zone="UTC", name=source).is_not_null().any()


def _find_time(table: Table, columns: dict[str, str]) -> str | None:
    """Find a column that no name gives away but whose content is time."""
    free = [name for name in table.columns if name not in columns.values()]
    frame = table.frame
    for name in free:
        if frame[name].dtype in (pl.Datetime, pl.Date):
            return name
    for name in free:
        sample = frame[name].head(SAMPLE).drop_nulls()
        if sample.dtype != pl.String or sample.is_empty():
            continue
        is_number = sample.cast(pl.Float64, strict=False).is_not_null().any()
        if not is_number and clock.read_instants(sample, zone="UTC").null_count() == 0:
            return name
    return next((name for name in free if _is_epoch(frame[name].head(SAMPLE))), None)


def _is_epoch(values: pl.Series) -> bool:
    """Tell whether all numbers lie between 2001 and 2033, in seconds, ms or us."""
    if values.dtype.is_nested() or values.dtype == pl.Boolean:
        return False
    numbers = values.cast(pl.Float64, strict=False).drop_nulls()
    if numbers.is_empty() or numbers.len() < values.drop_nulls().len():
        return False
    return any(bool(numbers.is_between(1e9 * unit, 2e9 * unit).all()) for unit in (1, 1e3, 1e6))


def _guess_resolution(table: Table, columns: dict[str, str]) -> Resolution:
    if "timestamp" not in columns or table.frame.is_empty():
        return "order"
    source = columns["timestamp"]
    values = values_of(table.frame, source)
    if _is_order(table, columns, values):
        return "order"
    return clock.resolution_of(clock.read_instants(values, zone="UTC", name=source), "UTC")


def _is_order(table: Table, columns: dict[str, str], values: pl.Series) -> bool:
    """Tell whether a column counts each user's rows 0, 1, 2, ... (or from 1)."""
    user = columns.get("user_id", columns.get("visitor_id"))
    if user is None or not (values.dtype.is_integer() or values.dtype == pl.String):
        return False
    place = read_number(values, "timestamp")[0]
    counted = pl.DataFrame({"user": table.frame[user], "place": place}).drop_nulls()
    if counted.is_empty() or counted.height < values.len():
        return False
    per_user = counted.group_by("user").agg(
        least=pl.col("place").min(), most=pl.col("place").max(), places=pl.col("place").n_unique(),
        rows=pl.len(),
    )  # fmt: skip
    is_counted = (pl.col("most") - pl.col("least") + 1 == pl.col("rows")) & (
        pl.col("places") == pl.col("rows")
    )
    from_start = pl.col("least") <= 1
    return bool(per_user.select((is_counted & from_start).all()).item())


def _guess_kinds(table: Table, columns: dict[str, str]) -> dict[str, str]:
    """Write down which of the log's kinds are ours under another name."""
    if "event_type" not in columns:
        return {}
    kinds: Sequence[str] = (
        read_text(table.frame[columns["event_type"]]).drop_nulls().unique().sort().to_list()
    )
    known = {action.name.lower() for action in Action}
    return {
        kind: COMMON[tidy(kind)]
        for kind in kinds[:MAX_KINDS]
        if tidy(kind) in COMMON and tidy(kind) not in known
    }


def _guess_default_kind(columns: dict[str, str]) -> str:
    if "quantity" in columns:
        return "purchase"
    return "rating" if "rating" in columns else "view"


def _guess_items(table: Table, columns: dict[str, str], *, file: str) -> ItemsConfig:
    """See whether the log itself tells titles, categories or brands of its items."""
    free = [name for name in table.columns if name not in columns.values()]
    found = find_columns(ITEM_COLUMNS, {}, free, file=file)
    return ItemsConfig(columns={name: found[name] for name in TEXT_OF_ITEM if name in found})


def with_guessed(shop: ShopConfig, table: Table, *, file: str) -> ShopConfig:
    """Complete a given configuration by what the log tells of its items."""
    if shop.items.columns:
        return shop
    columns = find_columns(EVENT_COLUMNS, shop.log.columns, table.columns, file=file)
    guessed = _guess_items(table, columns, file=file)
    return replace(shop, items=replace(shop.items, columns=guessed.columns))
