"""What a fitted model says of its tasks on a split, beside the constant of training days."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from endcap.evaluate.asking import Asked, ask_split
from endcap.evaluate.chances import Answers, Slots, chance_rows
from endcap.evaluate.kinds import category_rows, count_rows
from endcap.evaluate.trees import tree_answers
from endcap.predict import NetworkPredictor
from endcap.schema import NO_SLOT, Binary, Dataset, MetricRow, Split, Task

if TYPE_CHECKING:  # torch is not needed to look at figures
    from endcap.train.examples import Examples
    from endcap.train.targets import BinaryTarget, CandidateFacts, HazardTarget, Target

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class _Part:
    """The asked rows of one task."""

    task: Task
    asked: Asked
    kept: NDArray[np.bool_]
    """Which of the asked rows are this task's."""
    training: NDArray[np.bool_]
    user: NDArray[np.int32]
    examples: "Examples"
    dataset: Dataset

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows of the candidates."""
        return self.asked.rows[self.kept]


def task_rows(
    predictor: NetworkPredictor,
    examples: "Examples",
    targets: dict[str, "Target"],
    facts: "CandidateFacts",
    dataset: Dataset,
    split: Split = Split.TEST,
) -> list[MetricRow]:
    """Measure each task on a split, beside the constant of training days.

    Every question is asked as a server asks it; a click's probability is that of the shown slot,
    `e q`. What may come later counts as long as the split lets it be watched: a month's chance is
    not compared with a day's labels. Intervals are over users.
    """
    asked = ask_split(predictor, examples, dataset, split)
    found: list[MetricRow] = []
    if asked is None:
        return found
    for task in predictor.artifact.manifest.tasks:
        target = targets.get(task.name)
        if target is None or task.name in asked.unmeasured:
            continue
        kept = target.asked[asked.rows]
        if kept.any():
            part = _Part(
                task=task,
                asked=asked,
                kept=kept,
                training=target.asked & (facts.split == Split.TRAIN),
                user=facts.user[asked.rows[kept]],
                examples=examples,
                dataset=dataset,
            )
            found += _measure(part, target, split)
    return found


def _measure(part: _Part, target: "Target", split: Split) -> Iterable[MetricRow]:
    from endcap.train.targets import CategoryTarget, CountTarget

    name, asked, kept = part.task.name, part.asked, part.kept
    match target:
        case CountTarget():
            count, usual = target.count[part.rows], target.count[part.training]
            return count_rows(name, split, part.user, count, asked.count(name, kept), usual)
        case CategoryTarget():
            category, usual = target.category[part.rows], target.category[part.training]
            shares = asked.categories(name, kept)
            return category_rows(name, split, part.user, category, shares, usual)
        case _:
            answers = _answers(part, target)
            varies = 0 < answers.label.mean() < 1
            return chance_rows(answers, split) if varies else []


def _answers(part: _Part, target: "BinaryTarget | HazardTarget") -> Answers:
    from endcap.evaluate.watching import constant_chance, label_of
    from endcap.train.targets import HazardTarget

    task, asked, rows, label = part.task, part.asked, part.rows, label_of(target)
    watched = target.limit_hours if isinstance(target, HazardTarget) else None
    hours = None if watched is None else watched[rows]
    of_slots = isinstance(task, Binary) and task.space == "impressions"
    training = np.flatnonzero(part.training)
    return Answers(
        task=task.name,
        label=label[rows],
        probability=as_sampled(asked.chance(task.name, part.kept, hours), asked.log_offset(rows)),
        constant=constant_chance(target, part.training, rows),
        trees=tree_answers(part.examples, label, watched, training, rows),
        user=part.user,
        slots=_slots(part, label) if of_slots else None,
    )


def _slots(part: _Part, label: Floats) -> Slots | None:
    """Name the slots that rows stood in, with the rate of each on training days."""
    table, training, chosen = part.asked.candidates, part.training, part.rows
    placements = part.dataset.shop.placements
    if not placements:
        return None
    number = table.placement.astype(np.int64) * (NO_SLOT + 1) + table.slot
    shown = np.bincount(number[training], minlength=number.max() + 1)
    hits = np.bincount(number[training], weights=label[training], minlength=number.max() + 1)
    rates = np.where(shown > 0, hits / np.maximum(shown, 1), label[training].mean())
    names = {
        int(code): f"{placements[code // (NO_SLOT + 1)]}/{code % (NO_SLOT + 1)}"
        for code in np.unique(number[chosen])
        if code % (NO_SLOT + 1) != NO_SLOT
    }
    return Slots(
        names=names,
        number=number[chosen],
        rate=rates[number[chosen]],
        picked=part.asked.is_picked(part.task.name, part.kept),
    )


def as_sampled(chance: Floats, log_offset: Floats) -> Floats:
    """Return what a chance is among sampled rows, whose labels it is compared with.

    With buyers kept at rate a and others at rate b its log-odds move by log(a / b), exactly
    (Prentice and Pyke 1979); shown slots have an offset of 0 and stay as they are.
    """
    out: Floats = expit(logit(np.clip(chance, 1e-9, 1 - 1e-9)) + log_offset)
    return np.where(log_offset == 0, chance, out)
