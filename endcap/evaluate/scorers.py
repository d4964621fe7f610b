"""What can be ranked: anything that gives each user a score for every item."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from endcap.evaluate.table import EventTable

Scores = NDArray[np.floating[Any]]
Matrix = Any
"""A sparse array or a dense one: scipy does not say its types."""


class Scorer(Protocol):
    """A fitted recommender; a model plugs into every table by answering this one question."""

    @property
    def name(self) -> str:
        """Name the row of the table."""
        ...

    def scores(self, users: NDArray[np.int64]) -> Scores:
        """Score every item for some users: [B, V], higher is better, -inf for never."""
        ...


class Baseline(Protocol):
    """A recipe of a recommender that needs no training of a network."""

    @property
    def name(self) -> str:
        """Name the row of the table."""
        ...

    def fit(self, training: EventTable, history: EventTable) -> Scorer:
        """Learn counts from `training`, and read users' own past from `history`.

        They differ where a user's later events may be read but not learned from: leave-one-out
        tests after validation, or the days since a fit.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class LinearScorer:
    """Scores of the form `users[u] @ items + prior`; every baseline here has it."""

    name: str
    users: Matrix
    """[U, D] what a user did, or a user's factors."""
    items: Matrix | None = None
    """[D, V] what that says of each item; None is the identity."""
    prior: NDArray[np.float64] | None = None
    """[V] what holds for everybody."""

    def scores(self, users: NDArray[np.int64]) -> Scores:
        """Score every item for some users: [B, V]."""
        rows = self.users[users]
        product = rows if self.items is None else rows @ self.items
        dense: Scores = product.toarray() if sparse.issparse(product) else np.asarray(product)
        return dense if self.prior is None else dense + self.prior


@dataclass(frozen=True, kw_only=True)
class Blend:
    """A weighted sum of scorers, each divided by the user's largest score in size."""

    name: str
    parts: tuple[tuple[float, Scorer], ...]

    def scores(self, users: NDArray[np.int64]) -> Scores:
        """Score every item for some users: [B, V]."""
        total: Scores = np.zeros(())
        for weight, scorer in self.parts:
            part = scorer.scores(users).astype(np.float64)
            largest = np.abs(part).max(axis=1, keepdims=True)
            total = total + weight * part / np.where(largest > 0, largest, 1.0)
        return total
