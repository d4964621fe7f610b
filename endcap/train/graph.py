"""Which items follow which: the neighbour graph of the item table, and the item-to-item memory.

Both come from pairs of different instants alone: items of one basket say nothing here, since
nothing of an instant may help to predict that instant. And from training days alone, until
validation days have chosen what the memory weighs (`train.remembering`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from endcap.schema import Dataset, FieldMatrix, Split
from endcap.train.questions import NEXT_WEIGHT

REACH = 50
NUM_NEIGHBOURS = 20
NUM_REMEMBERED = 50
MAX_PAIRS = 50_000_000
"""So many pairs of items, some 2 GB at the worst, are counted at a time."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The events that tell which items go together, by user and time."""

    item: NDArray[np.int32]
    user: NDArray[np.int32]
    instant: NDArray[np.int64]
    size: int

    def pairs(self) -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.int32]]]:
        """Yield the items that come before, and those that come after, by distance."""
        for k in range(1, min(REACH, max(len(self.item) - 1, 0)) + 1):
            together = self.user[:-k] == self.user[k:]
            together &= self.instant[:-k] < self.instant[k:]
            yield k, self.item[:-k][together], self.item[k:][together]

    def count_pairs(self) -> int:
        """Count the pairs of one user, those of one instant as well."""
        lengths = np.bincount(self.user)
        return int(sum(np.maximum(lengths - k, 0).sum() for k in range(1, REACH + 1)))


def seen_events(dataset: Dataset, until: Split = Split.TRAIN) -> Seen:
    """Return the events, of training days or later ones too, in which shoppers met items."""
    events = dataset.histories.events
    used = (dataset.event_split <= until) & (events["item"] >= 0)
    used &= NEXT_WEIGHT[events["action"]] > 0
    return Seen(
        item=events["item"][used],
        user=dataset.histories.user_of_event()[used],
        instant=events["timestamp_us"][used] // dataset.shop.resolution_us,
        size=dataset.catalogue.num_items,
    )


def relate(dataset: Dataset, until: Split = Split.TRAIN) -> tuple[FieldMatrix, sp.csr_matrix]:
    """Return the neighbour graph and the item-to-item memory of a log, up to the end of a split.

    Where pairs are many they are counted for a range of items at a time, so that memory holds few.
    """
    seen = seen_events(dataset, until)
    parts = -(-seen.count_pairs() // MAX_PAIRS)
    if parts <= 1:
        near, forward, counts = co_occurrence(seen)
        return neighbour_graph(near), item_memory(forward, counts)
    counts = np.bincount(seen.item, minlength=seen.size)
    edges = np.searchsorted(np.cumsum(counts), np.arange(1, parts) * len(seen.item) / parts)
    graphs, memories = [], []
    for low, high in pairwise([0, *np.unique(edges[edges > 0]).tolist(), seen.size]):
        near, forward = _of_range(seen, low, high)
        graphs.append(largest_per_row(near, NUM_NEIGHBOURS))
        scaled = _scale(counts[low:high]) @ forward @ _scale(counts)
        memories.append(largest_per_row(sp.csr_matrix(scaled), NUM_REMEMBERED))
    return _as_weights(sp.vstack(graphs, format="csr")), sp.vstack(memories, format="csr")


def _of_range(seen: Seen, low: int, high: int) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Return the rows `low` to `high` of near + near.T and of forward (`co_occurrence`)."""
    shape = (high - low, seen.size)
    near, back, forward = (sp.csr_matrix(shape, dtype=np.float32) for _ in range(3))
    for distance, before, after in seen.pairs():
        counts = _count(before, after, low, high, shape)
        near = near + counts / np.float32(distance)
        forward = forward + counts / np.float32(np.sqrt(distance))
        back = back + _count(after, before, low, high, shape) / np.float32(distance)
    return sp.csr_matrix(near + back), forward


def _count(
    row: NDArray[np.int32], column: NDArray[np.int32], low: int, high: int, shape: tuple[int, int]
) -> sp.csr_matrix:
    inside = (row >= low) & (row < high)
    ones = np.ones(int(inside.sum()), dtype=np.float32)
    return sp.csr_matrix((ones, (row[inside] - low, column[inside])), shape=shape)


def co_occurrence(seen: Seen) -> tuple[sp.csr_matrix, sp.csr_matrix, NDArray[np.int64]]:
    """Count pairs "j before i" of one user at distance k = 1..50.

    Returns:
        near [V, V]: sum of 1 / k; forward [V, V]: sum of k^-.5; counts [V]: events.
    """
    shape = (seen.size, seen.size)
    near = sp.csr_matrix(shape, dtype=np.float32)
    forward = sp.csr_matrix(shape, dtype=np.float32)
    for distance, before, after in seen.pairs():
        counts = _count(before, after, 0, seen.size, shape)
        near = near + counts / np.float32(distance)
        forward = forward + counts / np.float32(np.sqrt(distance))
    return near, forward, np.bincount(seen.item, minlength=seen.size)


def neighbour_graph(near: sp.csr_matrix) -> FieldMatrix:
    """Keep each item's 20 nearest in both directions, rows summing to one (model.md 10.2)."""
    return _as_weights(largest_per_row(sp.csr_matrix(near + near.T), NUM_NEIGHBOURS))


def _as_weights(graph: sp.csr_matrix) -> FieldMatrix:
    totals = np.asarray(graph.sum(axis=1)).ravel()
    graph = sp.csr_matrix(sp.diags(1.0 / np.maximum(totals, 1e-9)) @ graph)
    return FieldMatrix(
        indptr=graph.indptr.astype(np.int64),
        indices=graph.indices.astype(np.int64),
        weights=graph.data.astype(np.float32),
        fields=np.zeros(graph.nnz, dtype=np.uint8),
        num_columns=graph.shape[1],
    )


def item_memory(forward: sp.csr_matrix, counts: NDArray[np.int64]) -> sp.csr_matrix:
    """Return S[j, i] = F[j, i] / sqrt(n_j n_i), each row's 50 largest (model.md 10.2)."""
    scale = _scale(counts)
    return largest_per_row(sp.csr_matrix(scale @ forward @ scale), NUM_REMEMBERED)


def _scale(counts: NDArray[np.int64]) -> sp.dia_matrix:
    return sp.diags(1.0 / np.sqrt(np.maximum(counts, 1)).astype(np.float32))


def largest_per_row(matrix: sp.csr_matrix, limit: int) -> sp.csr_matrix:
    """Keep the `limit` largest entries of every row; ties go to the smaller column."""
    matrix.sort_indices()
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((matrix.indices, -matrix.data, rows))
    rank = np.arange(len(order)) - matrix.indptr[rows[order]]
    kept = np.sort(order[rank < limit])
    return sp.csr_matrix(
        (matrix.data[kept], (rows[kept], matrix.indices[kept])), shape=matrix.shape
    )
