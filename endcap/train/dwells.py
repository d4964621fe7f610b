"""Labels of how long something held a shopper, in bins that training days chose."""

import numpy as np
from numpy.typing import NDArray

from endcap.features import HOUR_US
from endcap.model import NUM_DWELL_BINS
from endcap.schema import Hazard, Split
from endcap.train.examples import Candidates
from endcap.train.targets import CandidateFacts, HazardTarget


def dwell_target(
    task: Hazard, candidates: Candidates, facts: CandidateFacts, edges: NDArray[np.float64]
) -> HazardTarget:
    """Label the dwell of a click, or of all that was shown; a lost tab says it was longer."""
    asked = facts.is_timed & (facts.is_ad == task.ads)
    if task.space == "clicks":
        asked &= facts.clicked
    place = np.searchsorted(edges[1:-1], facts.dwell_ms, side="right")
    low, high = edges[place], edges[place + 1]
    share = np.clip((facts.dwell_ms - low) / np.maximum(high - low, 1.0), 0.0, 1.0)
    mean_ms = dwell_means_ms(facts, edges)
    at_least_ms = np.clip(facts.dwell_ms, 0, mean_ms[-1])
    told_ms = np.where(facts.dwell_censored, at_least_ms, mean_ms[place])
    return HazardTarget(
        asked=asked,
        observed=~facts.dwell_censored,
        bin=place,
        limit_bin=place,
        limit_share=np.where(place == len(edges) - 2, 0.0, share).astype(np.float32),
        limit_hours=facts.dwell_ms * 1_000 / HOUR_US,
        seconds=(told_ms / 1_000).astype(np.float32),
        bin_seconds=(mean_ms / 1_000).astype(np.float32),
    )


def dwell_edges(facts: CandidateFacts) -> NDArray[np.float64]:
    """Return 17 edges in ms at quantiles of the dwells of training days, the last one infinite.

    Without enough dwells the edges are log-spaced from 1 s to 10 min.
    """
    known = facts.is_timed & (facts.split == Split.TRAIN) & ~facts.dwell_censored
    inner = np.geomspace(1_000, 600_000, NUM_DWELL_BINS - 1)
    if known.sum() >= 10 * NUM_DWELL_BINS:
        inner = np.quantile(facts.dwell_ms[known], np.linspace(0, 1, NUM_DWELL_BINS + 1)[1:-1])
    inner = np.maximum.accumulate(np.maximum(inner, 1.0) + np.arange(len(inner)) * 1e-3)
    return np.concatenate([[0.0], inner, [np.inf]])


def dwell_means_ms(facts: CandidateFacts, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean dwell in each bin, of training rows whose dwell is whole."""
    used = facts.is_timed & ~facts.dwell_censored & (facts.split == Split.TRAIN)
    dwell = facts.dwell_ms[used].astype(np.float64)
    place = np.searchsorted(edges[1:-1], dwell, side="right")
    middle = np.append((edges[:-2] + edges[1:-1]) / 2, edges[-2] * 1.5)
    counts = np.bincount(place, minlength=len(middle))
    sums = np.bincount(place, weights=dwell, minlength=len(middle))
    return np.where(counts > 0, sums / np.maximum(counts, 1), middle)
