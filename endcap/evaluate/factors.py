"""Linear models of the users x items matrix: EASE and implicit alternating least squares."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from endcap.evaluate.scorers import LinearScorer
from endcap.evaluate.table import EventTable
from endcap.features import ease_weights


@dataclass(frozen=True, kw_only=True)
class Ease:
    """A shallow autoencoder in closed form; see `ease_weights`."""

    ridge: float = 250.0

    name: str = "EASE"

    def fit(self, training: EventTable, history: EventTable) -> LinearScorer:
        """Invert the Gram matrix of the items that have training rows."""
        seen = training.matrix()
        known = np.flatnonzero(seen.sum(axis=0) > 0)
        weights = ease_weights(seen[:, known], self.ridge)
        users = history.matrix()[:, known].astype(np.float32)
        return _widen(self.name, users, weights, known, history.num_items)


@dataclass(frozen=True, kw_only=True)
class Als:
    """Implicit matrix factorisation (Hu, Koren and Volinsky 2008), confidence 1 + alpha x."""

    dim: int = 64
    alpha: float = 1.0
    ridge: float = 30.0
    sweeps: int = 12
    seed: int = 0

    name: str = "iALS"

    def fit(self, training: EventTable, history: EventTable) -> LinearScorer:
        """Alternate exact least squares; users are folded in from their histories."""
        seen = training.matrix()
        rng = np.random.default_rng(self.seed)
        items = rng.normal(0.0, 0.01, size=(seen.shape[1], self.dim))
        by_item = seen.T.tocsr()
        for _ in range(self.sweeps):
            users = self._solve(seen, items)
            items = self._solve(by_item, users)
        return LinearScorer(
            name=self.name, users=self._solve(history.matrix(), items), items=items.T
        )

    def _solve(self, seen: sparse.csr_array, other: NDArray[np.float64]) -> NDArray[np.float64]:
        """Solve (Y'Y + ridge I + alpha Y_u'Y_u) x = (1 + alpha) sum Y_u for every row u."""
        shared = other.T @ other + self.ridge * np.eye(self.dim)
        solved = np.zeros((seen.shape[0], self.dim))
        for row in np.flatnonzero(np.diff(seen.indptr)):
            own = other[seen.indices[seen.indptr[row] : seen.indptr[row + 1]]]
            left = shared + self.alpha * own.T @ own
            solved[row] = linalg.solve(
                left, (1.0 + self.alpha) * own.sum(axis=0), assume_a="pos", check_finite=False
            )
        return solved


def _widen(
    name: str,
    users: sparse.csr_array,
    known_items: NDArray[np.float32],
    known: NDArray[np.int64],
    num_items: int,
) -> LinearScorer:
    """Give items without training rows a column of zeros."""
    if len(known) == num_items:
        return LinearScorer(name=name, users=users, items=known_items)
    items = np.zeros((len(known), num_items), dtype=np.float32)
    items[:, known] = known_items
    return LinearScorer(name=name, users=users, items=items)
