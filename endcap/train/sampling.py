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
from endcap.schema import Action, Dataset, Hazard, Split, Task

MAX_BOUGHT = 4
MAX_SEEN = 4
MAX_UNSEEN = 4


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The items that one snapshot asks about."""

    item: NDArray[np.int32]
    log_offset: NDArray[np.float32]


Sampler = Callable[[int, int, int, int], Sample | None]
"""(user row, instant, visible, split) -> the items asked about; None when nothing can be known."""


def pair_task(tasks: tuple[Task, ...]) -> Hazard | None:
    """Return the first task over all pairs; the rates are those of its event and horizon."""
    of_pairs = (t for t in tasks if isinstance(t, Hazard) and t.space == "all")
    return next((t for t in of_pairs if t.measures == "delay"), None)


def met_items(dataset: Dataset) -> NDArray[np.int32]:
    """Return the rows of the items that training days met, sorted."""
    events = dataset.histories.events
    known = np.unique(events["item"][(dataset.event_split == 0) & (events["item"] >= 0)])
    return known.astype(np.int32)


def sample_pairs(
    dataset: Dataset, random: np.random.Generator, known: NDArray[np.int32] | None = None
) -> Sampler:
    """Make a sampler over the items that training days met (`met_items`, if at hand)."""
    events = dataset.histories.events
    known = met_items(dataset) if known is None else known
    task = pair_task(dataset.shop.tasks)
    horizon_us = int(task.within_hours * HOUR_US) if task else 0
    wanted = Action.of(task.event_type) if task else Action.PURCHASE

    def sample(user: int, at_us: int, visible: int, split: int) -> Sample | None:
        until = min(at_us + horizon_us, dataset.end_of(Split(split)) - 1)
        if until <= at_us or len(known) == 0:
            return None
        start, end = dataset.histories.offsets[user], dataset.histories.offsets[user + 1]
        later = events[visible:end]
        later = later[(later["timestamp_us"] > at_us) & (later["timestamp_us"] <= until)]
        bought = np.unique(later["item"][later["action"] == wanted])
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
    seen_others = np.setdiff1d(seen, bought)
    draws = known[random.integers(len(known), size=MAX_UNSEEN)]
    unseen = np.setdiff1d(np.setdiff1d(draws, seen), bought)
    unseen_rate = 1.0 - (1.0 - 1.0 / len(known)) ** MAX_UNSEEN
    buyers = _choose(bought, MAX_BOUGHT, random)
    item = np.concatenate([buyers, _choose(seen_others, MAX_SEEN, random), unseen])
    # The rates that this item meets, all others as they are: bought, it is one more of the bought;
    # not bought, one more of the others.
    is_bought = np.isin(item, bought)
    bought_rate = np.minimum(1.0, MAX_BOUGHT / np.maximum(len(bought) + ~is_bought, 1))
    seen_rate = np.minimum(1.0, MAX_SEEN / np.maximum(len(seen_others) + is_bought, 1))
    rate = np.where(np.isin(item, seen), seen_rate, unseen_rate)
    return Sample(
        item=item.astype(np.int32), log_offset=np.log(bought_rate / rate).astype(np.float32)
    )


def _choose(
    values: NDArray[np.int32], limit: int, random: np.random.Generator
) -> NDArray[np.int32]:
    if len(values) <= limit:
        return values
    return random.choice(values, size=limit, replace=False)
