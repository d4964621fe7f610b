"""Is the right one more probable, and how surprising is the truth: AUC and log-loss."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.errors import LogError

Floats = NDArray[np.floating[Any]]
Labels = NDArray[Any]

CLIP = 1e-6
"""Log-loss moves probabilities into [CLIP, 1 - CLIP], so one sure mistake is not infinite."""


def auc(labels: Labels, predicted: Floats, weights: Floats | None = None) -> float:
    """Return P(a positive is predicted above a negative), ties 1/2 (Mann and Whitney 1947).

    Raises:
        LogError: all labels are the same.
    """
    return auc_statistic(labels, predicted)(np.ones(len(labels)) if weights is None else weights)


def auc_statistic(labels: Labels, predicted: Floats) -> Callable[[Floats], float]:
    """Sort once, and return the function from row weights to the AUC (for the bootstrap)."""
    order = np.argsort(predicted, kind="stable")
    positive = np.asarray(labels, dtype=bool)[order]
    _, starts = np.unique(np.asarray(predicted)[order], return_index=True)

    def weighted(weights: Floats) -> float:
        weight = np.asarray(weights, dtype=np.float64)[order]
        above = np.add.reduceat(np.where(positive, weight, 0.0), starts)  # per distinct value
        below = np.add.reduceat(np.where(positive, 0.0, weight), starts)
        if not above.sum() or not below.sum():
            raise LogError("AUC needs at least one positive and one negative label; got one kind.")
        won = above @ (np.cumsum(below) - below / 2)
        return float(won / (above.sum() * below.sum()))

    return weighted


def log_loss(labels: Labels, probability: Floats, weights: Floats | None = None) -> float:
    """Return the mean of -log P(what happened), natural, with p clipped by `CLIP`."""
    return float(np.average(log_losses(labels, probability), weights=weights))


def log_losses(labels: Labels, probability: Floats) -> NDArray[np.float64]:
    """Return the loss of every row; `log_loss` is its mean."""
    p = np.clip(np.asarray(probability, dtype=np.float64), CLIP, 1 - CLIP)
    return -np.where(np.asarray(labels, dtype=bool), np.log(p), np.log1p(-p))
