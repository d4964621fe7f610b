"""Who stands in the lists: coverage, inequality, and the share of the many seldom wanted items."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.errors import LogError

Rows = NDArray[np.integer[Any]]


def exposure(lists: Rows, num_items: int) -> NDArray[np.int64]:
    """Count the list places that each item holds; -1 in a list is no item."""
    return np.bincount(lists[lists >= 0].ravel(), minlength=num_items).astype(np.int64)


def coverage(lists: Rows, num_items: int) -> float:
    """Return the share of the catalogue that stands in at least one list."""
    return float(len(np.unique(lists[lists >= 0])) / num_items)


def gini(counts: NDArray[Any]) -> float:
    """Return the Gini coefficient: 0 if all hold the same, near 1 if one holds everything.

    Raises:
        LogError: nobody holds anything.
    """
    held = np.sort(np.asarray(counts, dtype=np.float64))
    if not held.sum():
        raise LogError("Inequality needs something that is shared out; all counts are 0.")
    places = np.arange(1, len(held) + 1)
    return float((2 * places - len(held) - 1) @ held / (len(held) * held.sum()))


def popularity_tenths(counts: NDArray[Any]) -> NDArray[np.int64]:
    """Number the tenths of the items, 1 to 10: tenth 1 is what most people want.

    Equal counts stand by row; fewer than ten items leave tenths empty.
    """
    place = np.empty(len(counts), dtype=np.int64)
    place[np.argsort(-np.asarray(counts), kind="stable")] = np.arange(len(counts))
    return place * 10 // max(len(counts), 1) + 1
