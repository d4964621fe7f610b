"""Item to item: who had this also had that."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from endcap.evaluate.scorers import LinearScorer
from endcap.evaluate.table import EventTable

Weighing = Literal["binary", "bm25"]


@dataclass(frozen=True, kw_only=True)
class ItemKnn:
    """Items like those of the user's history (Sarwar et al. 2001).

    `binary`: w_ij = G_ij / (sqrt(n_i n_j) + shrink), G = X'X of the binary users x items matrix.
    `bm25`: the same on X weighed by BM25 (k1 1.2, b 0.75: users as words, items as documents),
    without the division.
    """

    neighbours: int = 200
    shrink: float = 10.0
    weighing: Weighing = "binary"

    @property
    def name(self) -> str:
        """Name the row of the table."""
        return "item-kNN" if self.weighing == "binary" else "item-kNN, BM25"

    def fit(self, training: EventTable, history: EventTable) -> LinearScorer:
        """Keep what is nearest to every item: a history item speaks for its neighbours alone."""
        seen = training.matrix()
        weighed = seen if self.weighing == "binary" else bm25(seen)
        together = sparse.csr_array(weighed.T @ weighed)
        together.setdiag(0)
        together.eliminate_zeros()
        if self.weighing == "binary":
            count = seen.sum(axis=0)
            rows = np.repeat(np.arange(len(count)), np.diff(together.indptr))
            together.data /= np.sqrt(count[rows] * count[together.indices]) + self.shrink
        near = largest_per_row(together, self.neighbours)
        return LinearScorer(name=self.name, users=history.matrix(), items=near)


def bm25(seen: sparse.csr_array, *, k1: float = 1.2, b: float = 0.75) -> sparse.csr_array:
    """Weigh a users x items matrix as words x documents (Robertson and Zaragoza 2009)."""
    num_items = seen.shape[1]
    inverse = np.log(num_items) - np.log1p(seen.sum(axis=1))
    length = seen.sum(axis=0)
    norm = 1.0 - b + b * length / max(length.mean(), 1e-12)
    weighed = seen.copy()
    rows = np.repeat(np.arange(seen.shape[0]), np.diff(seen.indptr))
    weighed.data = seen.data * (k1 + 1.0) / (k1 * norm[seen.indices] + seen.data) * inverse[rows]
    return weighed


def largest_per_row(matrix: sparse.csr_array, count: int) -> sparse.csr_array:
    """Keep the `count` largest entries of every row; equal ones by column."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((matrix.indices, -matrix.data, rows))
    place = np.arange(len(order)) - matrix.indptr[rows[order]]
    kept = order[place < count]
    return sparse.csr_array(
        (matrix.data[kept], (rows[kept], matrix.indices[kept])), shape=matrix.shape
    )


@dataclass(frozen=True, kw_only=True)
class ForwardCooccurrence:
    """What came after what: a directional item-to-item memory.

    F_ji adds `distance^-exponent` for every training pair "j before i" of one user, at most
    `window` events apart and never within one instant; S_ji = F_ji / sqrt(n_j n_i). A user's
    score of i is the sum over the last `window` events of `decay^age` S_ji. Distance and age
    count instants.
    """

    window: int = 50
    exponent: float = 0.5
    decay: float = 0.75

    name: str = "forward co-occurrence"

    def fit(self, training: EventTable, history: EventTable) -> LinearScorer:
        """Count forward pairs, and weigh the end of every history."""
        return LinearScorer(
            name=self.name, users=self._recent(history), items=self._followers(training)
        )

    def _followers(self, table: EventTable) -> sparse.csr_array:
        group = instant_index(table)
        shape = (table.num_items, table.num_items)
        forward = sparse.csr_array(shape)
        for distance in range(1, self.window + 1):
            before, after = slice(None, -distance), slice(distance, None)
            apart = group[after] - group[before]
            pair = np.flatnonzero((table.user[before] == table.user[after]) & (apart > 0))
            weight = apart[pair].astype(np.float64) ** -self.exponent
            at = (table.item[pair], table.item[pair + distance])
            forward = forward + sparse.csr_array((weight, at), shape=shape)
        count = np.maximum(np.bincount(table.item, minlength=table.num_items), 1)
        scale = sparse.diags_array(count**-0.5)
        return sparse.csr_array(scale @ forward @ scale)

    def _recent(self, table: EventTable) -> sparse.csr_array:
        group = instant_index(table)
        rows = table.latest(self.window)
        last = np.searchsorted(table.user, table.user[rows], side="right") - 1
        age = group[last] - group[rows]
        return table.matrix(self.decay ** age.astype(np.float64), rows)


def instant_index(table: EventTable) -> NDArray[np.int64]:
    """Number the instants through all users: events of one user and instant share a number."""
    opens = (np.diff(table.user) != 0) | (np.diff(table.instant) != 0)
    return np.concatenate([np.zeros(min(1, len(table.user)), np.int64), np.cumsum(opens)])
