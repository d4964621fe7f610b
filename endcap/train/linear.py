"""The linear item-to-item memory: what speaks for an item, all others of a shopper being known."""

import numpy as np
import scipy.sparse as sp

from endcap.features import ease_weights
from endcap.schema import Dataset, Split
from endcap.train.graph import seen_events

MAX_ITEMS = 4_000
"""The items that most shoppers met; of the others nothing linear is known."""
RIDGE = 500.0
"""Chosen on validation days of Online Retail; 200 and 1,000 do as well (docs/experiments.md)."""
NUM_KEPT = 50


def linear_memory(dataset: Dataset, until: Split = Split.TRAIN) -> sp.csr_matrix:
    """Return B [V, V] of `ease_weights` up to a split's end, each row's 50 largest in size."""
    seen = _seen(dataset, until)
    met = np.asarray(seen.sum(axis=0)).ravel()
    # Ties go to the smaller row, whatever the machine sorts by.
    items = np.sort(np.argsort(-met, kind="stable")[:MAX_ITEMS])
    items = items[met[items] > 0]
    size = len(met)
    if len(items) == 0:
        return sp.csr_matrix((size, size), dtype=np.float32)
    weights = ease_weights(seen[:, items], RIDGE)
    kept = np.argsort(-np.abs(weights), axis=1, kind="stable")[:, :NUM_KEPT]
    rows = np.repeat(items, kept.shape[1])
    values = np.take_along_axis(weights, kept, axis=1).ravel()
    return sp.csr_matrix((values, (rows, items[kept].ravel())), shape=(size, size))


def _seen(dataset: Dataset, until: Split) -> sp.csr_matrix:
    """Return [U, V] 1 where a shopper met an item."""
    events = seen_events(dataset, until)
    ones = np.ones(len(events.item), dtype=np.float32)
    shape = (dataset.histories.num_users, events.size)
    seen = sp.csr_matrix((ones, (events.user, events.item)), shape=shape)
    seen.sum_duplicates()
    seen.data[:] = 1.0
    return seen
