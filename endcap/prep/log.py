"""Read a shop's log: find its files, map its columns, check its rows, and say what was found."""

from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from endcap.prep import rejected as side_file
from endcap.prep.campaigns import read_campaigns
from endcap.prep.canonical import EVENTS_SCHEMA, to_canonical
from endcap.prep.catalogue import Items, items_of_log, read_items
from endcap.prep.checks import Parted, agree_on_currency, check_learnable, part_rows
from endcap.prep.columns import columns_of
from endcap.prep.decisions import Shown, read_decisions, read_subjects
from endcap.prep.guess import with_guessed
from endcap.prep.nested import unfold
from endcap.prep.rejected import no_rejected
from endcap.prep.relations import Related, no_relations, read_relations, settle_relations
from endcap.prep.report import Found, LogReport, make_report
from endcap.prep.settle import Shop, check_format, settle
from endcap.prep.shown import add_shown
from endcap.prep.sources import Source, Sources, find_sources, source_of
from endcap.prep.sql import Database
from endcap.prep.tables import FILE, PLACE, ROW, Table, read_table, read_tables
from endcap.schema import Campaign, Campaigns, ShopConfig


@dataclass(frozen=True, kw_only=True)
class Log:
    """A checked log: good rows in our columns, what else the shop told, and what was rejected."""

    events: pl.DataFrame
    """One row per event, in the files' order; `canonical.EVENTS_SCHEMA` names the columns."""
    items: pl.DataFrame | None
    """The catalogue (`catalogue.ITEMS_SCHEMA`), or what the log itself tells of its items."""
    relations: pl.DataFrame
    """What items are to one another: `item_id`, `relation`, `other_item_id`."""
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
    format: str | None = None,
    query: str | None = None,
) -> Log:
    """Read and check a log.

    Args:
        path: a CSV, JSONL or Parquet file, or a folder: `events.*` (or all data files), and, if
            they are there, `items.*`, `campaigns.*`, `shop.toml`, `decisions.jsonl`, `subjects.*`;
            or a table of a database: a SQLAlchemy URL, `#` and its name or a query.
        items: the catalogue, if it is elsewhere; a file or a URL.
        campaigns: the campaigns, if they are elsewhere; a file or a URL.
        shop: a configuration or its file; by default the `shop.toml` beside the log, the ready
            mapping of a published log, or a guess.
        format: the system that the log comes from, such as `ga4`, in place of `shop`.
        query: what to ask of the database that `path` names.

    Raises:
        FileError, SchemaError, LogError, ConfigError: what cannot be read, and what to do.
    """
    sources = _with_given(find_sources(path, query), items, campaigns)
    check_format(format, shop, sources)
    file = _name_of(path, sources)
    table = read_tables(sources.events)
    listed = read_table(sources.items) if sources.items is not None else None
    config, notes = settle(shop, format, sources, table, file=file, listed=listed)
    table = unfold(table, config, file=file)
    if shop is not None or sources.shop is not None:
        config = with_guessed(config, table, file=file)
    config = agree_on_currency(table, config, file=file)
    rows = table.frame.height + table.broken.height
    if table.frame.is_empty():
        check_learnable(pl.DataFrame(schema=EVENTS_SCHEMA), table.broken, rows=rows, file=file)
    canonical = to_canonical(table, config, file=file)
    parted = part_rows(canonical, table, config)
    rejected = parted.rejected
    catalogue = _read_items(listed, sources.items, config, table.columns)
    told = catalogue.frame if catalogue else _items_told(table, parted, config)
    good = add_shown(parted.good, table, config).drop(FILE, ROW, PLACE)
    events, shown = _add_decisions(good, sources, config)
    check_learnable(events, rejected, rows=rows, file=file)
    campaign_rows, bad_campaigns = _read_campaigns(sources.campaigns, config)
    related = _relations(sources.relations, catalogue, told, events)
    parts = [rejected, bad_campaigns, shown.rejected, related.rejected]
    rejected = pl.concat([*parts, catalogue.rejected] if catalogue else parts)
    found = Found(
        files=_names(sources),
        rows=rows,
        catalogue_items=told.height if told is not None else 0,
        campaigns=len(campaign_rows),
        columns=canonical.columns,
        item_columns=catalogue.columns if catalogue else dict(config.items.columns),
        unused=_unused(canonical.unused, catalogue, table, config),
        notes=(
            *notes,
            *_say_left(sources),
            *_say_aside(parted),
            *canonical.notes,
            *shown.notes,
            *related.notes,
        ),
    )
    return Log(
        events=events,
        items=told,
        relations=related.pairs,
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
    format: str | None = None,
    query: str | None = None,
) -> LogReport:
    """Read a log and say what was found, what it unlocks, and what had to be left out."""
    log = read(path, items=items, campaigns=campaigns, shop=shop, format=format, query=query)
    return log.report


def write_rejected(log: Log, path: str | Path) -> Path:
    """Write the rows that were not read beside the log, with their reasons (JSONL, CSV, Parquet).

    Raises:
        FileError: the file cannot be written.
    """
    return side_file.write_rejected(log.rejected, Path(path))


def _with_given(
    sources: Sources, items: str | Path | None, campaigns: str | Path | None
) -> Sources:
    return replace(
        sources,
        items=source_of(items) if items is not None else sources.items,
        campaigns=source_of(campaigns) if campaigns is not None else sources.campaigns,
    )


def _name_of(path: str | Path, sources: Sources) -> str:
    only = sources.events[0]
    return only.name if isinstance(only, Database) else Path(path).name


def _items_told(table: Table, parted: Parted, shop: ShopConfig) -> pl.DataFrame | None:
    keys = [FILE, ROW, PLACE, "item_id", "timestamp_us"]
    rows = pl.concat([parted.good.select(keys), parted.aside.select(keys)])
    return items_of_log(table, rows.drop_nulls("timestamp_us"), shop)


def _read_items(
    table: Table | None, source: Source | None, shop: ShopConfig, elsewhere: list[str]
) -> Items | None:
    if table is None or source is None:
        return None
    return read_items(table, shop, file=source.name, elsewhere=elsewhere)


def _relations(
    source: Path | None, catalogue: Items | None, items: pl.DataFrame | None, events: pl.DataFrame
) -> Related:
    """Gather what items are to one another, of those that the catalogue or the log holds."""
    told, broken = [catalogue.relations] if catalogue else [], no_rejected()
    if source is not None:
        table = read_table(source)
        told.append(read_relations(table, file=source.name))
        broken = table.broken
    known = [events["item_id"].drop_nulls(), *([items["item_id"]] if items is not None else [])]
    related = settle_relations(pl.concat(told or [no_relations()]), pl.concat(known))
    return replace(related, rejected=pl.concat([broken, related.rejected]))


def _read_campaigns(
    source: Source | None, shop: ShopConfig
) -> tuple[tuple[Campaign, ...], pl.DataFrame]:
    if source is None:
        return (), no_rejected()
    return read_campaigns(read_table(source), shop, file=source.name)


def _unused(
    unused: tuple[str, ...], catalogue: Items | None, table: Table, shop: ShopConfig
) -> tuple[str, ...]:
    """Leave out what tells of the items, of what the events do not use."""
    told = [] if catalogue else [*shop.items.columns.values(), *shop.items.attributes]
    names = {
        name for source in (*told, shop.log.shown) for name in columns_of(source, table.columns)
    }
    return tuple(
        column
        for column in unused
        if not any(name == column or name.startswith(f"{column}.") for name in names)
    )


def _say_aside(parted: Parted) -> tuple[str, ...]:
    if parted.aside.is_empty():
        return ()
    return (f"Rows of kinds that are no events here (ignore): {parted.aside.height:,}.",)


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
    further = (
        sources.items,
        sources.relations,
        sources.campaigns,
        sources.decisions,
        sources.subjects,
        sources.shop,
    )
    return tuple(file.name for file in (*sources.events, *further) if file is not None)


def _say_left(sources: Sources) -> tuple[str, ...]:
    names = ", ".join(file.name for file in sources.left)
    return (f"Not read: {names}.",) if names else ()
