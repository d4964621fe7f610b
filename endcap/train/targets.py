"""Labels of every task for every candidate: one rule each, censored at the end of the split."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.features import HOUR_US, delay_edges_hours
from endcap.model import NUM_DELAY_BINS
from endcap.outcomes import CLICK_WINDOW_US, NextEvent, Outcomes, credited_after
from endcap.schema import Binary, Dataset, Flag, Hazard, Split
from endcap.train.examples import Candidates, Examples, of_pair


@dataclass(frozen=True, kw_only=True)
class BinaryTarget:
    """Labels of a yes-or-no task, [N] over all candidates."""

    asked: NDArray[np.bool_]
    label: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class HazardTarget:
    """Labels of a time-to-event task, [N] over all candidates."""

    asked: NDArray[np.bool_]
    observed: NDArray[np.bool_]
    bin: NDArray[np.int64]
    """Bin of the event where observed."""
    limit_bin: NDArray[np.int64]
    """Bin in which watching ended."""
    limit_share: NDArray[np.float32]
    """Share of that bin that was watched, 0 to 1."""
    limit_hours: NDArray[np.float64]
    """How long it was watched; of a dwell, how long it was."""
    seconds: NDArray[np.float32] | None = None
    """Of a dwell: the mean time of its bin, so that one lost tab does not outweigh a thousand; of
    one that was cut off, how long it was at least."""
    bin_seconds: NDArray[np.float32] | None = None
    """Of a dwell: the mean time of each bin on training days."""


@dataclass(frozen=True, kw_only=True)
class CountTarget:
    """How many events came within the window, [N] over all candidates."""

    asked: NDArray[np.bool_]
    count: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class CategoryTarget:
    """Of which category the next event was, by its place in `NextCategory.categories`, [N]."""

    asked: NDArray[np.bool_]
    category: NDArray[np.int64]


Target = BinaryTarget | HazardTarget | CountTarget | CategoryTarget


def came(target: Target) -> NDArray[np.bool_]:
    """Tell of each candidate whether the log showed what the task waits for."""
    match target:
        case BinaryTarget():
            return target.label > 0
        case HazardTarget():
            return target.observed
        case CountTarget():
            return target.count > 0
        case CategoryTarget():
            return target.asked


@dataclass(frozen=True, kw_only=True)
class CandidateFacts:
    """What labels are made of, [N] over all candidates."""

    user: NDArray[np.int32]
    at_us: NDArray[np.int64]
    split: NDArray[np.uint8]
    until_us: NDArray[np.int64]
    """The last instant at which a label of the row's split may be watched."""
    is_ad: NDArray[np.bool_]
    clicked: NDArray[np.bool_]
    """Whether a click came before the end of the row's split."""
    click_us: NDArray[np.int64]
    dwell_ms: NDArray[np.int64]
    dwell_censored: NDArray[np.bool_]
    is_timed: NDArray[np.bool_]
    """Whether a dwell is told: of a click, or, where the shop asks for it, of what was shown."""


def candidate_facts(dataset: Dataset, outcomes: Outcomes, examples: Examples) -> CandidateFacts:
    """Spread question and outcome columns over the candidates."""
    candidates = examples.candidates
    question = candidates.question
    shown = candidates.impression >= 0
    row = np.where(shown, candidates.impression, 0)

    def of_shown(values: NDArray[np.generic], absent: int) -> NDArray[np.int64]:
        if len(values) == 0:
            return np.full(len(row), absent, dtype=np.int64)
        return np.where(shown, values[row], absent).astype(np.int64)

    split = examples.split[question]
    dwell_ms = of_shown(outcomes.dwell_ms, -1)
    censored = of_shown(outcomes.dwell_censored, 0).astype(np.bool_)
    if dataset.shop.times_shown:
        told_ms = of_shown(dataset.impressions["dwell_ms"], -1)
        cut = of_shown(dataset.impressions["flags"], 0) & Flag.CENSORED > 0
        censored = np.where(told_ms >= 0, cut, censored)
        dwell_ms = np.where(told_ms >= 0, told_ms, dwell_ms)
    ends = np.array([dataset.end_of(part) for part in Split], dtype=np.int64)
    until_us, click_us = ends[split] - 1, of_shown(outcomes.click_us, -1)
    clicked = (click_us >= 0) & (click_us <= until_us)
    return CandidateFacts(
        user=examples.user[question],
        at_us=examples.at_us[question],
        split=split,
        until_us=until_us,
        is_ad=candidates.campaign >= 0,
        clicked=clicked,
        click_us=click_us,
        dwell_ms=dwell_ms,
        dwell_censored=censored,
        is_timed=(dwell_ms >= 0) & (clicked | dataset.shop.times_shown),
    )


def binary_target(
    task: Binary,
    dataset: Dataset,
    outcomes: Outcomes,
    candidates: Candidates,
    facts: CandidateFacts,
) -> BinaryTarget:
    """Label a click on what was shown, or an event after a click within the task's window.

    A row whose window is cut by the end of its split is not asked, whatever was seen: to keep only
    the cut rows with the event would teach that it always comes.
    """
    asked = (candidates.impression >= 0) & (facts.is_ad == task.ads)
    if task.event_type == "click" and task.space == "impressions":
        if dataset.shop.has_clock:
            asked &= facts.at_us + CLICK_WINDOW_US <= facts.until_us
        return BinaryTarget(asked=asked, label=facts.clicked.astype(np.float32))
    if task.space == "clicks":
        asked &= facts.clicked
        start_us = facts.click_us
        follows_us = _credited(dataset, outcomes, task.event_type, candidates)
    else:
        start_us = facts.at_us
        follows_us = _next_time(dataset, task.event_type, candidates, facts)
    limit_us = start_us + int(task.within_hours * HOUR_US)
    happened = (follows_us >= 0) & (follows_us <= limit_us)
    return BinaryTarget(
        asked=asked & (limit_us <= facts.until_us), label=happened.astype(np.float32)
    )


def delay_target(
    task: Hazard,
    dataset: Dataset,
    outcomes: Outcomes,
    candidates: Candidates,
    facts: CandidateFacts,
    edges_us: NDArray[np.float64],
) -> HazardTarget:
    """Label the time until an event of this very item, strictly after the question (or click).

    After a click, only an event that is credited to this click counts.
    """
    if task.space == "clicks":
        asked, start_us = facts.clicked & (facts.is_ad == task.ads), facts.click_us
        follows_us = _credited(dataset, outcomes, task.event_type, candidates)
    else:
        asked, start_us = of_pair(candidates), facts.at_us
        follows_us = amid(_next_time(dataset, task.event_type, candidates, facts), dataset)
    return watched_delay(task, asked, start_us, follows_us, facts, edges_us)


def amid(follows_us: NDArray[np.int64], dataset: Dataset) -> NDArray[np.int64]:
    """Return the middle of the instants in which events came; -1 for never stays.

    A question stands at the end of an instant. In a log of days an event of the third day after it
    came between two and three days later: told at its midnight, each would come half a day early.
    """
    return np.where(follows_us >= 0, follows_us + dataset.shop.resolution_us // 2, -1)


def watched_delay(
    task: Hazard,
    asked: NDArray[np.bool_],
    start_us: NDArray[np.int64],
    follows_us: NDArray[np.int64],
    facts: CandidateFacts,
    edges_us: NDArray[np.float64],
) -> HazardTarget:
    """Label a delay that is watched up to the task's horizon or the end of the split.

    Args:
        follows_us: when the event came, [N]; -1 for never.
    """
    limit_us = np.minimum(int(task.within_hours * HOUR_US), facts.until_us - start_us)
    delay_us = follows_us - start_us
    observed = (follows_us >= 0) & (delay_us <= limit_us)
    place = np.searchsorted(edges_us[1:-1], limit_us, side="left")
    low, high = edges_us[place], edges_us[place + 1]
    return HazardTarget(
        asked=asked & (limit_us > 0),
        observed=observed,
        bin=np.searchsorted(edges_us[1:-1], np.where(observed, delay_us, 0), side="left"),
        limit_bin=place,
        limit_share=np.clip((limit_us - low) / (high - low), 1e-3, 1.0).astype(np.float32),
        limit_hours=np.maximum(limit_us, 0) / HOUR_US,
    )


def delay_edges(task: Hazard) -> NDArray[np.float64]:
    """Return 13 edges in microseconds, up to the task's horizon."""
    return delay_edges_hours(task.within_hours, NUM_DELAY_BINS) * HOUR_US


def _credited(
    dataset: Dataset, outcomes: Outcomes, event_type: str, candidates: Candidates
) -> NDArray[np.int64]:
    """Return when an event came of a candidate's own click; -1 never, or not shown."""
    times = credited_after(dataset, outcomes, event_type)
    if len(times) == 0:
        return np.full(len(candidates.impression), -1, dtype=np.int64)
    row = np.maximum(candidates.impression, 0)
    return np.where(candidates.impression >= 0, times[row], -1)


def _next_time(
    dataset: Dataset,
    event_type: str,
    candidates: Candidates,
    facts: CandidateFacts,
) -> NDArray[np.int64]:
    """Return when a candidate's item next had such an event after the question; -1 never."""
    events = dataset.histories.events
    rows = np.flatnonzero(
        (events["action"] == dataset.shop.action_of(event_type)) & (events["item"] >= 0)
    )
    times = events["timestamp_us"][rows]
    index = NextEvent(dataset.histories.user_of_event()[rows], events["item"][rows], times)
    found = index.after(facts.user, candidates.item, facts.at_us)
    if len(times) == 0:
        return np.full(len(found), -1, dtype=np.int64)
    return np.where(found >= 0, times[np.maximum(found, 0)], -1)
