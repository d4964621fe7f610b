"""Read a catalogue: what a shop tells of its items in a file of their own."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from endcap.errors import SchemaError
from endcap.prep import values
from endcap.prep.columns import ITEM_COLUMNS, find_columns, is_there, values_of
from endcap.prep.embeddings import check_lengths, read_vectors, side_by_side
from endcap.prep.item_columns import (
    ITEMS_SCHEMA,
    check_named,
    read_attributes,
    read_column,
    with_schema,
)
from endcap.prep.nested import names_of, reach
from endcap.prep.rejected import REJECTED, no_rejected
from endcap.prep.relations import relations_of
from endcap.prep.tables import FILE, ROW, Table
from endcap.schema import ShopConfig


@dataclass(frozen=True, kw_only=True)
class Items:
    """The catalogue by our columns, and what of it could not be read."""

    frame: pl.DataFrame
    rejected: pl.DataFrame
    columns: dict[str, str]
    relations: pl.DataFrame
    """What the catalogue's columns say that items are to one another (`relations.RELATIONS`)."""


def read_items(
    table: Table, shop: ShopConfig, *, file: str, elsewhere: Sequence[str] = ()
) -> Items:
    """Read a catalogue; a value that cannot be read is unknown, and listed with the rejected.

    Args:
        elsewhere: columns of the log; what is declared of these alone is not asked of this file.

    Raises:
        SchemaError: there is no `item_id`, or a declared column is missing.
    """
    declared = shop.items.columns
    further = (*shop.items.attributes, *shop.items.embeddings, *shop.items.relations.values())
    names = names_of([*declared.values(), *further], table.columns)
    table = reach(table, names, file=file)
    found = table.columns
    declared = {name: source for name, source in declared.items()
                if is_there(source, found) or not is_there(source, elsewhere)}  # fmt: skip
    sources = find_columns(ITEM_COLUMNS, declared, found, file=file)
    if "item_id" not in sources:
        raise SchemaError(
            f"{file} needs a column for item_id, but has only {', '.join(found)}; name it in "
            f'shop.toml under [items.columns], for example item_id = "sku".'
        )
    frame = table.frame.select(FILE, ROW)
    problems = [table.broken]
    for column in ITEM_COLUMNS:
        if column.name in sources and column.name not in ("tags", "attributes", "embedding"):
            raw = values_of(table.frame, sources[column.name], shop.items.missing)
            read, reason = read_column(raw, column, shop, source=sources[column.name])
            frame = frame.with_columns(read.alias(column.stored))
            problems.append(_problems(table, raw, reason))
    frame = frame.with_columns(read_attributes(table, sources, shop, file=file))
    embedding, unread = _embeddings(table, frame["item_id"], sources, shop, file=file)
    if embedding is not None:
        frame = frame.with_columns(embedding.alias("embedding"))
    if "categories" in frame.columns:
        frame, cycles = _without_cycles(frame)
        problems.append(cycles)
    related = relations_of(table, frame["item_id"], shop.items.relations, file=file)
    bad, frame = _part_ids(with_schema(frame))
    return Items(
        frame=frame,
        rejected=pl.concat([*problems, *unread, bad]),
        columns=sources,
        relations=related,
    )


def _embeddings(
    table: Table, items: pl.Series, sources: dict[str, str], shop: ShopConfig, *, file: str
) -> tuple[pl.Series | None, list[pl.DataFrame]]:
    """Read the shop's own vectors, side by side."""
    check_named("embeddings", shop.items.embeddings, table, file=file)
    own = (sources["embedding"],) if "embedding" in sources else ()
    columns, problems = [], []
    for source in (*own, *shop.items.embeddings):
        raw = values_of(table.frame, source, shop.items.missing)
        vectors, reason = read_vectors(raw, source)
        problems.append(_problems(table, raw, reason))
        length = check_lengths(vectors, items, column=source, file=file)
        if length:
            columns.append((vectors, length))
    return (side_by_side(columns) if columns else None), problems


def _without_cycles(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Cut a category path where a level comes again, and say so."""
    raw = frame["categories"]
    cut = [_cut(text) for text in raw]
    goes_round = pl.Series([before != after for before, after in zip(raw, cut, strict=True)])
    changed = frame.filter(goes_round).select(
        pl.col(FILE).alias("file"),
        pl.col(ROW).alias("row"),
        pl.lit("a category path goes round, read up to the level that comes again").alias("reason"),
        pl.col("categories").alias("raw"),
    )
    texts = pl.Series("categories", cut, dtype=pl.String)
    return frame.with_columns(texts), changed.cast(REJECTED)


def _cut(text: str | None) -> str | None:
    if text is None or ">" not in text:
        return text
    paths = []
    for path in text.split("|"):
        levels = [level.strip() for level in path.split(">")]
        first = next((at for at, level in enumerate(levels) if level in levels[:at]), None)
        paths.append(path if first is None else " > ".join(levels[:first]))
    return "|".join(paths)


def _part_ids(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keep the first row of each id."""
    item = pl.col("item_id")
    reason = (
        pl.when(item.is_null())
        .then(pl.lit("no item_id"))
        .when(~item.is_first_distinct())
        .then(pl.lit("item_id occurs twice"))
    )
    frame = frame.with_columns(reason.alias("reason"))
    bad = frame.filter(pl.col("reason").is_not_null()).select(
        pl.col(FILE).alias("file"), pl.col(ROW).alias("row"), "reason", item.alias("raw")
    )
    return bad, frame.filter(pl.col("reason").is_null()).select(*ITEMS_SCHEMA)


def _problems(table: Table, raw: pl.Series, reason: pl.Series) -> pl.DataFrame:
    bad = reason.is_not_null()
    if not bad.any():
        return no_rejected()
    rows, raw = table.frame.filter(bad), raw.filter(bad)
    written = values.read_text(raw) if raw.dtype.is_nested() else raw.cast(pl.String)
    return pl.DataFrame(
        {"file": rows[FILE], "row": rows[ROW], "reason": reason.filter(bad) + ", read as unknown",
         "raw": written}, schema=REJECTED)  # fmt: skip
