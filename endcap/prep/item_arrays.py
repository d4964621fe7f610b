"""Items as the arrays of a `Catalogue`."""

import numpy as np
import polars as pl

from endcap.prep.item_columns import ITEMS_SCHEMA
from endcap.schema import UNKNOWN, Catalogue


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
