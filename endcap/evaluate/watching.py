"""What comes later is seen only as long as one looks: such tasks' labels and base rates."""

import numpy as np
from numpy.typing import NDArray

from endcap.model import NUM_DELAY_BINS
from endcap.train.targets import BinaryTarget, HazardTarget, came


def constant_chance(
    target: BinaryTarget | HazardTarget, training: NDArray[np.bool_], chosen: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return what training days say of everybody: a rate, or one curve over time."""
    if isinstance(target, BinaryTarget):
        return np.full(len(chosen), float(target.label[training].mean()))
    events = np.bincount(target.bin[training & target.observed], minlength=NUM_DELAY_BINS)
    # A row is at risk in the bins before its event or the end of watching, and in a share of that.
    last = np.where(target.observed, target.bin, target.limit_bin)[training]
    share = np.where(target.observed, 1.0, target.limit_share)[training]
    in_last = np.bincount(last, weights=share, minlength=NUM_DELAY_BINS)
    beyond = np.bincount(last, minlength=NUM_DELAY_BINS)
    at_risk = in_last + beyond.sum() - np.cumsum(beyond)
    hazard = events / np.maximum(at_risk, 1.0)
    survival = np.concatenate([[1.0], np.cumprod(1 - hazard)])
    place = target.limit_bin[chosen]
    left: NDArray[np.float64] = survival[place] * (1 - target.limit_share[chosen] * hazard[place])
    return 1.0 - left


def label_of(target: BinaryTarget | HazardTarget) -> NDArray[np.float64]:
    """Return 1 where it happened while it was watched, else 0."""
    return came(target).astype(np.float64)
