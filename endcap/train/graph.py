"""Which items follow which: the neighbour graph of the item table, and the item-to-item memory.

Both come from training days alone, and from pairs of different instants alone: items of one basket
say nothing here, since nothing of an instant may help to predict that instant.
"""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from endcap.schema import Dataset, FieldMatrix, Split
from endcap.train.examples import NEXT_WEIGHT

REACH = 50
NUM_NEIGHBOURS = 20
NUM_REMEMBERED = 50


def co_occurrence(dataset: Dataset) -> tuple[sp.csr_matrix, sp.csr_matrix, NDArray[np.int64]]:
    """Count pairs "j before i" of one user at distance k = 1..50, in events of training days.

    Returns:
        near [V, V]: sum of 1 / k; forward [V, V]: sum of k^-.5; counts [V]: training events.
    """
    events = dataset.histories.events
    user = dataset.histories.user_of_event()
    used = (dataset.event_split == Split.TRAIN) & (events["item"] >= 0)
    used &= NEXT_WEIGHT[events["action"]] > 0
    item, user = events["item"][used], user[used]
    instant = events["timestamp_us"][used] // dataset.shop.resolution_us
    size = dataset.catalogue.num_items
    near = sp.csr_matrix((size, size), dtype=np.float32)
    forward = sp.csr_matrix((size, size), dtype=np.float32)
    for distance in range(1, min(REACH, max(len(item) - 1, 0)) + 1):
        pairs = (user[:-distance] == user[distance:]) & (instant[:-distance] < instant[distance:])
        before, after = item[:-distance][pairs], item[distance:][pairs]
        ones = np.ones(len(before), dtype=np.float32)
        counts = sp.csr_matrix((ones, (before, after)), shape=(size, size))
        near = near + counts / np.float32(distance)
        forward = forward + counts / np.float32(np.sqrt(distance))
    return near, forward, np.bincount(item, minlength=size)


def neighbour_graph(near: sp.csr_matrix) -> FieldMatrix:
    """Keep each item's 20 nearest in both directions, rows summing to one (model.md 10.2)."""
    graph = largest_per_row(sp.csr_matrix(near + near.T), NUM_NEIGHBOURS)
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
    scale = sp.diags(1.0 / np.sqrt(np.maximum(counts, 1)).astype(np.float32))
    return largest_per_row(sp.csr_matrix(scale @ forward @ scale), NUM_REMEMBERED)


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
