"""Read a shop's log: find its files, map its columns, check its rows, and say what was found."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from endcap.prep import rejected as side_file
from endcap.prep.campaigns import read_campaigns
from endcap.prep.canonical import EVENTS_SCHEMA, to_canonical
from endcap.prep.catalogue import Items, items_of_log, read_items
from endcap.prep.checks import agree_on_currency, check_learnable, part_rows
from endcap.prep.decisions import Shown, read_decisions, read_subjects
from endcap.prep.guess import guess_from_table, with_guessed
from endcap.prep.published import find_mapping
from endcap.prep.rejected import no_rejected
from endcap.prep.report import Found, LogReport, make_report
from endcap.prep.sources import Sources, find_sources
from endcap.prep.tables import FILE, ROW, Table, read_table, read_tables
from endcap.schema import Campaign, Campaigns, ShopConfig, load_shop

Shop = ShopConfig | str | Path | None


@dataclass(frozen=True, kw_only=True)
class Log:
    """A checked log: good rows in our columns, what else the shop told, and what was rejected."""

    events: pl.DataFrame
    """One row per event, in the files' order; `canonical.EVENTS_SCHEMA` names the columns."""
    items: pl.DataFrame | None
    """The catalogue (`catalogue.ITEMS_SCHEMA`), or what the log itself tells of its items."""
    campaigns: Campaigns
    shop: ShopConfig
    report: LogReport
    rejected: pl.DataFrame
    """`file`, `row`, `reason` and the `raw` row of everything that was not read."""

    def _repr_html_(self) -> str:
        return self.report._repr_html_()


def read(
    path: str | Path,
    *,
    items: str | Path | None = None,
    campaigns: str | Path | None = None,
    shop: Shop = None,
) -> Log:
    """Read and check a log.

    Args:
        path: a CSV, JSONL or Parquet file, or a folder: `events.*` (or all data files), and, if
            they are there, `items.*`, `campaigns.*`, `shop.toml`, `decisions.jsonl`, `subjects.*`.
        items: the catalogue, if it is elsewhere.
        campaigns: the campaigns, if they are elsewhere.
        shop: a configuration or its file; by default the `shop.toml` beside the log, the ready
            mapping of a published log, or a guess.

    Raises:
        FileError, SchemaError, LogError, ConfigError: what cannot be read, and what to do.
    """
    sources = _with_given(find_sources(Path(path)), items, campaigns)
    file = Path(path).name
    table = read_tables(sources.events)
    config = agree_on_currency(table, _shop_of(shop, sources, table, file=file), file=file)
    rows = table.frame.height + table.broken.height
    if table.frame.is_empty():
        check_learnable(pl.DataFrame(schema=EVENTS_SCHEMA), table.broken, rows=rows, file=file)
    canonical = to_canonical(table, config, file=file)
    good, rejected = part_rows(canonical, table, config)
    catalogue = _read_items(sources.items, config)
    told = catalogue.frame if catalogue else items_of_log(table, good, config)
    events, shown = _add_decisions(good.drop(FILE, ROW), sources, config)
    check_learnable(events, rejected, rows=rows, file=file)
    campaign_rows, bad_campaigns = _read_campaigns(sources.campaigns, config)
    parts = [rejected, bad_campaigns, shown.rejected]
    rejected = pl.concat([*parts, catalogue.rejected] if catalogue else parts)
    found = Found(
        files=_names(sources),
        rows=rows,
        catalogue_items=told.height if told is not None else 0,
        campaigns=len(campaign_rows),
        columns=canonical.columns,
        item_columns=catalogue.columns if catalogue else dict(config.items.columns),
        unused=canonical.unused,
        notes=(*_notes(sources, table, is_guessed=shop is None), *canonical.notes, *shown.notes),
    )
    return Log(
        events=events,
        items=told,
        campaigns=Campaigns(rows=campaign_rows),
        shop=config,
        report=make_report(events, rejected, config, found),
        rejected=rejected,
    )


def inspect(
    path: str | Path,
    *,
    items: str | Path | None = None,
    campaigns: str | Path | None = None,
    shop: Shop = None,
) -> LogReport:
    """Read a log and say what was found, what it unlocks, and what had to be left out."""
    return read(path, items=items, campaigns=campaigns, shop=shop).report


def write_rejected(log: Log, path: str | Path) -> Path:
    """Write the rows that were not read beside the log, with their reasons (JSONL, CSV, Parquet).

    Raises:
        FileError: the file cannot be written.
    """
    return side_file.write_rejected(log.rejected, Path(path))


def _with_given(
    sources: Sources, items: str | Path | None, campaigns: str | Path | None
) -> Sources:
    return Sources(
        events=sources.events,
        items=Path(items) if items is not None else sources.items,
        campaigns=Path(campaigns) if campaigns is not None else sources.campaigns,
        decisions=sources.decisions,
        subjects=sources.subjects,
        shop=sources.shop,
        left=sources.left,
    )


def _shop_of(shop: Shop, sources: Sources, table: Table, *, file: str) -> ShopConfig:
    if shop is None and sources.shop is None:
        return guess_from_table(table, file=file)
    if not isinstance(shop, ShopConfig):
        path = shop if shop is not None else sources.shop
        shop = load_shop(Path(path))  # type: ignore[arg-type]
    return with_guessed(shop, table, file=file)


def _read_items(path: Path | None, shop: ShopConfig) -> Items | None:
    return read_items(read_table(path), shop, file=path.name) if path else None


def _read_campaigns(
    path: Path | None, shop: ShopConfig
) -> tuple[tuple[Campaign, ...], pl.DataFrame]:
    return read_campaigns(read_table(path), shop, file=path.name) if path else ((), no_rejected())


def _add_decisions(
    events: pl.DataFrame, sources: Sources, shop: ShopConfig
) -> tuple[pl.DataFrame, Shown]:
    """Add what logged pages showed, for pages whose impressions the events do not tell."""
    if sources.decisions is None or sources.subjects is None:
        nothing = pl.DataFrame(schema=EVENTS_SCHEMA)
        told = sources.decisions is not None
        notes = ("decisions.jsonl is not read: no subjects file names its users.",) * told
        return events, Shown(events=nothing, rejected=no_rejected(), notes=notes)
    users = read_subjects(read_table(sources.subjects), file=sources.subjects.name)
    shown = pl.col("event_type") == "impression"
    known = set(events.filter(shown)["decision_id"].drop_nulls().to_list())
    pages = read_decisions(sources.decisions, users, known, shop)
    return pl.concat([events, pages.events]), pages


def _names(sources: Sources) -> tuple[str, ...]:
    further = (sources.items, sources.campaigns, sources.decisions, sources.subjects, sources.shop)
    return tuple(file.name for file in (*sources.events, *further) if file is not None)


def _notes(sources: Sources, table: Table, *, is_guessed: bool) -> tuple[str, ...]:
    is_known = is_guessed and sources.shop is None
    mapping = find_mapping(table.columns) if is_known else None
    told = (f"This looks like {mapping.title}. {mapping.note}",) if mapping else ()
    names = ", ".join(file.name for file in sources.left)
    return (*told, *((f"Not read: {names}.",) if names else ()))
