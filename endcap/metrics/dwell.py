"""How long: absolute error, order (XAUC, concordance), and likelihood under censoring."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.errors import LogError

Numbers = NDArray[Any]


def mean_absolute_error(
    dwell: Numbers, predicted: Numbers, weights: Numbers | None = None
) -> float:
    """Return the mean |dwell - predicted|, in the unit given; it rewards medians, not means."""
    error = np.abs(np.asarray(dwell, dtype=np.float64) - predicted)
    return float(np.average(error, weights=weights))


def xauc(dwell: Numbers, predicted: Numbers, counts: Numbers | None = None) -> float:
    """Return the share of pairs with different dwell that are ordered right, prediction ties 1/2.

    Args:
        counts: how often each row was drawn (bootstrap); a row forms no pair with itself.
    """
    if counts is not None:
        dwell, predicted = np.repeat(dwell, counts), np.repeat(predicted, counts)
    return concordance(dwell, predicted, np.ones(len(dwell), dtype=bool))


def concordance(duration: Numbers, predicted: Numbers, observed: Numbers) -> float:
    """Return Harrell's C: the order of pairs whose order is known under right censoring.

    A pair counts when the shorter duration was observed: the other one is longer, or censored at
    the same instant or later. O(n log^2 n), all in numpy.

    Source: Harrell et al. 1982.

    Raises:
        LogError: no pair can be ordered.
    """
    seen = np.asarray(observed, dtype=bool)
    value = np.unique(predicted, return_inverse=True)[1].reshape(-1)
    longer_first = -np.unique(duration, return_inverse=True)[1].reshape(-1)
    pairs = _num_before(longer_first, seen)
    # At one instant the censored come first. Observed ones are no pair: they are sorted so that
    # none of them counts for another, upwards for "greater" and downwards for "smaller".
    up = np.lexsort((value, seen, longer_first))
    down = np.lexsort((-value, seen, longer_first))
    won = _smaller_before(-value[up])[seen[up]].sum()
    lost = _smaller_before(value[down])[seen[down]].sum()
    total = int(pairs.sum())
    if total == 0:
        raise LogError("No two rows can be ordered by their durations; XAUC needs one such pair.")
    return float(0.5 + (int(won) - int(lost)) / (2 * total))


def hazard_log_likelihood(hazard: Numbers, bin_index: Numbers, observed: Numbers) -> float:
    """Return the mean log-likelihood of discrete hazards, right-censored.

    log S(b) + log h_b where the end was observed in bin b, log S(b) where it was censored there;
    S(b) is the product of 1 - h_k over bins k < b.

    Args:
        hazard: [N, K] chance to end in a bin, given that it was reached.
        bin_index: [N] the bin of the end, or the bin in which sight was lost.
    """
    h = np.clip(np.asarray(hazard, dtype=np.float64), 1e-12, 1 - 1e-12)
    survival = np.cumsum(np.log1p(-h), axis=1)
    reached = np.concatenate([np.zeros((len(h), 1)), survival], axis=1)
    rows = np.arange(len(h))
    ended = np.where(np.asarray(observed, dtype=bool), np.log(h[rows, bin_index]), 0.0)
    return float(np.mean(reached[rows, bin_index] + ended))


def _num_before(longer_first: NDArray[np.int64], seen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count, for each observed row, the rows known to last longer."""
    ordered = np.sort(longer_first)
    longer = np.searchsorted(ordered, longer_first[seen], side="left")
    censored = np.sort(longer_first[~seen])
    left = np.searchsorted(censored, longer_first[seen], side="left")
    right = np.searchsorted(censored, longer_first[seen], side="right")
    counts: NDArray[np.int64] = longer + right - left
    return counts


def _smaller_before(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count, for each position, the earlier positions with a strictly smaller value.

    Bit by bit: of two different values the smaller has 0 at the highest bit where they differ,
    so within rows of one prefix it is enough to count zeros that came before.
    """
    ranks = np.unique(values, return_inverse=True)[1].reshape(-1)
    smaller = np.zeros(len(ranks), dtype=np.int64)
    for bit in range(int(ranks.max(initial=0)).bit_length()):
        order = np.argsort(ranks >> (bit + 1), kind="stable")
        prefix = ranks[order] >> (bit + 1)
        one = (ranks[order] >> bit) & 1
        zeros = np.cumsum(1 - one)
        start = np.searchsorted(prefix, prefix, side="left")
        before = np.where(start > 0, zeros[start - 1], 0)
        smaller[order] += one * (zeros - before)
    return smaller
