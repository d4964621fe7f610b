"""Which of the declared tasks a log can teach, and why the others are left out."""

from dataclasses import dataclass

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from endcap.features import MAX_GROUPS, FieldVocabulary, group_names, item_groups
from endcap.outcomes import Outcomes
from endcap.schema import (
    Binary,
    Count,
    Dataset,
    Hazard,
    NextCategory,
    NextItem,
    Split,
    Task,
    is_of_shopper,
)
from endcap.train.dwells import dwell_edges, dwell_target
from endcap.train.examples import Examples
from endcap.train.sampling import pair_task
from endcap.train.shoppers import category_target, count_target, shopper_delay
from endcap.train.targets import (
    CandidateFacts,
    Target,
    binary_target,
    came,
    candidate_facts,
    delay_edges,
    delay_target,
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


def plan_tasks(
    dataset: Dataset, outcomes: Outcomes, examples: Examples, vocabulary: FieldVocabulary
) -> TaskPlan:
    """Label every declared task and keep those with enough labels on training days."""
    facts = candidate_facts(dataset, outcomes, examples)
    edges = dwell_edges(facts)
    tasks: list[Task] = []
    targets: dict[str, Target] = {}
    left_out: dict[str, str] = {}
    for declared in dataset.shop.tasks:
        task = _named(declared, vocabulary)
        target = _target(task, dataset, outcomes, examples, facts, edges, vocabulary)
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


def _named(task: Task, vocabulary: FieldVocabulary) -> Task:
    if not isinstance(task, NextCategory):
        return task
    return structs.replace(task, categories=group_names(vocabulary, task.of))


def _target(
    task: Task,
    dataset: Dataset,
    outcomes: Outcomes,
    examples: Examples,
    facts: CandidateFacts,
    edges: NDArray[np.float64],
    vocabulary: FieldVocabulary,
) -> Target | None:
    candidates = examples.candidates
    match task:
        case NextItem():
            return None
        case Binary():
            return binary_target(task, dataset, outcomes, candidates, facts)
        case Hazard(measures="dwell"):
            return dwell_target(task, candidates, facts, edges)
        case Count():
            return count_target(task, dataset, candidates, facts)
        case NextCategory():
            groups = item_groups(dataset.catalogue, vocabulary, task.of)
            return category_target(dataset, candidates, facts, groups)
        case Hazard():
            edges_us = delay_edges(task)
            rule = shopper_delay if task.space == "shoppers" else delay_target
            return rule(task, dataset, outcomes, candidates, facts, edges_us)


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
        return _too_few(_num_next(examples), "shoppers' next events")
    if isinstance(task, NextCategory) and len(task.categories) < 2:
        return f"needs 2 to {MAX_GROUPS} values of {task.of} among the items of training days"
    in_training = target.asked & (facts.split == Split.TRAIN)
    return _too_few(int((in_training & came(target)).sum()), _what(task))


def _what(task: Task) -> str:
    """Name what a task needs labels of."""
    if is_of_shopper(task):
        return "shoppers' instants with such an event later"
    what = f"events of type {getattr(task, 'event_type', 'purchase')}"
    if isinstance(task, Hazard) and task.measures == "dwell":
        what = "dwells"
    whose = " of ads" if getattr(task, "ads", False) else ""
    match getattr(task, "space", "all"):
        case "impressions":
            return f"{what} on shown slots{whose}"
        case "clicks":
            return f"events after a click on a shown slot{whose}"
        case _:
            return f"{what} after an earlier event{whose}"


def _num_next(examples: Examples) -> int:
    in_training = examples.split == Split.TRAIN
    return int((np.diff(examples.next_offsets)[in_training] > 0).sum())


def _too_few(count: int, what: str) -> str | None:
    if count >= LEAST_LABELS:
        return None
    return f"needs {LEAST_LABELS} {what} on training days, found {count}"
