"""The columns of a log and of a catalogue: what we call them, what others do, what they unlock."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Literal

import polars as pl

from endcap.errors import SchemaError

Kind = Literal["text", "time", "money", "whole", "decimal", "flag", "texts", "vector"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column that Endcap knows."""

    name: str
    kind: Kind
    synonyms: tuple[str, ...] = ()
    """Other people's names, likeliest first; letters and digits count, case does not."""
    unlocks: str = ""

    @property
    def stored(self) -> str:
        """The column's name once its unit is fixed: `price` becomes `price_micros`."""
        if self.kind == "money":
            return f"{self.name}_micros"
        return f"{self.name}_us" if self.kind == "time" else self.name


def _column(name: str, kind: Kind, synonyms: str = "", unlocks: str = "") -> Column:
    return Column(name=name, kind=kind, synonyms=tuple(synonyms.split()), unlocks=unlocks)


EVENT_COLUMNS: tuple[Column, ...] = (
    _column("user_id", "text", "customer_id client_id member_id shopper_id user uid customer",
            "whose history an event belongs to"),
    _column("visitor_id", "text", "visitor cookie_id anonymous_id device_id",
            "the history of shoppers who are not logged in"),
    _column("item_id", "text",
            "product_id stock_code sku article_id goods_id video_id product item asin content_id "
            "brand_id", "which item"),
    _column("event_type", "text",
            "event behavior_type behaviour_type behavior behaviour action_type action event_name "
            "interaction_type interaction type", "clicks, carts and purchases apart"),
    _column("timestamp", "time",
            "timestamp_us timestamp_ms time_ms event_time event_timestamp time ts created_at "
            "datetime date_time invoice_date order_date purchase_date visit_datetime date day "
            "unix_time unix_timestamp pos position_in_sequence sequence",
            "delays, hours of the day, a split by time"),
    _column("event_id", "text", "event_uuid message_id", "an event sent twice counts once"),
    _column("session_id", "text", "session user_session visit_id", "visits"),
    _column("dwell_ms", "whole", "dwell_time_ms play_time_ms view_time_ms watch_time_ms",
            "dwell: how long an item holds the shopper"),
    _column("censored", "flag", "is_censored dwell_censored", "dwell that is at least so long"),
    _column("placement", "text", "widget block area", "examination by placement"),
    _column("slot", "whole", "position rank slot_index", "click at a slot, examination"),
    _column("device", "text", "device_type platform", "examination by device"),
    _column("decision_id", "text", "page_id request_id impression_id recommendation_id",
            "which page an event answered"),
    _column("campaign_id", "text", "campaign ad_id", "ad tasks: clicks on and purchases after ads"),
    _column("price", "money", "unit_price item_price price_amount", "price bands, revenue"),
    _column("price_micros", "whole", "", "price bands, revenue"),
    _column("quantity", "whole", "qty units", "units of demand"),
    _column("value", "money", "revenue amount total event_value", "revenue"),
    _column("currency", "text", "currency_code", "a check that all money is one currency"),
    _column("rating", "decimal", "stars", "ratings"),
    _column("query", "text", "search_query search_term search_keyword", "what was searched for"),
    _column("propensity", "decimal", "propensity_score pscore",
            "comparing another policy on this log"),
)  # fmt: skip

ITEM_COLUMNS: tuple[Column, ...] = (
    _column("item_id", "text", f"{' '.join(EVENT_COLUMNS[2].synonyms)} id"),
    _column("title", "text", "name product_name item_name product_title", "text features"),
    _column("description", "text", "product_description text", "text features"),
    _column("categories", "texts", "category category_path product_type category_code category_id",
            "next category, limits per category"),
    _column("brand", "text", "brand_name manufacturer", "brand features"),
    _column("price", "money", "unit_price list_price", "price bands, margin"),
    _column("price_micros", "whole", "", "price bands, margin"),
    _column("unit_cost", "money", "cost cost_price", "margin"),
    _column("unit_cost_micros", "whole", "", "margin"),
    _column("stock", "whole", "inventory stock_level", "the stock filter"),
    _column("available", "flag", "is_available in_stock active", "the availability filter"),
    _column("created_at", "time", "created_at_us created release_date", "new items"),
    _column("seller_id", "text", "seller vendor vendor_id merchant_id", "limits per seller"),
    _column("tags", "texts", "labels keywords", "attribute features"),
    _column("embedding", "vector", "embeddings item_embedding", "the shop's own vectors"),
    _column("attributes", "texts", "features properties", "attribute features"),
)  # fmt: skip

TEXT_OF_ITEM = ("title", "description", "categories", "brand", "seller_id")
"""Columns of the items that a log may carry itself, where there is no catalogue."""


def plain(name: str) -> str:
    """Strip a column's name to small letters and digits, so that `CustomerID` is `customer_id`."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def find_columns(
    known: Sequence[Column], declared: Mapping[str, str], found: Sequence[str], *, file: str
) -> dict[str, str]:
    """Say for each known column which of the file's it is; a column serves once.

    Declared names come first, then our own names, then other people's. `""` declares that a
    column is not to be read; `"{date} {hour}"` puts one together from several, and
    `"user_id | cookie"` takes, row by row, the first that is present.

    Raises:
        SchemaError: a declared column is unknown to us, or missing from the file.
    """
    sources = {name: _check_declared(name, source, known, found, file=file)
               for name, source in declared.items()}  # fmt: skip
    used = {name for source in sources.values() for name in columns_of(source, found)}
    by_plain = {plain(name): name for name in reversed(found)}
    spellings = [[(column.name, column.name)] for column in known]
    spellings += [[(column.name, other) for other in column.synonyms] for column in known]
    for name, spelling in (pair for pairs in spellings for pair in pairs):
        source = by_plain.get(plain(spelling))
        if name not in sources and source is not None and source not in used:
            sources[name] = source
            used.add(source)
    return {name: source for name, source in sources.items() if source}


def _check_declared(
    name: str, source: str, known: Sequence[Column], found: Sequence[str], *, file: str
) -> str:
    if name not in {column.name for column in known}:
        raise SchemaError(
            f"columns.{name} in shop.toml is not a column of Endcap; "
            f"it knows {', '.join(column.name for column in known)}."
        )
    if source and not is_there(source, found):
        missing = [part for part in columns_of(source, found) if part not in found]
        raise SchemaError(
            f"shop.toml reads {name} from {', '.join(missing)}, but {file} has the columns "
            f"{', '.join(found)}; correct columns.{name} in shop.toml."
        )
    return source


def columns_of(source: str, found: Sequence[str]) -> list[str]:
    """List the columns that a source reads: one, those in a template's braces, or a choice's."""
    return [name for one in _choices(source, found) for name in _names_in(one, found)]


def is_there(source: str, found: Sequence[str]) -> bool:
    """Tell whether a source can be read: all of a template, at least one of a choice."""
    return any(_is_whole(one, found) for one in _choices(source, found))


def values_of(frame: pl.DataFrame, source: str, missing: Sequence[str] = ()) -> pl.Series:
    """Return the values of a source; of a choice such as `"a | b"`, row by row the first present.

    Args:
        missing: texts that mean that nothing is known.
    """
    found = frame.columns
    choices = [one for one in _choices(source, found) if _is_whole(one, found)]
    used = dict.fromkeys(name for one in choices for name in _names_in(one, found))
    known = pl.DataFrame([_without(frame[name], missing) for name in used])
    read = [known.select(expression_of(one, found)).to_series() for one in choices]
    if len(read) == 1:
        return read[0].alias(source)
    if len({values.dtype for values in read}) > 1:
        read = [values.cast(pl.String) for values in read]
    named = pl.DataFrame([_without_blanks(one).alias(str(at)) for at, one in enumerate(read)])
    return named.select(pl.coalesce(pl.all()).alias(source)).to_series()


def expression_of(source: str, found: Sequence[str]) -> pl.Expr:
    """Return the values of a column as it is, or of a template filled as text."""
    if source in found or "{" not in source:
        return pl.col(source)
    parts: list[pl.Expr] = []
    for text, name, _, _ in Formatter().parse(source):
        if text:
            parts.append(pl.lit(text))
        if name is not None:
            parts.append(pl.col(name).cast(pl.String))
    return pl.concat_str(parts)


def _choices(source: str, found: Sequence[str]) -> list[str]:
    if not source or source in found:
        return [source] if source else []
    return [one.strip() for one in source.split(" | ")]


def _names_in(one: str, found: Sequence[str]) -> list[str]:
    if one in found or "{" not in one:
        return [one]
    return [name for _, name, _, _ in Formatter().parse(one) if name is not None]


def _is_whole(one: str, found: Sequence[str]) -> bool:
    return all(name in found for name in _names_in(one, found))


def _without(values: pl.Series, missing: Sequence[str]) -> pl.Series:
    if not missing or values.dtype != pl.String:
        return values
    return values.set(values.str.strip_chars().is_in(list(missing)), None)


def _without_blanks(values: pl.Series) -> pl.Series:
    if values.dtype != pl.String:
        return values
    return values.set(values.str.strip_chars() == "", None)
