"""Items sorted by one of their fields: a task can ask of which sort the next one will be."""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from endcap.features.items import FieldVocabulary, field_values
from endcap.schema import Catalogue, NextCategory, Task, leaf_category, top_category

MAX_GROUPS = 128


def group_names(vocabulary: FieldVocabulary, of: str = "category") -> tuple[str, ...]:
    """Name the groups that `item_groups` numbers, the first one being number 1."""
    (_, names), edges = _named(vocabulary, of), _edges(vocabulary, of)
    if edges is None:
        return tuple(names)
    unit = 1e6 if of == "price" else 1.0
    bands = _band_names([float(np.exp(edge)) / unit for edge in edges])
    return tuple(bands[int(name)] for name in names)


def item_groups(
    catalogue: Catalogue, vocabulary: FieldVocabulary, of: str = "category"
) -> NDArray[np.int64]:
    """Return each item's group, [V]; 0 for one that training days do not tell of."""
    start, names = _named(vocabulary, of)
    numbers = {start + name: number for number, name in enumerate(names, start=1)}
    groups = np.zeros(catalogue.num_items, dtype=np.int64)
    for row in range(catalogue.num_items) if numbers else ():
        if of == "category":
            path = str(catalogue.categories[row])
            values = [f"leaf={leaf_category(path)}", f"category={top_category(path)}"]
        else:
            values = [value for _, value in field_values(catalogue, row, vocabulary)]
        groups[row] = next((numbers[value] for value in values if value in numbers), 0)
    return groups


def kinds_of(
    catalogue: Catalogue,
    vocabulary: FieldVocabulary,
    tasks: Iterable[Task],
    groups: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return each item's group in every task that asks of which kind the next one is, [V, K].

    Args:
        groups: `item_groups` by category, [V].
    """
    asked = [task.of for task in tasks if isinstance(task, NextCategory)]
    by_field = {"category": groups} | {
        of: item_groups(catalogue, vocabulary, of) for of in set(asked) - {"category"}
    }
    none = np.zeros((catalogue.num_items, 0), dtype=np.int64)
    return np.stack([by_field[of] for of in asked], axis=1) if asked else none


def _named(vocabulary: FieldVocabulary, of: str) -> tuple[str, list[str]]:
    """Return how a field's columns of the vocabulary begin, and how each goes on.

    None go on where there are more than 128. Of categories they are the leaves, or the top ones
    where leaves are many; of an amount its bands, in order, without "unknown".
    """
    for start in _starts(of):
        names = [v.removeprefix(start) for v in vocabulary.columns if v.startswith(start)]
        if _edges(vocabulary, of) is not None:
            names = sorted((name for name in names if name.isdigit()), key=int)
        if 0 < len(names) <= MAX_GROUPS:
            return start, names
    return "", []


def _starts(of: str) -> tuple[str, ...]:
    """Say how a field's columns of the vocabulary begin, the finest first."""
    if of == "category":
        return "leaf=", "category="
    return (f"{of}=",) if of in ("brand", "seller", "price") else (f"attribute={of}=",)


def _edges(vocabulary: FieldVocabulary, of: str) -> list[float] | None:
    """Return the edges of the bands of an amount, as logarithms; None of what is no amount."""
    return vocabulary.price_edges if of == "price" else vocabulary.number_edges.get(of)


def _band_names(edges: list[float]) -> list[str]:
    """Name bands by their ends; an amount at an end belongs to the band below."""
    if not edges:
        return ["any"]
    between = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges)]
    return [f"up to {edges[0]:.4g}", *between, f"over {edges[-1]:.4g}"]
