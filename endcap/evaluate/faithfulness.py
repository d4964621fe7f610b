"""Are the events that a model names the ones that its answers stand on?

For the item that the model likes best, the shopper's events are ordered by attention and by what
removing each does, and deleted in that order or kept alone; recency and a random order stand
beside. An order that names reasons must move the answer more than one drawn by lot.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from endcap import metrics
from endcap.features import DAY_US, CounterHistory
from endcap.metrics import Interval
from endcap.predict import (
    NEXT,
    NetworkPredictor,
    explained_task,
    latest,
    log_odds_without,
    respond_without,
)
from endcap.schema import Dataset, MetricRow, NextItem, Question, Split, merged_histories

if TYPE_CHECKING:  # torch is not needed to look at figures
    from endcap.train.examples import Examples

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

FAITHFULNESS = "faithfulness"
MAX_ASKED = 150
"""Shoppers that are asked, one question each."""
MAX_EVENTS, LEAST_EVENTS = 20, 3
"""Events of a shopper that are ordered, the latest; fewer than three have no order to speak of."""
CUTS = (1, 3)
STEPS = 5
RANDOM = "random"


@dataclass(frozen=True, kw_only=True)
class Moves:
    """What deleting and keeping a question's events in one order does to an answer."""

    comprehensiveness: dict[int, float]
    sufficiency: dict[int, float]
    deletion_auc: float


def faithfulness_rows(
    predictor: NetworkPredictor, dataset: Dataset, examples: "Examples", split: Split = Split.TEST
) -> list[MetricRow]:
    """Measure orders of events on a split, for the next item and for a candidate's foremost task.

    Intervals are over shoppers; `deletion_auc_above_random` is the paired difference.
    """
    tasks = {explained_task(predictor)}
    if any(isinstance(task, NextItem) for task in predictor.artifact.manifest.tasks):
        tasks.add(NEXT)
    rows = []
    for task in sorted(tasks):
        questions = best_questions(predictor, dataset, examples, split, task)
        random = np.random.default_rng(0)
        found: dict[str, list[Moves]] = {}
        for question in questions:
            orders = importance(predictor, question, task)
            orders[RANDOM] = random.random(len(predictor.graphs.window(question.history)))
            for name, moves in moves_of(predictor, question, task, orders).items():
                found.setdefault(name, []).append(moves)
        rows += _rows(f"{FAITHFULNESS} ({task})", found, split)
    return rows


def best_questions(
    predictor: NetworkPredictor, dataset: Dataset, examples: "Examples", split: Split, task: str
) -> list[Question]:
    """Ask shoppers of a split, each once, about the item that the model likes best."""
    offsets = examples.next_offsets if task == NEXT else examples.candidates.offsets
    asked = np.flatnonzero((examples.split == split) & (np.diff(offsets) > 0))
    asked = np.random.default_rng(1).permutation(asked)
    asked = np.sort(asked[np.unique(examples.user[asked], return_index=True)[1]])
    histories, counters = merged_histories(dataset), CounterHistory(dataset)
    questions: list[Question] = []
    for row in np.random.default_rng(2).permutation(asked):
        user, at_us = int(examples.user[row]), int(examples.at_us[row])
        events = histories.of(user)
        candidates = slice(*examples.candidates.offsets[row : row + 2])
        whole = Question(
            user_id=dataset.user_ids[user],
            history=events[events["timestamp_us"] < at_us],
            at_us=at_us,
            device=int(examples.device[row]),
            item=examples.candidates.item[candidates].astype(np.int32),
            campaign=examples.candidates.campaign[candidates].astype(np.int32),
            counters=counters.as_of(at_us // DAY_US),
        )
        question = latest(predictor, whole, MAX_EVENTS)
        if len(predictor.graphs.window(question.history)) >= LEAST_EVENTS:
            questions.append(_about_the_best(predictor, question, task))
        if len(questions) == MAX_ASKED:
            break
    return questions


def _about_the_best(predictor: NetworkPredictor, question: Question, task: str) -> Question:
    if task == NEXT:
        item = predictor.retrieve(question, 1)
        return replace(question, item=item, campaign=np.full(1, -1, dtype=np.int32))
    best = np.argmax(log_odds_without(predictor, question, task, [_NONE])[0])
    chosen = slice(best, best + 1)
    return replace(question, item=question.item[chosen], campaign=question.campaign[chosen])


_NONE: Places = np.zeros(0, dtype=np.int64)


def importance(predictor: NetworkPredictor, question: Question, task: str) -> dict[str, Floats]:
    """Return what each way of naming reasons says of each event [T]; more is more of a reason."""
    width = len(predictor.graphs.window(question.history))
    removed = [_NONE, *(np.array([place]) for place in range(width))]
    answers = log_odds_without(predictor, question, task, removed)[:, 0]
    found = {"event removal": answers[0] - answers[1:], "recency": np.arange(float(width))}
    if task != NEXT:
        seen = respond_without(predictor, question, [_NONE]).events[0, 0, 1:]
        found["attention"] = seen.astype(np.float64)
    return found


def moves_of(
    predictor: NetworkPredictor, question: Question, task: str, orders: dict[str, Floats]
) -> dict[str, Moves]:
    """Delete and keep a question's events in several orders, all in one call."""
    width = len(predictor.graphs.window(question.history))
    counts = [round(width * step / STEPS) for step in range(STEPS + 1)]
    cuts = [min(k, width) for k in CUTS]
    removed: list[Places] = []
    for scores in orders.values():
        first = np.argsort(-scores, kind="stable")
        removed += [first[:count] for count in counts]
        removed += [first[:count] for count in cuts] + [first[count:] for count in cuts]
    answers = log_odds_without(predictor, question, task, removed)[:, 0]
    found = {}
    for name, part in zip(orders, answers.reshape(len(orders), -1), strict=True):
        curve, without, alone = np.split(part, [len(counts), len(counts) + len(cuts)])
        found[name] = Moves(
            comprehensiveness={
                k: metrics.comprehensiveness(curve[0], value)
                for k, value in zip(CUTS, without, strict=True)
            },
            sufficiency={
                k: metrics.sufficiency(curve[0], value)
                for k, value in zip(CUTS, alone, strict=True)
            },
            deletion_auc=metrics.deletion_auc(np.array(counts) / width, curve),
        )
    return found


def _rows(task: str, found: dict[str, list[Moves]], split: Split) -> list[MetricRow]:
    rows = []

    def add(metric: str, name: str, value: Interval, k: int = 0) -> None:
        row = MetricRow(
            task=task,
            metric=metric,
            model=name,
            k=k,
            split=split.name.lower(),
            value=value.value,
            low=value.low,
            high=value.high,
            n=value.n,
        )
        rows.append(row)

    for name, moves in found.items():
        areas = np.array([each.deletion_auc for each in moves])
        for k in CUTS:
            deleted = np.array([each.comprehensiveness[k] for each in moves])
            kept = np.array([each.sufficiency[k] for each in moves])
            add("comprehensiveness", name, metrics.interval(deleted), k)
            add("sufficiency", name, metrics.interval(kept), k)
        add("deletion_auc", name, metrics.interval(areas))
        if name != RANDOM:
            chance = np.array([each.deletion_auc for each in found[RANDOM]])
            difference = metrics.paired_interval(areas, chance)
            add("deletion_auc_above_random", name, difference)
    return rows
