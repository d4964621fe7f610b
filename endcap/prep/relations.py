"""Read what items are to one another: a file of relations, or columns of the catalogue."""

from dataclasses import dataclass

import polars as pl

from endcap.errors import SchemaError
from endcap.prep import values
from endcap.prep.columns import Column, find_columns, values_of
from endcap.prep.nested import decode
from endcap.prep.rejected import REJECTED
from endcap.prep.tables import FILE, ROW, Table

RELATION_COLUMNS: tuple[Column, ...] = (
    Column(name="item_id", kind="text", synonyms=("product_id", "sku", "source", "from", "item")),
    Column(name="relation", kind="text", synonyms=("relation_type", "type", "kind", "predicate")),
    Column(
        name="other_item_id",
        kind="text",
        synonyms=("related_item_id", "related_id", "other_id", "other", "target", "to"),
    ),
)

RELATIONS = pl.Schema(
    {"file": pl.String, "row": pl.UInt32, "item_id": pl.String, "relation": pl.String,
     "other_item_id": pl.String}
)  # fmt: skip

UNKNOWN_ITEM = "a relation to an item that neither the catalogue nor the log holds"


def no_relations() -> pl.DataFrame:
    """Make an empty table of relations."""
    return pl.DataFrame(schema=RELATIONS)


@dataclass(frozen=True, kw_only=True)
class Related:
    """Relations between known items, and the rows that are none."""

    pairs: pl.DataFrame
    """`item_id`, `relation`, `other_item_id`."""
    rejected: pl.DataFrame
    notes: tuple[str, ...] = ()


def read_relations(table: Table, *, file: str) -> pl.DataFrame:
    """Read a file of relations, one a row.

    Raises:
        SchemaError: one of its three columns is missing.
    """
    sources = find_columns(RELATION_COLUMNS, {}, table.columns, file=file)
    missing = [column.name for column in RELATION_COLUMNS if column.name not in sources]
    if missing:
        raise SchemaError(
            f"{file} needs the columns item_id, relation and other_item_id, but has only "
            f"{', '.join(table.columns)}; add {', '.join(missing)}."
        )
    read = [
        values.read_text(values_of(table.frame, sources[column.name])).alias(column.name)
        for column in RELATION_COLUMNS
    ]
    place = table.frame.select(pl.col(FILE).alias("file"), pl.col(ROW).alias("row"))
    return place.with_columns(read).cast(RELATIONS).select(list(RELATIONS))


def relations_of(
    table: Table, items: pl.Series, relations: dict[str, str], *, file: str
) -> pl.DataFrame:
    """Read columns of the catalogue that list the ids of related items.

    Args:
        relations: kinds of relation and the columns that list the items.

    Raises:
        SchemaError: a declared column is missing.
    """
    parts = [no_relations()]
    for relation, source in relations.items():
        if source not in table.columns:
            raise SchemaError(
                f"items.relations in shop.toml reads {relation} from {source}, but {file} has the "
                f"columns {', '.join(table.columns)}; correct it."
            )
        raw = decode(table.frame[source])
        if isinstance(raw.dtype, pl.List | pl.Array):
            lists = raw.cast(pl.List(pl.String))
        else:
            lists = values.read_text(raw).str.split("|")
        spread = pl.DataFrame(
            {"file": table.frame[FILE], "row": table.frame[ROW], "item_id": items,
             "relation": [relation] * items.len(), "other_item_id": lists}
        ).explode("other_item_id")  # fmt: skip
        spread = spread.with_columns(pl.col("other_item_id").str.strip_chars())
        named = pl.col("other_item_id").is_not_null() & (pl.col("other_item_id") != "")
        parts.append(spread.filter(named).cast(RELATIONS).select(list(RELATIONS)))
    return pl.concat(parts)


def settle_relations(told: pl.DataFrame, known: pl.Series) -> Related:
    """Keep relations between known items; the others are listed with their reason.

    Raises:
        SchemaError: not one of them is between known items.
    """
    known = known.unique().implode()
    texts = ("item_id", "relation", "other_item_id")
    absent = pl.any_horizontal(pl.col(name).is_null() | (pl.col(name) == "") for name in texts)
    strange = ~(pl.col("item_id").is_in(known) & pl.col("other_item_id").is_in(known))
    reason = (
        pl.when(absent)
        .then(pl.lit("a relation needs item_id, relation and other_item_id"))
        .when(pl.col("relation").str.contains("=", literal=True))
        .then(pl.lit("a kind of relation may not hold ="))
        .when(strange)
        .then(pl.lit(UNKNOWN_ITEM))
    )
    told = told.with_columns(reason.alias("reason"))
    bad, good = told.filter(pl.col("reason").is_not_null()), told.filter(pl.col("reason").is_null())
    if good.is_empty() and not bad.is_empty():
        raise SchemaError(
            f"None of the {bad.height:,} relations is between known items: {_named(bad)}; write "
            f"ids as the log and the catalogue do."
        )
    raw = pl.format("{} {} {}", *(pl.col(name).fill_null("") for name in texts))
    rejected = bad.select("file", "row", "reason", raw.alias("raw")).cast(REJECTED)
    unknown = bad.filter(pl.col("reason") == UNKNOWN_ITEM)
    notes = () if unknown.is_empty() else (f"Left out, {UNKNOWN_ITEM}: {_named(unknown)}.",)
    return Related(pairs=good.select(texts).unique(maintain_order=True), rejected=rejected,
                   notes=notes)  # fmt: skip


def _named(bad: pl.DataFrame) -> str:
    first = bad.row(0, named=True)
    more = f" and {bad.height - 1:,} more" if bad.height > 1 else ""
    return (
        f"{first['item_id']} {first['relation']} {first['other_item_id']} "
        f"({first['file']}:{first['row']}){more}"
    )
