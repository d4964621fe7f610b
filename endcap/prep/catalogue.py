"""Read what a shop tells of its items: a catalogue file, or columns of the log itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from endcap.errors import SchemaError
from endcap.prep import clock, values
from endcap.prep.columns import (
    ITEM_COLUMNS,
    TEXT_OF_ITEM,
    Column,
    find_columns,
    is_there,
    values_of,
)
from endcap.prep.embeddings import check_lengths, read_vectors, side_by_side
from endcap.prep.nested import decode, names_of, reach
from endcap.prep.rejected import REJECTED, no_rejected
from endcap.prep.relations import relations_of
from endcap.prep.tables import FILE, PLACE, ROW, Table
from endcap.schema import UNKNOWN, Catalogue, ShopConfig

ITEMS_SCHEMA: dict[str, pl.DataType] = {
    "item_id": pl.String(),
    "title": pl.String(),
    "description": pl.String(),
    "categories": pl.String(),
    "brand": pl.String(),
    "seller_id": pl.String(),
    "attributes": pl.List(pl.String()),
    "price_micros": pl.Int64(),
    "unit_cost_micros": pl.Int64(),
    "stock": pl.Int64(),
    "available": pl.Boolean(),
    "created_at_us": pl.Int64(),
    "embedding": pl.List(pl.Float32()),
}
"""The columns of `Log.items`; what is not told is null."""

VALUE_TYPES = ("text", "numbers")


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
            read, reason = _read_column(raw, column, shop, source=sources[column.name])
            frame = frame.with_columns(read.alias(column.stored))
            problems.append(_problems(table, raw, reason))
    frame = frame.with_columns(_attributes(table, sources, shop, file=file))
    embedding, unread = _embeddings(table, frame["item_id"], sources, shop, file=file)
    if embedding is not None:
        frame = frame.with_columns(embedding.alias("embedding"))
    if "categories" in frame.columns:
        frame, cycles = _without_cycles(frame)
        problems.append(cycles)
    related = relations_of(table, frame["item_id"], shop.items.relations, file=file)
    bad, frame = _part_ids(_with_schema(frame))
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
    _check_named("embeddings", shop.items.embeddings, table, file=file)
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


def items_of_log(table: Table, events: pl.DataFrame, shop: ShopConfig) -> pl.DataFrame | None:
    """Take what the log tells of its items from each one's earliest row that tells it.

    Items stand in order of first appearance, those of one instant by id.

    Args:
        events: `item_id`, `timestamp_us`, `FILE`, `ROW` and `PLACE` of rows that name an item.
    """
    rows = rows_that_tell(table, events, shop)
    return items_told(rows, shop) if rows is not None else None


def rows_that_tell(table: Table, events: pl.DataFrame, shop: ShopConfig) -> pl.DataFrame | None:
    """Put what rows tell of their items beside each one's id and time."""
    told = _told_by_log(table, shop)
    keys = [FILE, ROW, PLACE]
    if told.columns == keys:
        return None
    events = events.select(*keys, "item_id", "timestamp_us")
    rows = events.join(told, on=keys, how="left", maintain_order="left")
    return rows.filter(pl.col("item_id").is_not_null()).drop(keys)


def first_that_tell(rows: pl.DataFrame) -> pl.DataFrame:
    """Keep of each item's rows the first, and the first that tells each column, in time."""
    rows = rows.sort("timestamp_us", maintain_order=True).with_row_index("__at")
    names = [name for name in rows.columns if name not in ("__at", "item_id", "timestamp_us")]
    firsts = [pl.col("__at").filter(pl.col(name).is_not_null()).first().over("item_id")
              for name in names]  # fmt: skip
    firsts.append(pl.col("__at").first().over("item_id"))
    is_first = pl.any_horizontal([pl.col("__at").eq_missing(first) for first in firsts])
    return rows.filter(is_first).drop("__at")


def items_told(rows: pl.DataFrame, shop: ShopConfig) -> pl.DataFrame:
    """Gather rows that tell of items, one row per item."""
    rows = rows.sort("timestamp_us", maintain_order=True)
    numbers = shop.items.numbers
    names = [name for name in rows.columns if name not in ("item_id", "timestamp_us")]
    frame = rows.group_by("item_id", maintain_order=True).agg(
        pl.col("timestamp_us").first(), *(pl.col(name).drop_nulls().first() for name in names)
    )
    if numbers:
        lists = [pl.col("attributes").fill_null([])] if "attributes" in names else []
        amounts = pl.concat_list([f"number {name}" for name in numbers]).list.drop_nulls()
        frame = frame.with_columns(pl.concat_list(*lists, amounts).alias("attributes"))
    return _with_schema(frame.sort("timestamp_us", "item_id"))


def _told_by_log(table: Table, shop: ShopConfig) -> pl.DataFrame:
    """Read what a log's rows say of their items, as far as shop.toml declares it."""
    kinds = {column.name: column for column in ITEM_COLUMNS}
    told = table.frame.select(FILE, ROW, PLACE)
    for name in (*TEXT_OF_ITEM, "price"):
        source = shop.items.columns.get(name, "")
        if is_there(source, table.columns):
            raw = values_of(table.frame, source, shop.items.missing)
            read, _ = _read_column(raw, kinds[name], shop, source=source)
            told = told.with_columns(read.alias(kinds[name].stored))
    _check_named("numbers", shop.items.numbers, table, file="the log")
    told = told.with_columns(
        _texts(table.frame[name], name).list.first().alias(f"number {name}")
        for name in shop.items.numbers
    )
    attributes = [name for name in shop.items.attributes if name in table.columns]
    if attributes:
        lists = _side_by_side([_texts(table.frame[name], name) for name in attributes])
        told = told.with_columns(lists.set(lists.list.len() == 0, None))
    return told


def _with_schema(frame: pl.DataFrame) -> pl.DataFrame:
    absent = {name: dtype for name, dtype in ITEMS_SCHEMA.items() if name not in frame.columns}
    frame = frame.with_columns(
        pl.lit(None, dtype=dtype).alias(name) for name, dtype in absent.items()
    )
    kept = [name for name in (FILE, ROW) if name in frame.columns]
    return frame.select(*kept, *ITEMS_SCHEMA)


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


def _read_column(raw: pl.Series, column: Column, shop: ShopConfig, *, source: str) -> values.Read:
    name = column.name
    match column.kind:
        case "time":
            instants = clock.read_instants(raw, zone=shop.zone, name=source)
            bad = instants.is_null() & values.read_text(raw).is_not_null()
            return instants, values.name_cases(raw, (bad, f"{name} is no time"))
        case "money":
            return values.read_money(raw, name)
        case "whole":
            return values.read_whole(raw, name, least=-1 if name == "stock" else 0)
        case "flag":
            return values.read_flag(raw, name)
        case "texts":
            return _read_paths(raw), values.no_reasons(raw)
    return values.read_text(raw), values.no_reasons(raw)


def _read_paths(raw: pl.Series) -> pl.Series:
    """Read category paths: one text, or a list of paths joined by `|`."""
    lists = decode(raw)
    if isinstance(lists.dtype, pl.List):
        return lists.cast(pl.List(pl.String)).list.drop_nulls().list.join("|")
    return values.read_text(raw)


def _attributes(table: Table, sources: dict[str, str], shop: ShopConfig, *, file: str) -> pl.Series:
    """Gather `tag=x`, `attribute=y` and `name=value` texts of every item, in this order."""
    further = (*shop.items.attributes, *shop.items.numbers)
    _check_named("attributes", shop.items.attributes, table, file=file)
    _check_named("numbers", shop.items.numbers, table, file=file)
    parts = [_texts(values_of(table.frame, sources[name], shop.items.missing), label)
             for name, label in (("tags", "tag"), ("attributes", "attribute"))
             if name in sources]  # fmt: skip
    parts += [_texts(table.frame[name], name) for name in further]
    if not parts:
        nothing = pl.Series("attributes", [[]], dtype=pl.List(pl.String))
        return nothing.new_from_index(0, table.frame.height)
    return _side_by_side(parts)


def _side_by_side(lists: list[pl.Series]) -> pl.Series:
    frame = pl.DataFrame([one.alias(str(at)) for at, one in enumerate(lists)])
    return frame.select(pl.concat_list(pl.all()).alias("attributes")).to_series()


def _check_named(setting: str, names: Sequence[str], table: Table, *, file: str) -> None:
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise SchemaError(
            f"items.{setting} in shop.toml names {', '.join(missing)}, but {file} has the columns "
            f"{', '.join(table.columns)}; correct it."
        )


def _texts(raw: pl.Series, label: str) -> pl.Series:
    """Write a column as lists of `label=value`; a struct's fields name themselves.

    A struct of `text` and `numbers`, as the Google Retail API writes a value, is named outside.
    """
    label, raw = label.rsplit(".", 1)[-1], decode(raw)
    if isinstance(raw.dtype, pl.Struct):
        fields = raw.struct.unnest()
        typed = [name for name in VALUE_TYPES if name in fields.columns]
        if typed:
            return _side_by_side([_texts(fields[name], label) for name in typed])
        return _side_by_side([_texts(fields[name], name) for name in fields.columns])
    if isinstance(raw.dtype, pl.List):
        lists = raw.cast(pl.List(pl.String))
    else:
        lists = values.read_text(raw).str.split("|")
    value = pl.element().str.strip_chars()
    named = pl.when(value.str.contains("=", literal=True)).then(value).otherwise(
        pl.lit(f"{label}=") + value
    )  # fmt: skip
    kept = lists.fill_null([]).list.eval(named.filter(value.is_not_null() & (value != "")))
    return kept.alias(label)


def to_catalogue(
    items: pl.DataFrame | None, further: list[str], relations: pl.DataFrame | None = None
) -> Catalogue:
    """Write the catalogue's rows, then those of further items, of which only ids are known.

    Args:
        relations: `item_id`, `relation` and `other_item_id` of known items.
    """
    known = items if items is not None else pl.DataFrame(schema=ITEMS_SCHEMA)
    rest = Catalogue.of_ids(further)
    attributes = np.empty(known.height, dtype=object)
    attributes[:] = [tuple(texts or ()) for texts in known["attributes"].to_list()]
    item_ids = np.concatenate([_objects(known["item_id"]), rest.item_ids])
    return Catalogue(
        item_ids=item_ids,
        titles=np.concatenate([_objects(known["title"]), rest.titles]),
        descriptions=np.concatenate([_objects(known["description"]), rest.descriptions]),
        categories=np.concatenate([_objects(known["categories"]), rest.categories]),
        brands=np.concatenate([_objects(known["brand"]), rest.brands]),
        seller_ids=np.concatenate([_objects(known["seller_id"]), rest.seller_ids]),
        attributes=np.concatenate([attributes, rest.attributes]),
        price_micros=_numbers(known["price_micros"], UNKNOWN, rest.price_micros),
        unit_cost_micros=_numbers(known["unit_cost_micros"], UNKNOWN, rest.unit_cost_micros),
        stock=_numbers(known["stock"], UNKNOWN, rest.stock),
        available=np.concatenate([known["available"].fill_null(True).to_numpy(), rest.available]),
        created_at_us=_numbers(known["created_at_us"], 0, rest.created_at_us),
        embeddings=_vectors(known["embedding"], len(item_ids)),
        relations=_relations(item_ids.tolist(), relations),
    )


def _vectors(known: pl.Series, num_items: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    length = int(known.list.len().max() or 0)  # type: ignore[arg-type]
    vectors = np.full((num_items, length), np.nan, dtype=np.float32)
    if length:
        held = np.flatnonzero(known.is_not_null().to_numpy())
        vectors[held] = known.drop_nulls().explode().to_numpy().reshape(-1, length)
    return vectors


def _relations(
    item_ids: list[str], told: pl.DataFrame | None
) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    by_item: dict[str, tuple[str, ...]] = {}
    if told is not None:
        text = pl.format("{}={}", "relation", "other_item_id").alias("text")
        grouped = told.group_by("item_id", maintain_order=True).agg(text)
        by_item = {item_id: tuple(texts) for item_id, texts in grouped.rows()}
    related = np.empty(len(item_ids), dtype=object)
    related[:] = [by_item.get(item_id, ()) for item_id in item_ids]
    return related


def _objects(texts: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    column = np.empty(texts.len(), dtype=object)
    column[:] = texts.fill_null("").to_list()
    return column


def _numbers(
    known: pl.Series, unknown: int, rest: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.concatenate([known.fill_null(unknown).to_numpy().astype(np.int64), rest])
