"""The fitted model in the tables: as a scorer of next items, and in what it says of candidates."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from endcap.evaluate.baselines import LEARNED, ranking_tasks
from endcap.evaluate.chances import Answers, Slots, chance_rows
from endcap.evaluate.ranking import RankReport, rank_report
from endcap.features import DAY_US, CounterHistory
from endcap.predict import NetworkPredictor
from endcap.schema import NO_SLOT, Binary, Dataset, Hazard, MetricRow, Split

if TYPE_CHECKING:  # torch is not needed to look at figures
    from endcap.train.examples import Examples
    from endcap.train.targets import CandidateFacts, Target

MAX_QUESTIONS = 3_000
"""Questions of a split that are asked one by one, as a server would; a longer split is sampled."""


@dataclass(frozen=True, kw_only=True)
class ModelScorer:
    """A predictor as a row of the ranking tables: histories frozen at the first instant asked."""

    name: str
    predictor: NetworkPredictor
    dataset: Dataset
    counters: NDArray[np.float32]
    at_us: int
    split: Split
    unseen: bool

    def scores(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score every item for some users: [B, V]."""
        return np.stack([self._of(int(user)) for user in users])

    def _of(self, user: int) -> NDArray[np.float32]:
        start, end = self.dataset.histories.offsets[user : user + 2]
        known = np.isin(self.dataset.event_split[start:end], LEARNED[self.split])
        history = self.dataset.histories.events[start:end][known]
        at_us = self.at_us
        if not self.dataset.shop.has_clock and len(history):
            at_us = int(history["timestamp_us"][-1]) + 1
        scores = self.predictor.next_scores(history, at_us, self.counters, unseen=self.unseen)
        return scores[: self.dataset.catalogue.num_items]


def model_reports(
    name: str,
    predictor: NetworkPredictor,
    dataset: Dataset,
    split: Split = Split.TEST,
    k: tuple[int, ...] = (10, 20),
) -> list[RankReport]:
    """Rank with the model, on the users and items that the baselines are ranked on."""
    by_time = dataset.shop.split.kind == "time"
    at_us = dataset.end_of(Split(split - 1)) if by_time else dataset.end_us
    counters = CounterHistory(dataset).as_of(at_us // DAY_US)
    reports = []
    for task in ranking_tasks(dataset, split):
        scorer = ModelScorer(
            name=name,
            predictor=predictor,
            dataset=dataset,
            counters=counters,
            at_us=at_us,
            split=split,
            unseen=task.hidden is not None,
        )
        reports.append(rank_report(name, scorer, task, k))
    return reports


def task_rows(
    predictor: NetworkPredictor,
    examples: "Examples",
    targets: dict[str, "Target"],
    facts: "CandidateFacts",
    dataset: Dataset,
    split: Split = Split.TEST,
) -> list[MetricRow]:
    """Measure each task's probabilities on a split, beside the constant of training days.

    Every question is asked as a server asks it, and a probability is that of the shown slot,
    `e q`. What may come later counts as long as the split lets it be watched: a month's chance is
    not compared with a day's labels. Intervals are over users.
    """
    from endcap.evaluate.watching import constant_chance, label_of, watched_hours

    tasks = predictor.artifact.manifest.tasks
    asked = np.flatnonzero((examples.split == split) & (np.diff(examples.candidates.offsets) > 0))
    if len(asked) > MAX_QUESTIONS:
        asked = np.sort(np.random.default_rng(0).choice(asked, MAX_QUESTIONS, replace=False))
    if len(asked) == 0:
        return []
    watched = {
        task.name: hours
        for task in tasks
        if (hours := watched_hours(task, targets.get(task.name))) is not None
    }
    answers, rows = _ask_all(predictor, examples, dataset, asked, watched)
    found = []
    for task in tasks:
        target = targets.get(task.name)
        if target is None or (isinstance(task, Hazard) and task.measures == "dwell"):
            continue
        label = label_of(target)
        kept = target.asked[rows]
        chosen = rows[kept]
        if len(chosen) == 0 or not 0 < label[chosen].mean() < 1:
            continue
        probability = as_sampled(
            answers[task.name][kept], examples.candidates.log_offset[chosen].astype(np.float64)
        )
        training = target.asked & (facts.split == Split.TRAIN)
        of_slots = isinstance(task, Binary) and task.space == "impressions"
        said = Answers(
            task=task.name,
            label=label[chosen],
            probability=probability,
            constant=constant_chance(target, training, chosen),
            user=facts.user[chosen],
            slots=_slots(examples, dataset, chosen, training, label) if of_slots else None,
        )
        found += chance_rows(said, split)
    return found


def _slots(
    examples: "Examples",
    dataset: Dataset,
    chosen: NDArray[np.int64],
    training: NDArray[np.bool_],
    label: NDArray[np.float64],
) -> Slots | None:
    """Name the slots that rows stood in, with the rate of each on training days."""
    table = examples.candidates
    if not dataset.shop.placements:
        return None
    number = table.placement.astype(np.int64) * (NO_SLOT + 1) + table.slot
    shown = np.bincount(number[training], minlength=number.max() + 1)
    hits = np.bincount(number[training], weights=label[training], minlength=number.max() + 1)
    rates = np.where(shown > 0, hits / np.maximum(shown, 1), label[training].mean())
    names = {
        int(code): f"{dataset.shop.placements[code // (NO_SLOT + 1)]}/{code % (NO_SLOT + 1)}"
        for code in np.unique(number[chosen])
        if code % (NO_SLOT + 1) != NO_SLOT
    }
    return Slots(names=names, number=number[chosen], rate=rates[number[chosen]])


def as_sampled(chance: NDArray[np.float64], log_offset: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a chance is among sampled rows, whose labels it is compared with.

    With buyers kept at rate a and others at rate b its log-odds move by log(a / b), exactly
    (Prentice and Pyke 1979); shown slots have an offset of 0 and stay as they are.
    """
    out: NDArray[np.float64] = expit(logit(np.clip(chance, 1e-9, 1 - 1e-9)) + log_offset)
    return np.where(log_offset == 0, chance, out)


def _ask_all(
    predictor: NetworkPredictor,
    examples: "Examples",
    dataset: Dataset,
    asked: NDArray[np.int64],
    watched: dict[str, NDArray[np.float64]],
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.int64]]:
    """Ask every question by itself; return each task's probabilities and the candidates' rows."""
    table = examples.candidates
    found: dict[str, list[NDArray[np.float64]]] = {}
    rows = [np.arange(table.offsets[k], table.offsets[k + 1]) for k in asked]
    for k, of_question in zip(asked, rows, strict=True):
        start = dataset.histories.offsets[examples.user[k]]
        history = dataset.histories.events[start : examples.visible[k]]
        at_us, device = int(examples.at_us[k]), int(examples.device[k])
        state = predictor.state(history, at_us, device)
        answers, _ = predictor.answers(
            state,
            table.item[of_question],
            table.campaign[of_question],
            table.context[of_question],
        )
        examined = _examined(
            predictor, table.placement[of_question], table.slot[of_question], device
        )
        hours = {name: of_task[of_question] for name, of_task in watched.items()}
        for name, probability in predictor.chances(answers, hours=hours).items():
            in_slot = probability * examined if name in ("click", "ad_click") else probability
            found.setdefault(name, []).append(in_slot)
    return {name: np.concatenate(parts) for name, parts in found.items()}, np.concatenate(rows)


def _examined(
    predictor: NetworkPredictor,
    placement: NDArray[np.uint8],
    slot: NDArray[np.uint8],
    device: int,
) -> NDArray[np.float64]:
    names = predictor.shop.placements
    if not predictor.examines or not names:
        return np.ones(len(slot))
    widest = int(slot[slot < 255].max(initial=0)) + 1
    tables = np.stack([predictor.examination(name, widest, device) for name in names])
    shown = slot < 255
    return np.where(shown, tables[placement, np.where(shown, slot, 0)], 1.0)
