"""Gather a log's good rows: from its tables whole, or, of a large log, piece by piece.

Pieces are read twice: once to learn what only the whole log tells (its configuration, the habits of
its columns, which ids come twice), once to check the rows. Memory then holds a piece and what there
is per item; the good rows lie on shelves, those of one shopper on one shelf.
"""

from dataclasses import dataclass, field

import msgspec
import polars as pl

from endcap.errors import EndcapError
from endcap.prep import habits
from endcap.prep.canonical import EVENTS_SCHEMA, to_canonical
from endcap.prep.checks import Parted, Seen, agree_on_currency, keys_of_rows, part_rows
from endcap.prep.columns import EVENT_COLUMNS, find_columns, values_of
from endcap.prep.guess import with_guessed
from endcap.prep.nested import unfold
from endcap.prep.pieces import LARGE_BYTES, SHELF_BYTES, pieces_of, text_bytes
from endcap.prep.rejected import no_rejected
from endcap.prep.settle import Shop, settle
from endcap.prep.shelves import Shelves
from endcap.prep.shown import add_shown
from endcap.prep.sources import Sources
from endcap.prep.tables import FILE, PLACE, ROW, Table, read_tables
from endcap.prep.told import first_that_tell, items_told, rows_that_tell
from endcap.prep.values import read_text
from endcap.schema import ShopConfig
from endcap.schema.shop import RESOLUTION_US

ORDER = "__order"
"""The place of an event among the good rows, in the files' order."""

ITEM_ROWS = 1_000_000
"""Rows that tell of items are thinned out when there are so many."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is read, and what the caller said of how."""

    sources: Sources
    file: str
    shop: Shop
    format: str | None
    listed: Table | None
    """The catalogue's file."""


@dataclass(kw_only=True)
class Gathered:
    """The good rows of a log's files, and what else they told."""

    shop: ShopConfig
    notes: tuple[str, ...]
    shelves: Shelves
    items: pl.DataFrame | None = None
    rejected: list[pl.DataFrame] = field(default_factory=list)
    rows: int = 0
    aside: int = 0
    found: list[str] = field(default_factory=list)
    """All columns, those that were reached included."""
    columns: dict[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    """What was noted as the columns were read."""


def gather(asked: Asked) -> Gathered:
    """Read all files of events.

    Raises:
        FileError, SchemaError, LogError, ConfigError: they cannot be read, or only in part.
    """
    if text_bytes(asked.sources.events) < LARGE_BYTES:
        return _gather_whole(asked)
    survey = _survey(asked)
    if isinstance(survey, str):
        whole = _gather_whole(asked)
        whole.told = (*whole.told, f"This large log was read in one piece: {survey}.")
        return whole
    return _gather_pieces(asked, survey)


def _settle(asked: Asked, table: Table) -> tuple[ShopConfig, tuple[str, ...], Table]:
    """Return the configuration, what is to be noted of it, and the table with its lists spread."""
    file = asked.file
    config, notes = settle(
        asked.shop, asked.format, asked.sources, table, file=file, listed=asked.listed
    )
    table = unfold(table, config, file=file)
    if asked.shop is not None or asked.sources.shop is not None:
        config = with_guessed(config, table, file=file)
    return agree_on_currency(table, config, file=file), notes, table


def _gather_whole(asked: Asked) -> Gathered:
    table = read_tables(asked.sources.events)
    config, notes, table = _settle(asked, table)
    gathered = Gathered(shop=config, notes=notes, shelves=Shelves(1))
    if table.frame.is_empty():
        gathered.shelves.put(pl.DataFrame(schema=EVENTS_SCHEMA).with_row_index(ORDER), pl.lit(0))
        gathered.rejected, gathered.rows = [table.broken], table.broken.height
        return gathered
    parted = _add(gathered, table, asked, None)
    if asked.listed is None:
        told = rows_that_tell(table, _named(parted), config)
        gathered.items = items_told(told, config) if told is not None else None
    good = add_shown(parted.good, table, config).drop(FILE, ROW, PLACE)
    gathered.shelves.put(good.with_row_index(ORDER), pl.lit(0))
    return gathered


def _add(gathered: Gathered, table: Table, asked: Asked, seen: Seen | None) -> Parted:
    """Check the rows of a table, and count what is not among the good ones."""
    canonical = to_canonical(table, gathered.shop, file=asked.file)
    parted = part_rows(canonical, table, gathered.shop, seen)
    gathered.rejected.append(parted.rejected)
    gathered.rows += table.frame.height + table.broken.height
    gathered.aside += parted.aside.height
    gathered.found, gathered.unused = table.columns, canonical.unused
    gathered.columns = canonical.columns
    gathered.told = tuple(dict.fromkeys((*gathered.told, *canonical.notes)))
    return parted


def _named(parted: Parted) -> pl.DataFrame:
    keys = [FILE, ROW, PLACE, "item_id", "timestamp_us"]
    rows = pl.concat([parted.good.select(keys), parted.aside.select(keys)])
    return rows.drop_nulls("timestamp_us")


@dataclass(frozen=True, kw_only=True)
class _Survey:
    shop: ShopConfig
    notes: tuple[str, ...]
    seen: Seen


def _survey(asked: Asked) -> _Survey | str:
    """Read all pieces for what only the whole tells; say why they cannot be read one by one."""
    if asked.sources.decisions is not None:
        return "its decisions are read beside it"
    known: habits.Habits = {}
    settled: ShopConfig | None = None
    notes: tuple[str, ...] = ()
    rows, events = [], []
    for piece in pieces_of(asked.sources.events):
        try:
            config, notes, table = _settle(asked, piece)
        except EndcapError:  # of the whole log it may not hold, and if it does it is said there
            return "a piece cannot be read on its own"
        settled = config if settled is None else _agreed(settled, config)
        if settled is None:
            return "its pieces are not written alike"
        differs = habits.merge(known, habits.habits_of(table, config, file=asked.file))
        if differs:
            return f"its pieces differ in a habit ({differs})"
        if reason := _must_be_whole(table, settled, known):
            return reason
        if config.log.drop_duplicates:
            rows.append(keys_of_rows(table).hash_rows())
        events.append(_hashes_of_ids(table, config, asked.file))
    assert settled is not None, "a large log has a piece"
    seen = Seen(_repeated(rows), _repeated(events))
    return _Survey(shop=settled, notes=notes, seen=seen)


def _must_be_whole(table: Table, shop: ShopConfig, known: habits.Habits) -> str:
    if not shop.has_clock or not known.get("has epochs"):
        return "an order is numbered over the whole log"
    if shop.log.shown:
        return "what was shown stands in lists that several rows may repeat"
    if shop.log.drop_duplicates and any(kind.is_nested() for kind in table.frame.dtypes):
        return "rows with lists are compared to the letter"
    return ""


def _agreed(one: ShopConfig, other: ShopConfig) -> ShopConfig | None:
    """Return the configuration of two pieces together; None when they are not written alike."""
    finest = min(one.log.resolution, other.log.resolution, key=RESOLUTION_US.__getitem__)
    kinds = dict(sorted((one.log.event_types | other.log.event_types).items()))
    both = [
        msgspec.structs.replace(
            config,
            currency=one.currency or other.currency if not config.currency else config.currency,
            log=msgspec.structs.replace(config.log, resolution=finest, event_types=kinds),
        )
        for config in (one, other)
    ]
    return both[0] if both[0] == both[1] else None


def _hashes_of_ids(table: Table, shop: ShopConfig, file: str) -> pl.Series:
    source = find_columns(EVENT_COLUMNS, shop.log.columns, table.columns, file=file).get("event_id")
    if source is None:
        return pl.Series([], dtype=pl.UInt64)
    ids = read_text(values_of(table.frame, source, shop.log.missing))
    keys = pl.DataFrame([ids.alias("event_id"), table.frame[PLACE]])
    return keys.hash_rows().filter(ids.is_not_null())


def _repeated(hashes: list[pl.Series]) -> pl.Series:
    """Return the hashes that come more than once."""
    if not hashes:
        return pl.Series([], dtype=pl.UInt64)
    ordered = pl.concat(hashes).sort()
    return ordered.filter(ordered == ordered.shift(1)).unique()


def _gather_pieces(asked: Asked, survey: _Survey) -> Gathered:
    count = text_bytes(asked.sources.events) // SHELF_BYTES + 2
    gathered = Gathered(shop=survey.shop, notes=survey.notes, shelves=Shelves(count))
    of_items: list[pl.DataFrame] = []
    height = 0
    for piece in pieces_of(asked.sources.events):
        table = unfold(piece, survey.shop, file=asked.file)
        parted = _add(gathered, table, asked, survey.seen)
        good = parted.good.drop(FILE, ROW, PLACE).with_row_index(ORDER, offset=height)
        gathered.shelves.put(good, (pl.col("user_id").hash() % count).cast(pl.Int64))
        height += good.height
        told = None if asked.listed else rows_that_tell(table, _named(parted), survey.shop)
        if told is not None:
            of_items.append(first_that_tell(told))
            if sum(rows.height for rows in of_items) > ITEM_ROWS:
                of_items = [first_that_tell(pl.concat(of_items))]
    if of_items:
        gathered.items = items_told(first_that_tell(pl.concat(of_items)), survey.shop)
    gathered.rejected = [pl.concat([no_rejected(), *gathered.rejected])]
    return gathered
