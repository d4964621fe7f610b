"""Part the good rows of a log from the bad, and refuse a log that nothing can be learned from."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import polars as pl

from endcap.errors import LogError
from endcap.prep.canonical import EVENTS_SCHEMA, REASON, SEARCH, Canonical
from endcap.prep.columns import EVENT_COLUMNS, find_columns, values_of
from endcap.prep.rejected import count_reasons
from endcap.prep.tables import FILE, PLACE, ROW, Table
from endcap.prep.values import read_text
from endcap.schema import IGNORE, ShopConfig

SENT_TWICE = "duplicate event_id"
REPEATED = "repeats an earlier row to the letter"
REMEDY = "check columns in shop.toml if it should have more."
CURRENCY = re.compile(r"^[A-Z]{3}$")


def agree_on_currency(table: Table, shop: ShopConfig, *, file: str) -> ShopConfig:
    """Take the shop's currency from the log, where it names one.

    Raises:
        LogError: the log names two currencies, another than the shop's, or none that exists.
    """
    sources = find_columns(EVENT_COLUMNS, shop.log.columns, table.columns, file=file)
    if "currency" not in sources or table.frame.is_empty():
        return shop
    raw = values_of(table.frame, sources["currency"], shop.log.missing)
    named = read_text(raw).str.to_uppercase().drop_nulls()
    currencies = sorted(named.unique().to_list())
    if not currencies:
        return shop
    if len(currencies) > 1:
        raise LogError(
            f"A shop has one currency, but this log has {' and '.join(currencies[:4])}; "
            f"convert the prices, or split the log by currency."
        )
    if not CURRENCY.match(currencies[0]):
        raise LogError(
            f"currency must be three letters such as EUR (ISO 4217), got {currencies[0]!r}; "
            f"correct the column or leave it out."
        )
    if shop.currency and shop.currency.upper() != currencies[0]:
        raise LogError(
            f"shop.toml says currency = {shop.currency}, but this log is in {currencies[0]}; "
            f"correct currency in shop.toml or convert the prices."
        )
    return msgspec.structs.replace(shop, currency=currencies[0])


@dataclass(frozen=True, kw_only=True)
class Parted:
    """A log's rows, apart."""

    good: pl.DataFrame
    """The events, in the files' order, with `FILE`, `ROW` and `PLACE`."""
    aside: pl.DataFrame
    """Rows of a kind that shop.toml ignores; they may tell of items all the same."""
    rejected: pl.DataFrame


def part_rows(
    canonical: Canonical, table: Table, shop: ShopConfig, seen: "Seen | None" = None
) -> Parted:
    """Part the good rows from the bad, and from those that are no events.

    Args:
        seen: what earlier pieces of the log held; None where the table is the whole log.
    """
    aside = canonical.frame["event_type"].fill_null("") == IGNORE
    frame = _name_repeats(canonical.frame, table, shop, seen or Seen())
    bad = frame[REASON].is_not_null() & ~aside
    good = frame.filter(~bad & ~aside).drop(REASON)
    raw = table.as_read.filter(bad)
    rejected = frame.filter(bad).select(
        pl.col(FILE).alias("file"),
        pl.col(ROW).cast(pl.UInt32).alias("row"),
        pl.col(REASON).alias("reason"),
        _as_json(raw).alias("raw"),
    )
    return Parted(
        good=_tell_events(good),
        aside=frame.filter(aside).drop(REASON),
        rejected=pl.concat([table.broken, rejected]),
    )


def _as_json(raw: pl.DataFrame) -> pl.Series:
    if raw.is_empty():
        return pl.Series("raw", [], dtype=pl.String)
    return raw.select(pl.struct(pl.all()).struct.json_encode()).to_series()


class Seen:
    """Rows and ids of events that were there before.

    Args:
        rows, events: hashes of those that a log holds more than once, where it is read in pieces;
            only what has such a hash is remembered from piece to piece.
    """

    def __init__(self, rows: pl.Series | None = None, events: pl.Series | None = None) -> None:
        self._hashes = {"rows": rows, "events": events}
        self._known: dict[str, set[tuple[object, ...]]] = {"rows": set(), "events": set()}

    def again(self, what: str, keys: pl.DataFrame, *, counts: pl.Series) -> pl.Series:
        """Tell which keys were there before, among the rows that count."""
        hashes, known = self._hashes[what], self._known[what]
        if hashes is None:
            numbered = keys.with_columns(counts.alias("__counts"))
            return counts & ~numbered.select(pl.struct(pl.all()).is_first_distinct()).to_series()
        rows = (counts & keys.hash_rows().is_in(hashes.implode())).arg_true()
        again = []
        for row, key in zip(rows.to_list(), keys[rows].rows(), strict=True):
            if key in known:
                again.append(row)
            known.add(key)
        return pl.Series([False]).new_from_index(0, keys.height).scatter(again, True)


def keys_of_rows(table: Table) -> pl.DataFrame:
    """Return what makes two rows the same to the letter."""
    return table.frame.select(*table.columns, PLACE)


def _name_repeats(frame: pl.DataFrame, table: Table, shop: ShopConfig, seen: Seen) -> pl.DataFrame:
    """Reject every event after the first of one id; and repeated rows, if the shop says so."""
    if shop.log.drop_duplicates:
        everything = pl.Series([True]).new_from_index(0, frame.height)
        again = seen.again("rows", keys_of_rows(table), counts=everything)
        frame = _reject(frame, pl.col(REASON).is_null() & again, REPEATED)
    if frame["event_id"].null_count() < frame.height:
        counts = frame[REASON].is_null() & frame["event_id"].is_not_null()
        again = seen.again("events", frame.select("event_id", PLACE), counts=counts)
        frame = _reject(frame, pl.lit(again), SENT_TWICE)
    return frame


def _reject(frame: pl.DataFrame, holds: pl.Expr, reason: str) -> pl.DataFrame:
    named = pl.when(holds).then(pl.lit(reason)).otherwise(pl.col(REASON))
    return frame.with_columns(named.alias(REASON))


def _tell_events(good: pl.DataFrame) -> pl.DataFrame:
    """Make a row of `impression+click` two events of one decision, and refunds count upwards.

    A row of `search+impression` is a search, told once, and the items that it showed.
    """
    kind = pl.col("event_type")
    if good.select(kind.str.contains("+", literal=True).any()).item():
        number = pl.format("{}:{}", FILE, ROW)
        is_both = kind.str.contains("+", literal=True)
        shown = kind.str.contains("impression", literal=True) & ~kind.str.contains(SEARCH)
        answers = good.select((shown & is_both).any()).item()  # the row itself tells of a click
        made = pl.when(shown & answers).then(number)
        good = good.with_columns(
            pl.coalesce("decision_id", made).alias("decision_id"),
            kind.str.split("+"),
            is_both.alias("__both"),
        ).explode("event_type")
        good = good.with_columns(kind.str.strip_chars())
        good = _tell_searches_once(good)
    good = good.with_columns(pl.col("quantity").abs())
    return good.select(*EVENTS_SCHEMA, FILE, ROW, PLACE)


def _tell_searches_once(events: pl.DataFrame) -> pl.DataFrame:
    """Of a row that is a search and something else, the search has no item and no slot."""
    is_search = (pl.col("event_type") == "search") & pl.col("__both")
    shows_nothing = ~is_search & pl.col("__both") & pl.col("item_id").is_null()
    events = events.filter(~shows_nothing, ~is_search | (pl.col(PLACE) == 0))
    return events.with_columns(
        pl.when(~is_search).then(pl.col(name)).alias(name) for name in ("item_id", "slot")
    )


def check_learnable(
    counts: Mapping[str, int], rejected: pl.DataFrame, *, rows: int, file: str
) -> None:
    """Refuse a log with no good row, with one user, or with one item.

    Args:
        counts: of the good rows: distinct users and items, by `user` and `item`.

    Raises:
        LogError: with the reasons that cost the most rows.
    """
    if rows == 0:
        raise LogError(f"{file} has columns but no rows; there is nothing to learn from.")
    reasons = "; ".join(f"{one.reason} ({one.count})" for one in count_reasons(rejected)[:3])
    if not counts["user"] and not reasons:
        raise LogError(
            f"Nothing remains of {file}: shop.toml ignores all of its kinds of event; "
            f"correct [log.event_types]."
        )
    if not counts["user"]:
        raise LogError(f"Nothing remains of {file}: all {rows} rows were rejected: {reasons}.")
    if min(counts.values()) < 2:
        raise LogError(
            f"A log needs at least 2 users and 2 items, {file} has {_say(counts, 'user')} and "
            f"{_say(counts, 'item')}; " + (f"rows were rejected: {reasons}." if reasons else REMEDY)
        )


def _say(counts: Mapping[str, int], noun: str) -> str:
    count = counts[noun]
    return f"{count} {noun}" + ("" if count == 1 else "s")
