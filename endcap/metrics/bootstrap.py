"""Percentile intervals by resampling whole users (cluster bootstrap; Efron 1979).

They hold the fitted model fixed: they cover the sampling of users, not refitting. To compare two
models use the paired difference over the same users; separate intervals are far too wide.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.errors import LogError

Numbers = NDArray[Any]
Statistic = Callable[[NDArray[np.float64]], float]
"""From the weight of every row to a number."""

_BLOCK = 8_000_000  # draws held at once


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A number with its percentile interval over `n` users."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


def resample_counts(
    num_users: int, *, resamples: int = 1000, seed: int = 0
) -> Iterator[NDArray[np.float64]]:
    """Yield blocks [R, U]: how often each user is drawn in each of R resamples of U users."""
    rng = np.random.default_rng(seed)
    step = max(1, _BLOCK // max(num_users, 1))
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = rng.integers(num_users, size=(rows, num_users))
        drawn += np.arange(rows)[:, None] * num_users
        counts = np.bincount(drawn.ravel(), minlength=rows * num_users)
        yield counts.reshape(rows, num_users).astype(np.float64)


def interval(
    values_by_user: Numbers, *, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> Interval:
    """Bound the mean of one value per user."""
    values = np.asarray(values_by_user, dtype=np.float64)
    if not len(values):
        raise LogError("An interval needs at least one user; the task at hand has none.")
    blocks = resample_counts(len(values), resamples=resamples, seed=seed)
    means = np.concatenate([block @ values for block in blocks]) / len(values)
    return _bounds(float(values.mean()), means, len(values), level)


def ratio_interval(
    above_by_user: Numbers,
    below_by_user: Numbers,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """Bound the ratio of two sums over users: hits over targets, clicks over shown slots.

    Raises:
        LogError: what is divided by is 0.
    """
    above = np.asarray(above_by_user, dtype=np.float64)
    below = np.asarray(below_by_user, dtype=np.float64)
    if not below.sum():
        raise LogError("A ratio needs something to divide by; the group at hand has nothing.")
    used = below > 0
    sums = np.stack([above[used], below[used]], axis=1)
    drawn = np.concatenate(
        [block @ sums for block in resample_counts(len(sums), resamples=resamples, seed=seed)]
    )
    value = float(above.sum() / below.sum())
    return _bounds(value, drawn[:, 0] / drawn[:, 1], len(sums), level)


def paired_interval(
    values_by_user: Numbers,
    baseline_by_user: Numbers,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """Bound the mean difference, ours minus the baseline, over the same users in the same order."""
    if len(values_by_user) != len(baseline_by_user):
        raise LogError(
            f"A paired comparison needs the same users twice, got {len(values_by_user)} and "
            f"{len(baseline_by_user)}; score both models on one task."
        )
    difference = np.asarray(values_by_user, dtype=np.float64) - np.asarray(baseline_by_user)
    return interval(difference, level=level, resamples=resamples, seed=seed)


def paired_ratio_interval(
    above_by_user: Numbers,
    baseline_by_user: Numbers,
    below_by_user: Numbers,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """Bound the difference of two ratios with one divisor: a mean loss, ours less the baseline's.

    Raises:
        LogError: what is divided by is 0, or the users differ.
    """
    if not len(above_by_user) == len(baseline_by_user) == len(below_by_user):
        raise LogError(
            f"A paired comparison needs the same users each time, got {len(above_by_user)}, "
            f"{len(baseline_by_user)} and {len(below_by_user)}; score both models on one task."
        )
    difference = np.asarray(above_by_user, dtype=np.float64) - np.asarray(baseline_by_user)
    return ratio_interval(difference, below_by_user, level=level, resamples=resamples, seed=seed)


def cluster_interval(
    statistic: Statistic,
    users: Numbers,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """Bound any statistic of rows (an AUC, a difference of two) by resampling whole users.

    Args:
        statistic: from row weights [N] to a number; weights are whole numbers, 0 leaves out. A
            resample on which it raises LogError (an AUC of one kind of label) is left out.
        users: [N] whose row it is; the ids may be any.

    Example:
        cluster_interval(auc_statistic(labels, predicted), users)
    """
    known, row_user = np.unique(users, return_inverse=True)
    row_user = row_user.reshape(-1)
    value = statistic(np.ones(len(row_user)))
    drawn = []
    for block in resample_counts(len(known), resamples=resamples, seed=seed):
        for counts in block:
            with suppress(LogError):
                drawn.append(statistic(counts[row_user]))
    return _bounds(value, np.array(drawn), len(known), level)


def _bounds(value: float, drawn: NDArray[np.float64], n: int, level: float) -> Interval:
    if not len(drawn):
        return Interval(value=value, low=value, high=value, n=n)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value=value, low=float(low), high=float(high), n=n)
