"""Outputs of a head -> probabilities and expected times (model.md R3; losses are their twins)."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def sigmoid(x: Floats) -> Floats:
    """Return 1 / (1 + exp(-x)), without overflow."""
    out: Floats = 0.5 * (1.0 + np.tanh(0.5 * x))
    return out


def softmax(x: Floats) -> Floats:
    """Return the softmax over the last axis."""
    shifted = np.exp(x - x.max(axis=-1, keepdims=True))
    out: Floats = shifted / shifted.sum(axis=-1, keepdims=True)
    return out


def chance(logit: Floats, calibration: tuple[float, float]) -> Floats:
    """Return the calibrated probability sigmoid(slope z + shift)."""
    slope, shift = calibration
    return sigmoid(slope * logit + shift)


def chance_within(
    outputs: Floats, hours: float | Floats, edges_hours: Floats, calibration: tuple[float, float]
) -> Floats:
    """Return P(event within `hours`) of a cure model, [C]; the share of a bin counts in part.

    Args:
        outputs: [C, 1 + M] the logit of "ever within the horizon" and the bins' logits.
        hours: [C], or one number for all.
    """
    f = softmax(outputs[:, 1:])
    low, high = edges_hours[:-1], edges_hours[1:]
    watched = np.clip((np.asarray(hours)[..., None] - low) / (high - low), 0.0, 1.0)
    out: Floats = chance(outputs[:, 0], calibration) * (f * watched).sum(axis=-1)
    return out


def quantile_time(logits: Floats, edges: Floats, means: Floats, share: float) -> Floats:
    """Return [C] the time below which the distribution holds `share`; 0.5 is the median.

    Within a bin time is spread evenly; beyond the last edge it is exponential about the bin's mean.

    Args:
        edges: [M] the lower edge of every bin; the last bin is open.
        means: [M] the mean time of each bin.
    """
    f = softmax(logits)
    below = np.cumsum(f, axis=-1)
    place = np.minimum((below < share).sum(axis=-1), f.shape[-1] - 1)
    rows = np.arange(len(f))
    mass = np.maximum(f[rows, place], 1e-12)
    part = np.clip((share - (below[rows, place] - mass)) / mass, 0.0, 1.0)
    high = np.append(edges[1:], np.inf)[place]
    tail = -np.log1p(-np.minimum(part, 1 - 1e-9)) * np.maximum(means[place] - edges[place], 0.0)
    inside = part * np.where(np.isfinite(high), high - edges[place], 0.0)
    out: Floats = edges[place] + np.where(np.isfinite(high), inside, tail)
    return out


def expected_time(logits: Floats, bin_means: Floats) -> Floats:
    """Return E[T] = sum of bin chances times the mean time of each bin."""
    out: Floats = softmax(logits) @ bin_means
    return out
