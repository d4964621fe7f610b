"""Read a shop's log: find its files, map its columns, check its rows, and say what was found."""

from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from endcap.prep import rejected as side_file
from endcap.prep.campaigns import read_campaigns
from endcap.prep.canonical import EVENTS_SCHEMA
from endcap.prep.catalogue import Items, read_items
from endcap.prep.checks import check_learnable
from endcap.prep.columns import columns_of
from endcap.prep.decisions import Shown, read_decisions, read_subjects
from endcap.prep.gather import ORDER, Asked, Gathered, gather
from endcap.prep.rejected import no_rejected
from endcap.prep.relations import Related, no_relations, read_relations, settle_relations
from endcap.prep.report import Found, LogReport, make_report
from endcap.prep.settle import Shop, check_format
from endcap.prep.shelves import Shelves
from endcap.prep.sources import Source, Sources, find_sources, source_of
from endcap.prep.sql import Database
from endcap.prep.tables import Table, read_table
from endcap.prep.tally import count_events
from endcap.schema import Campaign, Campaigns, ShopConfig


@dataclass(frozen=True, kw_only=True)
class Log:
    """A checked log: good rows in our columns, what else the shop told, and what was rejected."""

    shelves: Shelves
    """The events with `ORDER`, each shopper's on one shelf; those of a large log lie on disk."""
    items: pl.DataFrame | None
    """The catalogue (`item_columns.ITEMS_SCHEMA`), or what the log itself tells of its items."""
    relations: pl.DataFrame
    """What items are to one another: `item_id`, `relation`, `other_item_id`."""
    campaigns: Campaigns
    shop: ShopConfig
    report: LogReport
    rejected: pl.DataFrame
    """`file`, `row`, `reason` and the `raw` row of everything that was not read."""

    @property
    def events(self) -> pl.DataFrame:
        """One row per event, in the files' order; `canonical.EVENTS_SCHEMA` names the columns."""
        return pl.concat(list(self.shelves.each())).sort(ORDER).drop(ORDER)

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
    listed = read_table(sources.items) if sources.items is not None else None
    gathered = gather(Asked(sources=sources, file=file, shop=shop, format=format, listed=listed))
    config, rejected = gathered.shop, gathered.rejected
    if not gathered.rows or not gathered.columns:
        check_learnable({"user": 0, "item": 0}, pl.concat(rejected), rows=gathered.rows, file=file)
    catalogue = _read_items(listed, sources.items, config, gathered.found)
    told = catalogue.frame if catalogue else gathered.items
    shown = _add_decisions(gathered.shelves, sources, config)
    if not gathered.shelves.height:
        check_learnable({"user": 0, "item": 0}, pl.concat(rejected), rows=gathered.rows, file=file)
    tally = count_events(gathered.shelves, config)
    counts = {"user": tally.users, "item": tally.items}
    check_learnable(counts, pl.concat(rejected), rows=gathered.rows, file=file)
    campaign_rows, bad_campaigns = _read_campaigns(sources.campaigns, config)
    related = _relations(sources.relations, catalogue, told, gathered.shelves)
    rejected = [*rejected, bad_campaigns, shown.rejected, related.rejected]
    whole = pl.concat([*rejected, catalogue.rejected] if catalogue else rejected)
    found = Found(
        files=_names(sources),
        rows=gathered.rows,
        catalogue_items=told.height if told is not None else 0,
        campaigns=len(campaign_rows),
        columns=gathered.columns,
        item_columns=catalogue.columns if catalogue else dict(config.items.columns),
        unused=_unused(gathered, catalogue),
        notes=(*gathered.notes, *_say_left(sources), *_say_aside(gathered.aside),
               *gathered.told, *shown.notes, *related.notes),
    )  # fmt: skip
    return Log(
        shelves=gathered.shelves,
        items=told,
        relations=related.pairs,
        campaigns=Campaigns(rows=campaign_rows),
        shop=config,
        report=make_report(tally, whole, config, found),
        rejected=whole,
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


def _read_items(
    table: Table | None, source: Source | None, shop: ShopConfig, elsewhere: list[str]
) -> Items | None:
    if table is None or source is None:
        return None
    return read_items(table, shop, file=source.name, elsewhere=elsewhere)


def _relations(
    source: Path | None, catalogue: Items | None, items: pl.DataFrame | None, events: Shelves
) -> Related:
    """Gather what items are to one another, of those that the catalogue or the log holds."""
    told, broken = [catalogue.relations] if catalogue else [], no_rejected()
    if source is not None:
        table = read_table(source)
        told.append(read_relations(table, file=source.name))
        broken = table.broken
    if not any(frame.height for frame in told):
        return replace(
            settle_relations(no_relations(), pl.Series(dtype=pl.String)), rejected=broken
        )
    known = [shelf["item_id"].drop_nulls().unique() for shelf in events.each()]
    known += [items["item_id"]] if items is not None else []
    related = settle_relations(pl.concat(told or [no_relations()]), pl.concat(known))
    return replace(related, rejected=pl.concat([broken, related.rejected]))


def _read_campaigns(
    source: Source | None, shop: ShopConfig
) -> tuple[tuple[Campaign, ...], pl.DataFrame]:
    if source is None:
        return (), no_rejected()
    return read_campaigns(read_table(source), shop, file=source.name)


def _unused(gathered: Gathered, catalogue: Items | None) -> tuple[str, ...]:
    """Leave out what tells of the items, of what the events do not use."""
    shop = gathered.shop
    told = [] if catalogue else [*shop.items.columns.values(), *shop.items.attributes]
    names = {
        name for source in (*told, shop.log.shown) for name in columns_of(source, gathered.found)
    }
    return tuple(
        column
        for column in gathered.unused
        if not any(name == column or name.startswith(f"{column}.") for name in names)
    )


def _say_aside(count: int) -> tuple[str, ...]:
    return (f"Rows of kinds that are no events here (ignore): {count:,}.",) if count else ()


def _add_decisions(shelves: Shelves, sources: Sources, shop: ShopConfig) -> Shown:
    """Add what logged pages showed, for pages whose impressions the events do not tell."""
    if sources.decisions is None or sources.subjects is None:
        nothing = pl.DataFrame(schema=EVENTS_SCHEMA)
        told = sources.decisions is not None
        notes = ("decisions.jsonl is not read: no subjects file names its users.",) * told
        return Shown(events=nothing, rejected=no_rejected(), notes=notes)
    users = read_subjects(read_table(sources.subjects), file=sources.subjects.name)
    (events,) = shelves.each()  # such a log is read whole
    shown = pl.col("event_type") == "impression"
    known = set(events.filter(shown)["decision_id"].drop_nulls().to_list())
    pages = read_decisions(sources.decisions, users, known, shop)
    shelves.put(pages.events.with_row_index(ORDER, offset=events.height), pl.lit(0))
    return pages


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
