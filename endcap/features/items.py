"""An item as a sum of fields: one sparse row over field columns, so a new item works at once."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from endcap.features.ngrams import TEXT_BUCKETS, text_buckets
from endcap.schema import FIELD_NAMES, Catalogue, FieldMatrix, leaf_category, top_category

PRICE_BANDS = 10
NUMBER_BANDS = 16


class FieldVocabulary(Struct, frozen=True, kw_only=True):
    """The field values of training items, each a column; and the edges of the price bands.

    Fitted on items that training days met. A value first seen later has no column and is left out;
    text is hashed and always has one.
    """

    columns: dict[str, int]
    """`"brand=Acme"` to its column; hashed text buckets come after all of them."""
    price_edges: list[float]
    """Logarithms of prices in micros at the deciles of training items."""
    number_edges: dict[str, list[float]] = {}
    """The same of further amounts (`items.numbers` of shop.toml), by their names, in 16 bands."""
    embedding_mean: list[float] = []
    """Of each number of the shop's own vectors (`features.related`)."""
    embedding_scale: list[float] = []
    relations: list[str] = []
    """Kinds of relation between items, each from both sides."""

    @property
    def num_columns(self) -> int:
        """Count the columns, text buckets included."""
        return len(self.columns) + TEXT_BUCKETS

    @staticmethod
    def fit(
        catalogue: Catalogue, in_training: NDArray[np.bool_], numbers: Sequence[str] = ()
    ) -> "FieldVocabulary":
        """Collect the values of the items that training days met.

        Args:
            numbers: attributes that hold an amount, to be read in bands.
        """
        prices = catalogue.price_micros[in_training & (catalogue.price_micros > 0)]
        edges: list[float] = []
        if len(prices):
            quantiles = np.linspace(0, 1, PRICE_BANDS + 1)[1:-1]
            edges = [float(x) for x in np.unique(np.quantile(np.log(prices), quantiles))]
        amounts = [amounts_of(catalogue, int(row)) for row in np.flatnonzero(in_training)]
        number_edges = {name: _edges([a[name] for a in amounts if name in a]) for name in numbers}
        vocabulary = FieldVocabulary(columns={}, price_edges=edges, number_edges=number_edges)
        columns: dict[str, int] = {}
        for row in np.flatnonzero(in_training):
            for _, value in field_values(catalogue, int(row), vocabulary):
                columns.setdefault(value, len(columns))
        return structs.replace(vocabulary, columns=columns)


def field_matrix(
    catalogue: Catalogue, vocabulary: FieldVocabulary, rows: NDArray[np.int64] | None = None
) -> FieldMatrix:
    """Build the rows of items over field columns; the weights of one field sum to 1 per item."""
    wanted = np.arange(catalogue.num_items) if rows is None else rows
    indptr: list[int] = [0]
    indices: list[int] = []
    weights: list[float] = []
    fields: list[int] = []
    for row in wanted:
        for name, columns in _columns_by_field(catalogue, int(row), vocabulary).items():
            indices.extend(columns)
            weights.extend(columns.values())
            fields.extend([FIELD_NAMES.index(name)] * len(columns))
        indptr.append(len(indices))
    return FieldMatrix(
        indptr=np.array(indptr, dtype=np.int64),
        indices=np.array(indices, dtype=np.int64),
        weights=np.array(weights, dtype=np.float32),
        fields=np.array(fields, dtype=np.uint8),
        num_columns=vocabulary.num_columns,
    )


def _columns_by_field(
    catalogue: Catalogue, row: int, vocabulary: FieldVocabulary
) -> dict[str, dict[int, float]]:
    """Return each field's columns and their weights, which sum to 1."""
    found: dict[str, list[int]] = {}
    for name, value in field_values(catalogue, row, vocabulary):
        column = vocabulary.columns.get(value)
        if column is not None:
            found.setdefault(name, []).append(column)
    weighed = {name: _evenly([columns]) for name, columns in found.items()}
    # The title counts as much as the description: a long one must not drown it.
    told = (catalogue.titles[row], catalogue.descriptions[row])
    texts = [text_buckets(str(text)) for text in told]
    start = len(vocabulary.columns)
    if shares := _evenly([[start + bucket for bucket in buckets] for buckets in texts if buckets]):
        weighed["text"] = shares
    return weighed


def _evenly(parts: list[list[int]]) -> dict[int, float]:
    """Give each part the same weight, and each column the same of its part's."""
    shares: dict[int, float] = {}
    for columns in parts:
        for column in columns:
            shares[column] = shares.get(column, 0.0) + 1.0 / (len(parts) * len(columns))
    return shares


def field_values(
    catalogue: Catalogue, row: int, vocabulary: FieldVocabulary
) -> Iterator[tuple[str, str]]:
    """Yield the names of an item's fields, and the columns of the vocabulary that they ask for."""
    path = str(catalogue.categories[row])
    if path:
        yield "category", f"category={top_category(path)}"
        yield "leaf", f"leaf={leaf_category(path)}"
    if catalogue.brands[row]:
        yield "brand", f"brand={catalogue.brands[row]}"
    if catalogue.seller_ids[row]:
        yield "seller", f"seller={catalogue.seller_ids[row]}"
    price = int(catalogue.price_micros[row])
    if price > 0:
        yield "price", f"price={int(np.searchsorted(vocabulary.price_edges, np.log(price)))}"
    for attribute in catalogue.attributes[row]:
        if attribute.partition("=")[0] not in vocabulary.number_edges:
            yield "attribute", f"attribute={attribute}"
    if vocabulary.number_edges:
        amounts = amounts_of(catalogue, row)
        for name, edges in vocabulary.number_edges.items():
            # That an amount is not told may tell as much as the amount.
            band = np.searchsorted(edges, amounts[name]) if name in amounts else "unknown"
            yield "attribute", f"attribute={name}={band}"


def amounts_of(catalogue: Catalogue, row: int) -> dict[str, float]:
    """Return the logarithms of an item's attributes that are amounts above 0, by name."""
    found = {}
    for attribute in catalogue.attributes[row]:
        name, _, text = attribute.partition("=")
        with suppress(ValueError):
            if 0 < float(text) < np.inf:
                found[name] = float(np.log(float(text)))
    return found


def _edges(amounts: list[float]) -> list[float]:
    if not amounts:
        return []
    quantiles = np.linspace(0, 1, NUMBER_BANDS + 1)[1:-1]
    return [float(x) for x in np.unique(np.quantile(amounts, quantiles))]


def codes(values: list[str]) -> NDArray[np.int64]:
    """Number texts so that equal texts have equal codes; the empty text is -1."""
    seen: dict[str, int] = {}
    return np.array(
        [seen.setdefault(value, len(seen)) if value else -1 for value in values], dtype=np.int64
    )
