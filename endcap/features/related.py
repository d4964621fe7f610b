"""The shop's own vectors of items, and what items are to one another, as the model reads them."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from endcap.errors import SchemaError
from endcap.features.items import FieldVocabulary
from endcap.schema import Catalogue, FieldMatrix

BACKWARDS = ", backwards"
"""Ends the name of a relation that is read from the other item's side."""

LEAST_SPREAD = 1e-6


def embedding_scales(
    catalogue: Catalogue, in_training: NDArray[np.bool_]
) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation of each number, over training items that have it."""
    held = catalogue.embeddings[in_training].astype(np.float64)
    told = ~np.isnan(held)
    count = np.maximum(told.sum(axis=0), 1)
    mean = np.where(told, held, 0.0).sum(axis=0) / count
    variance = np.where(told, (held - mean) ** 2, 0.0).sum(axis=0) / count
    return mean.tolist(), np.sqrt(variance).tolist()


def embeddings_of(
    catalogue: Catalogue, vocabulary: FieldVocabulary, rows: NDArray[np.int64] | None = None
) -> NDArray[np.float32]:
    """Return [N, E] standardised numbers over the root of E; 0 where an item has none.

    A number that did not vary over training items says nothing, and is 0 as well.

    Raises:
        SchemaError: items hold vectors of another length than those of the fit.
    """
    found = catalogue.embeddings if rows is None else catalogue.embeddings[rows]
    length, given = len(vocabulary.embedding_mean), found.shape[1]
    if given == 0 or length == 0:
        return np.zeros((len(found), length), dtype=np.float32)
    if given != length:
        held = np.flatnonzero(~np.isnan(catalogue.embeddings).all(axis=1))
        named = catalogue.item_ids[held[0]] if len(held) else "items"
        raise SchemaError(
            f"The model was fitted with embeddings of {length} numbers, but {named} has {given}; "
            f"give later items vectors of the same kind, or fit again."
        )
    mean, scale = np.array(vocabulary.embedding_mean), np.array(vocabulary.embedding_scale)
    varies = scale > LEAST_SPREAD * np.maximum(np.abs(mean), 1.0)
    standard = (found - mean) / np.where(varies, scale, 1.0)
    told = np.where(np.isnan(standard) | ~varies, 0.0, standard)
    out: NDArray[np.float32] = (told / np.sqrt(length)).astype(np.float32)
    return out


def relation_kinds(catalogue: Catalogue, in_training: NDArray[np.bool_]) -> list[str]:
    """List the kinds of relation that training items are in, each from both sides."""
    pairs = _pairs(catalogue)
    kinds = {kind for row, kind, other in pairs if in_training[row] or in_training[other]}
    return [name for kind in sorted(kinds) for name in (kind, kind + BACKWARDS)]


def relation_matrices(catalogue: Catalogue, kinds: list[str]) -> dict[str, FieldMatrix]:
    """Return by kind which items an item is related to, [V, V], rows summing to one."""
    pairs: dict[str, set[tuple[int, int]]] = {kind: set() for kind in kinds}
    for row, kind, other in _pairs(catalogue) if kinds else ():
        if kind in pairs:
            pairs[kind].add((row, other))
            pairs[kind + BACKWARDS].add((other, row))
    return {kind: _matrix(sorted(found), catalogue.num_items) for kind, found in pairs.items()}


def _pairs(catalogue: Catalogue) -> Iterator[tuple[int, str, int]]:
    told = [row for row, related in enumerate(catalogue.relations) if related]
    row_of = catalogue.row_of() if told else {}
    for row in told:
        for text in catalogue.relations[row]:
            kind, _, item_id = text.partition("=")
            other = row_of.get(item_id, row)
            if other != row:
                yield row, kind, other


def _matrix(pairs: list[tuple[int, int]], size: int) -> FieldMatrix:
    row, other = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    counts = np.bincount(row, minlength=size)
    return FieldMatrix(
        indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        indices=other.copy(),
        weights=(1.0 / counts[row]).astype(np.float32),
        fields=np.zeros(len(row), dtype=np.uint8),
        num_columns=size,
    )
