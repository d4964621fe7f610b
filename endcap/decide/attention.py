"""Attention as an output: what a candidate holds in its slot, and what an ad takes from others."""

import numpy as np
from numpy.typing import NDArray

VIEW_MS = 1_000.0
"""Time an examined slot holds a shopper who does not click: the viewability standard's second.

Source: Media Rating Council, Viewable Impression Guidelines (one continuous second).
"""


def expected_attention(
    examination: NDArray[np.float64],
    q: NDArray[np.float64],
    dwell_ms: NDArray[np.float64],
    view_ms: float = VIEW_MS,
) -> NDArray[np.float64]:
    """Return a = e (view_ms + q E[dwell]), milliseconds."""
    return examination * (view_ms + q * dwell_ms)


def attention_share(attention_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each slot's share of the page, softmax(log a) = a / sum(a); zeros for a dead page."""
    total = float(attention_ms.sum())
    return attention_ms / total if total > 0 else np.zeros(len(attention_ms))


def share_without(attention_ms: NDArray[np.float64], index: int) -> NDArray[np.float64]:
    """Return the shares of the page without one candidate; its own share is 0.

    `share_without(a, k) - attention_share(a)` is what k takes from each other candidate.
    """
    rest = attention_ms.copy()
    rest[index] = 0.0
    return attention_share(rest)
