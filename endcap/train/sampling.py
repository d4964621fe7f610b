"""Which items a snapshot asks about: buyers' items all, others at a known rate.

A sampled label stays calibrated because the rates go into the likelihood: with buyers kept at rate
a and the rest at rate b, the log-odds of "bought within the watched time" move by log(a / b),
exactly (case-control sampling, Prentice and Pyke 1979).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.features import HOUR_US
from endcap.schema import Action, Dataset, Hazard, Split

MAX_BOUGHT = 8
MAX_SEEN = 8
MAX_UNSEEN = 6


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The items that one snapshot asks about."""

    item: NDArray[np.int32]
    log_offset: NDArray[np.float32]


Sampler = Callable[[int, int, int, int], Sample | None]
"""(user row, instant, visible, split) -> the items asked about; None when nothing can be known."""


def sample_pairs(dataset: Dataset, random: np.random.Generator) -> Sampler:
    """Make a sampler over the items that training days met."""
    events = dataset.histories.events
    known = np.unique(events["item"][(dataset.event_split == 0) & (events["item"] >= 0)])
    known = known.astype(np.int32)
    pair_tasks = [t for t in dataset.shop.tasks if isinstance(t, Hazard) and t.space == "all"]
    horizon_us = int(max((t.within_hours for t in pair_tasks), default=0.0) * HOUR_US)

    def sample(user: int, at_us: int, visible: int, split: int) -> Sample | None:
        until = min(at_us + horizon_us, dataset.end_of(Split(split)) - 1)
        if until <= at_us or len(known) == 0:
            return None
        start, end = dataset.histories.offsets[user], dataset.histories.offsets[user + 1]
        later = events[visible:end]
        later = later[(later["timestamp_us"] > at_us) & (later["timestamp_us"] <= until)]
        bought = np.unique(later["item"][(later["action"] == Action.PURCHASE)])
        bought = np.intersect1d(bought, known)
        seen = np.intersect1d(np.unique(events["item"][start:visible]), known)
        return _draw(bought, seen, known, random)

    return sample


def _draw(
    bought: NDArray[np.int32],
    seen: NDArray[np.int32],
    known: NDArray[np.int32],
    random: np.random.Generator,
) -> Sample:
    bought_rate = min(1.0, MAX_BOUGHT / max(len(bought), 1))
    buyers = _choose(bought, MAX_BOUGHT, random)
    seen_others = np.setdiff1d(seen, bought)
    seen_rate = min(1.0, MAX_SEEN / max(len(seen_others), 1))
    draws = known[random.integers(len(known), size=MAX_UNSEEN)]
    unseen = np.setdiff1d(np.setdiff1d(draws, seen), bought)
    unseen_rate = 1.0 - (1.0 - 1.0 / len(known)) ** MAX_UNSEEN
    item = np.concatenate([buyers, _choose(seen_others, MAX_SEEN, random), unseen])
    rate = np.where(np.isin(item, seen), seen_rate, unseen_rate)
    return Sample(
        item=item.astype(np.int32),
        log_offset=np.log(bought_rate / np.maximum(rate, 1e-9)).astype(np.float32),
    )


def _choose(
    values: NDArray[np.int32], limit: int, random: np.random.Generator
) -> NDArray[np.int32]:
    if len(values) <= limit:
        return values
    return random.choice(values, size=limit, replace=False)
