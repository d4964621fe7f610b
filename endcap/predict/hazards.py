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
    outputs: Floats,
    hours: float | Floats,
    edges_hours: Floats,
    calibration: tuple[float, float],
) -> Floats:
    """Return P(event within `hours`) of a cure model, [C]; the share of a bin counts in part.

    Args:
        outputs: [C, 1 + M] the logit of "ever within the horizon" and the bins' logits.
        hours: the same for all, or [C].
    """
    f = softmax(outputs[:, 1:])
    low, high = edges_hours[:-1], edges_hours[1:]
    watched = np.clip((np.reshape(hours, (-1, 1)) - low) / (high - low), 0.0, 1.0)
    out: Floats = chance(outputs[:, 0], calibration) * (f * watched).sum(axis=1)
    return out


def expected_time(logits: Floats, bin_means: Floats) -> Floats:
    """Return E[T] = sum of bin chances times the mean time of each bin."""
    out: Floats = softmax(logits) @ bin_means
    return out
