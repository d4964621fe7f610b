"""Figures of tasks that answer how many, or which: likelihood beside the constant's."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.stats import nbinom

from endcap import metrics
from endcap.evaluate.chances import BASE_RATE, OURS, RESAMPLES, weighted_mean
from endcap.evaluate.ranking import metric_row
from endcap.schema import MetricRow, Split

Floats = NDArray[np.float64]


def count_rows(
    task: str,
    split: Split,
    user: NDArray[np.int32],
    count: NDArray[np.int64],
    said: tuple[Floats, Floats],
    usual: NDArray[np.int64],
) -> Iterator[MetricRow]:
    """Measure counts that were said as a negative binomial's mean and size.

    Args:
        usual: counts of training days; the constant has their mean and variance.
    """
    mean, size = said
    row = partial(_mean_row, task, split, user)
    ours = count_losses(count, mean, size)
    usual_mean = np.full(len(count), max(float(usual.mean()), 1e-3))
    excess = np.maximum(float(usual.var()) - usual_mean, 1e-3 * usual_mean)
    base = count_losses(count, usual_mean, usual_mean**2 / excess)
    yield from _losses(row, ours, base)
    yield row("mae", OURS, np.abs(count - mean))
    yield row("mae", BASE_RATE, np.abs(count - usual_mean))
    ratio = float(mean.sum() / max(count.sum(), 1))
    yield MetricRow(task=task, metric="expected_over_seen", model=OURS, value=ratio,
                    split=split.name.lower(), n=len(count))  # fmt: skip


def count_losses(count: NDArray[np.int64], mean: Floats, size: Floats) -> Floats:
    """Return each row's negative log-likelihood of a negative binomial, in nats."""
    out: Floats = -nbinom.logpmf(count, size, size / (size + mean))
    return out


def category_rows(
    task: str,
    split: Split,
    user: NDArray[np.int32],
    category: NDArray[np.int64],
    shares: Floats,
    usual: NDArray[np.int64],
) -> Iterator[MetricRow]:
    """Measure the chances of categories, [N, K].

    Args:
        usual: categories of training days; the constant is how often each came.
    """
    row = partial(_mean_row, task, split, user)
    constant = np.bincount(usual, minlength=shares.shape[1]) + 1.0
    constant /= constant.sum()
    told = shares[np.arange(len(category)), category]
    yield from _losses(row, -np.log(np.maximum(told, 1e-12)), -np.log(constant[category]))
    yield row("hit_rate", OURS, (shares.argmax(axis=1) == category).astype(np.float64))
    yield row("hit_rate", BASE_RATE, (constant.argmax() == category).astype(np.float64))


def _losses(
    row: Callable[[str, str, Floats], MetricRow], ours: Floats, base: Floats
) -> Iterator[MetricRow]:
    yield row("log_loss", OURS, ours)
    yield row("log_loss", BASE_RATE, base)
    yield row("log_loss difference", f"{OURS} - {BASE_RATE}", ours - base)


def _mean_row(
    task: str, split: Split, user: NDArray[np.int32], metric: str, model: str, each: Floats
) -> MetricRow:
    """Return a mean over rows with its interval over users."""
    found = metrics.cluster_interval(partial(weighted_mean, each), user, resamples=RESAMPLES)
    return metric_row(task, metric, model, found, split=split.name.lower(), n=len(each))
