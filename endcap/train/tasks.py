"""Which of the declared tasks a log can teach, and why the others are left out."""

from dataclasses import dataclass

import numpy as np

from endcap.outcomes import Outcomes
from endcap.schema import Binary, Dataset, Hazard, NextItem, Split, Task
from endcap.train.examples import Examples
from endcap.train.sampling import pair_task
from endcap.train.targets import (
    BinaryTarget,
    CandidateFacts,
    Target,
    binary_target,
    candidate_facts,
    delay_edges,
    delay_target,
    dwell_edges,
    dwell_target,
)

LEAST_LABELS = 30
"""A head needs at least so many events of its kind on training days."""


@dataclass(frozen=True, kw_only=True)
class TaskPlan:
    """The tasks that will be trained, their labels, and why others are not."""

    tasks: tuple[Task, ...]
    targets: dict[str, Target]
    left_out: dict[str, str]
    dwell_edges_ms: list[float]
    facts: CandidateFacts


def plan_tasks(dataset: Dataset, outcomes: Outcomes, examples: Examples) -> TaskPlan:
    """Label every declared task and keep those with enough labels on training days."""
    facts = candidate_facts(dataset, outcomes, examples)
    edges = dwell_edges(facts)
    tasks: list[Task] = []
    targets: dict[str, Target] = {}
    left_out: dict[str, str] = {}
    for task in dataset.shop.tasks:
        target = _target(task, dataset, outcomes, examples, facts, edges)
        reason = _missing(task, target, facts, examples, dataset.shop.tasks)
        if reason:
            left_out[task.name] = reason
            continue
        tasks.append(task)
        if target is not None:
            targets[task.name] = target
    return TaskPlan(
        tasks=tuple(tasks),
        targets=targets,
        left_out=left_out,
        dwell_edges_ms=[float(edge) for edge in edges],
        facts=facts,
    )


def _target(
    task: Task,
    dataset: Dataset,
    outcomes: Outcomes,
    examples: Examples,
    facts: CandidateFacts,
    edges: "np.ndarray[tuple[int], np.dtype[np.float64]]",
) -> Target | None:
    match task:
        case NextItem():
            return None
        case Binary():
            return binary_target(task, dataset, outcomes, examples.candidates, facts)
        case Hazard(measures="dwell"):
            return dwell_target(task, examples.candidates, facts, edges)
        case Hazard():
            edges_us = delay_edges(task)
            return delay_target(task, dataset, outcomes, examples.candidates, facts, edges_us)


def _missing(
    task: Task,
    target: Target | None,
    facts: CandidateFacts,
    examples: Examples,
    tasks: tuple[Task, ...],
) -> str | None:
    """Say what the log lacks for a task; None when it can be trained."""
    first = pair_task(tasks)
    of_pairs = isinstance(task, Hazard) and (task.measures, task.space) == ("delay", "all")
    if first and of_pairs and task != first:
        return f"one task of the space 'all' is sampled, and that is {first.name}"
    if target is None:
        in_training = examples.split == Split.TRAIN
        count = int((np.diff(examples.next_offsets)[in_training] > 0).sum())
        return _too_few(count, "shoppers' next events")
    in_training = target.asked & (facts.split == Split.TRAIN)
    hits = target.label > 0 if isinstance(target, BinaryTarget) else target.observed
    what = {
        "all": "purchases after an earlier event",
        "impressions": "clicks on shown slots",
        "clicks": "events after a click on a shown slot",
    }[getattr(task, "space", "all")]
    if isinstance(task, Hazard) and task.measures == "dwell" and task.space == "impressions":
        what = "dwells on shown slots"
    whose = " of ads" if getattr(task, "ads", False) else ""
    return _too_few(int((in_training & hits).sum()), what + whose)


def _too_few(count: int, what: str) -> str | None:
    if count >= LEAST_LABELS:
        return None
    return f"needs {LEAST_LABELS} {what} on training days, found {count}"
