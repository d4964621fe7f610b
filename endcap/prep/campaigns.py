"""Read the campaigns: who wants which items shown, what a click is worth to them, and when."""

from collections.abc import Iterable
from typing import Any

import polars as pl

from endcap.errors import SchemaError
from endcap.prep import clock, values
from endcap.prep.columns import Column, find_columns, values_of
from endcap.prep.rejected import REJECTED
from endcap.prep.tables import FILE, ROW, Table
from endcap.schema import Campaign, ShopConfig

HOURS = range(24)


def _column(name: str, kind: Any, synonyms: str = "") -> Column:
    return Column(name=name, kind=kind, synonyms=tuple(synonyms.split()))


CAMPAIGN_COLUMNS: tuple[Column, ...] = (
    _column("campaign_id", "text", "campaign id"),
    _column("advertiser_id", "text", "advertiser"),
    _column("item_ids", "texts", "items item_id product_ids creatives"),
    _column("bid", "money", "max_cpc"),
    _column("bid_micros", "whole"),
    _column("daily_budget", "money", "budget"),
    _column("daily_budget_micros", "whole", "budget_micros"),
    _column("start_at", "time", "start_at_us start start_time starts_at"),
    _column("end_at", "time", "end_at_us end end_time ends_at"),
    _column("dayparts", "texts", "hours"),
    _column("placements", "texts", "placement"),
    _column("bid_type", "text"),
)


def read_campaigns(
    table: Table, shop: ShopConfig, *, file: str
) -> tuple[tuple[Campaign, ...], pl.DataFrame]:
    """Return the campaigns in the file's order, and the rows that are none.

    Raises:
        SchemaError: there is no `campaign_id`.
    """
    sources = find_columns(CAMPAIGN_COLUMNS, {}, table.columns, file=file)
    if "campaign_id" not in sources:
        raise SchemaError(
            f"{file} needs a column campaign_id, but has only {', '.join(table.columns)}."
        )
    frame, reasons = table.frame.select(FILE, ROW), []
    for column in CAMPAIGN_COLUMNS:
        if column.name in sources:
            source = sources[column.name]
            raw = values_of(table.frame, source)
            read, reason = _read_column(raw, column, shop, source=source)
            frame = frame.with_columns(read.alias(column.stored))
            reasons.append(reason)
    frame = frame.with_columns(pl.coalesce(reasons).alias("reason"))
    campaigns: dict[str, Campaign] = {}
    rejected = table.broken.rows()
    for row in frame.to_dicts():
        why = row["reason"] or _reason(row, campaigns)
        if why is None:
            campaigns[row["campaign_id"]] = _campaign(row)
        else:
            rejected.append((row[FILE], row[ROW], why, str(row["campaign_id"])))
    return tuple(campaigns.values()), pl.DataFrame(rejected, schema=REJECTED, orient="row")


def _read_column(raw: pl.Series, column: Column, shop: ShopConfig, *, source: str) -> values.Read:
    match column.kind:
        case "money":
            return values.read_money(raw, column.name)
        case "whole":
            return values.read_whole(raw, column.name)
        case "time":
            instants = clock.read_instants(raw, zone=shop.zone, name=source)
            bad = instants.is_null() & values.read_text(raw).is_not_null()
            return instants, values.name_cases(raw, (bad, f"{column.name} is no time"))
        case "texts" if isinstance(raw.dtype, pl.List):
            return raw.cast(pl.List(pl.String)), values.no_reasons(raw)
        case "texts":
            return values.read_text(raw).str.split("|"), values.no_reasons(raw)
        case _:
            return values.read_text(raw), values.no_reasons(raw)


def _reason(row: dict[str, Any], known: Iterable[str]) -> str | None:
    """Say what is wrong with a campaign, if anything is."""
    if row["campaign_id"] is None:
        return "no campaign_id"
    if row["campaign_id"] in known:
        return "campaign_id occurs twice"
    bid_type = (row.get("bid_type") or "cpc").lower()
    if bid_type != "cpc":
        return f"bid_type {bid_type} is not known yet; campaigns pay by the click (cpc)"
    hours = [text.strip() for text in row.get("dayparts") or () if text]
    if any(not hour.isdigit() or int(hour) not in HOURS for hour in hours):
        return "dayparts must be hours from 0 to 23, separated by |"
    return None


def _campaign(row: dict[str, Any]) -> Campaign:
    hours = tuple(int(hour) for hour in row.get("dayparts") or () if hour and hour.strip())
    return Campaign(
        campaign_id=row["campaign_id"],
        advertiser_id=row.get("advertiser_id") or "",
        item_ids=_texts(row.get("item_ids")),
        bid_micros=row.get("bid_micros") or 0,
        daily_budget_micros=row.get("daily_budget_micros") or 0,
        start_at_us=row.get("start_at_us") or 0,
        end_at_us=row["end_at_us"] if row.get("end_at_us") is not None else 2**62,
        dayparts=hours or tuple(HOURS),
        placements=_texts(row.get("placements")),
    )


def _texts(texts: list[str | None] | None) -> tuple[str, ...]:
    return tuple(text.strip() for text in texts or () if text and text.strip())
