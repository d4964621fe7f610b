"""Does 30 % happen in 30 of 100: calibration error and its floor, slope, total ratio."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.errors import LogError
from endcap.metrics.probability import CLIP

Floats = NDArray[np.floating[Any]]
Labels = NDArray[Any]


def expected_calibration_error(labels: Labels, probability: Floats, num_bins: int = 10) -> float:
    """Return sum_b n_b / n |mean p - mean y| over bins between the distinct deciles of p.

    Equal probabilities share a bin, so a constant prediction has one. Compare with the floor:
    a value near `expected_calibration_floor` is no evidence of miscalibration.
    """
    bins, count = _bins(probability, num_bins)
    gap = np.bincount(bins, weights=np.asarray(probability) - labels, minlength=count)
    return float(np.abs(gap).sum() / len(bins))


@dataclass(frozen=True, kw_only=True)
class CalibrationBins:
    """What was said and what came, in bins between the distinct deciles of the probability."""

    bin_of_row: NDArray[np.int64]
    predicted: NDArray[np.float64]
    happened: NDArray[np.float64]
    count: NDArray[np.int64]


def calibration_bins(labels: Labels, probability: Floats, num_bins: int = 10) -> CalibrationBins:
    """Sort rows into the bins of `expected_calibration_error`, and average each."""
    bins, count = _bins(probability, num_bins)
    size = np.bincount(bins, minlength=count)
    predicted = np.bincount(bins, weights=np.asarray(probability), minlength=count)
    happened = np.bincount(bins, weights=np.asarray(labels), minlength=count)
    return CalibrationBins(
        bin_of_row=bins,
        predicted=predicted / np.maximum(size, 1),
        happened=happened / np.maximum(size, 1),
        count=size,
    )


def expected_calibration_floor(
    probability: Floats, num_bins: int = 10, *, draws: int = 100, seed: int = 0
) -> float:
    """Return the mean calibration error of labels drawn from the probabilities themselves."""
    p = np.asarray(probability, dtype=np.float64)
    bins, count = _bins(p, num_bins)
    rng = np.random.default_rng(seed)
    errors = [
        np.abs(np.bincount(bins, weights=p - (rng.random(len(p)) < p), minlength=count)).sum()
        for _ in range(draws)
    ]
    return float(np.mean(errors) / len(p))


def pcoc(labels: Labels, probability: Floats) -> float:
    """Return predicted clicks over clicks, sum p / sum y: 1 is right, above 1 promises too much.

    Raises:
        LogError: no label is positive.
    """
    happened = float(np.sum(labels))
    if happened == 0:
        raise LogError("PCOC divides by the positives, and there are none among the labels.")
    return float(np.sum(probability)) / happened


def calibration_line(
    labels: Labels, probability: Floats, *, steps: int = 50
) -> tuple[float, float]:
    """Fit logit P(y) = intercept + slope * logit(p) by maximum likelihood (Cox 1958).

    Returns:
        intercept, slope: 0 and 1 are right; a slope below 1 means p is too extreme.
    """
    design = np.stack([np.ones(len(labels)), _logit(probability)], axis=1)
    line = np.array([0.0, 1.0])
    for _ in range(steps):
        p = _sigmoid(design @ line)
        curvature = (design * (p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, design.T @ (labels - p))
        line += step * min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-10:
            break
    return float(line[0]), float(line[1])


def shift_intercept(labels: Labels, probability: Floats) -> NDArray[np.float64]:
    """Add one number to every logit so that the mean p is the mean y: takes season out.

    Raises:
        LogError: all labels are the same, so that no shift does it.
    """
    target = float(np.mean(labels))
    if not 0 < target < 1:
        raise LogError("An intercept shift needs labels of both kinds; got one kind.")
    logit = _logit(probability)
    low, high = -50.0, 50.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _sigmoid(logit + middle).mean() < target else (low, middle)
    return _sigmoid(logit + (low + high) / 2)


def _bins(probability: Floats, num_bins: int) -> tuple[NDArray[np.int64], int]:
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, num_bins + 1)))
    return np.searchsorted(edges[1:-1], probability, side="right"), max(len(edges) - 1, 1)


def _logit(probability: Floats) -> NDArray[np.float64]:
    p = np.clip(np.asarray(probability, dtype=np.float64), CLIP, 1 - CLIP)
    return np.log(p) - np.log1p(-p)


def _sigmoid(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.5 * (1.0 + np.tanh(0.5 * logit))
