"""Labels of what a shopper does, whatever the item: next purchase, return, counts, categories.

The candidate of such a question has no item; its row is -1.
"""

import numpy as np
from numpy.typing import NDArray

from endcap.features import HOUR_US
from endcap.outcomes import NextEvent, Outcomes
from endcap.schema import ANY_EVENT, Action, Count, Dataset, Hazard
from endcap.train.examples import Candidates, of_shopper
from endcap.train.questions import NEXT_WEIGHT
from endcap.train.targets import (
    CandidateFacts,
    CategoryTarget,
    CountTarget,
    HazardTarget,
    amid,
    watched_delay,
)


def shopper_delay(
    task: Hazard,
    dataset: Dataset,
    _: Outcomes,
    candidates: Candidates,
    facts: CandidateFacts,
    edges_us: NDArray[np.float64],
) -> HazardTarget:
    """Label the time until a shopper's next event of a type, of whatever item."""
    rows = np.flatnonzero(_is_wanted(dataset, task.event_type))
    found = _next_row(dataset, rows, facts)
    times = dataset.histories.events["timestamp_us"]
    follows_us = amid(np.where(found >= 0, times[np.maximum(found, 0)], -1), dataset)
    return watched_delay(task, of_shopper(candidates), facts.at_us, follows_us, facts, edges_us)


def count_target(
    task: Count, dataset: Dataset, candidates: Candidates, facts: CandidateFacts
) -> CountTarget:
    """Count a shopper's events of a type within the window, unless the split cuts it."""
    until_us = facts.at_us + int(task.within_hours * HOUR_US)
    asked = of_shopper(candidates) & (until_us <= facts.until_us)
    rows = np.flatnonzero(_is_wanted(dataset, task.event_type))
    user = dataset.histories.user_of_event()[rows].astype(np.int64)
    times = dataset.histories.events["timestamp_us"][rows]
    # User and time in one number, so that one search finds a shopper's events up to an instant.
    start_us = int(times.min(initial=0))
    span = max(int(times.max(initial=0)), int(until_us.max(initial=0))) - start_us + 2
    keys = user * span + (times - start_us)

    def up_to(at_us: NDArray[np.int64]) -> NDArray[np.int64]:
        ago = np.clip(at_us - start_us, -1, span - 2)
        return np.searchsorted(keys, facts.user.astype(np.int64) * span + ago, side="right")

    return CountTarget(asked=asked, count=(up_to(until_us) - up_to(facts.at_us)).astype(np.int64))


def category_target(
    dataset: Dataset, candidates: Candidates, facts: CandidateFacts, groups: NDArray[np.int64]
) -> CategoryTarget:
    """Label the group of a shopper's next event with an item, before the end of the split.

    Args:
        groups: `features.item_groups`, [V]; 0 is none that training days tell of.
    """
    events = dataset.histories.events
    if len(events) == 0:
        none = np.zeros(len(candidates.item), dtype=np.int64)
        return CategoryTarget(asked=none > 0, category=none)
    told = (NEXT_WEIGHT[events["action"]] > 0) & (events["item"] >= 0)
    rows = np.flatnonzero(told)
    rows = rows[groups[events["item"][rows]] > 0]
    found = _next_row(dataset, rows, facts)
    row = np.maximum(found, 0)
    in_time = (found >= 0) & (events["timestamp_us"][row] <= facts.until_us)
    category = groups[events["item"][row]] - 1
    return CategoryTarget(
        asked=of_shopper(candidates) & in_time, category=np.where(in_time, category, 0)
    )


def _is_wanted(dataset: Dataset, event_type: str) -> NDArray[np.bool_]:
    action = dataset.histories.events["action"]
    if event_type == ANY_EVENT:
        wanted: NDArray[np.bool_] = action != Action.IMPRESSION
    else:
        wanted = action == dataset.shop.action_of(event_type)
    return wanted


def _next_row(
    dataset: Dataset, rows: NDArray[np.int64], facts: CandidateFacts
) -> NDArray[np.int64]:
    """Return the row of a shopper's first event among some, strictly after each question; or -1."""
    user = dataset.histories.user_of_event()[rows]
    nobody = np.zeros(len(rows), dtype=np.int32)
    index = NextEvent(user, nobody, dataset.histories.events["timestamp_us"][rows])
    found = index.after(facts.user, np.zeros(len(facts.user), dtype=np.int32), facts.at_us)
    if len(rows) == 0:
        return np.full(len(found), -1, dtype=np.int64)
    return np.where(found >= 0, rows[np.maximum(found, 0)], -1)
