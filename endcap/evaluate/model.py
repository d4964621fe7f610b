"""The fitted model in the tables: as a scorer of next items, and in what it says of candidates."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from endcap import metrics
from endcap.evaluate.baselines import LEARNED, ranking_tasks
from endcap.evaluate.ranking import RankReport, rank_report
from endcap.features import DAY_US, CounterHistory
from endcap.metrics import Interval
from endcap.predict import NetworkPredictor
from endcap.schema import Dataset, Hazard, MetricRow, Split
from endcap.train.examples import Examples
from endcap.train.targets import BinaryTarget, CandidateFacts, HazardTarget, Target

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
    examples: Examples,
    targets: dict[str, Target],
    facts: CandidateFacts,
    dataset: Dataset,
    split: Split = Split.TEST,
) -> list[MetricRow]:
    """Measure each task's probabilities on a split, beside the constant of training days.

    Every question is asked as a server asks it, and a probability is that of the shown slot,
    `e q`. Intervals are over users.
    """
    asked = np.flatnonzero((examples.split == split) & (np.diff(examples.candidates.offsets) > 0))
    if len(asked) > MAX_QUESTIONS:
        asked = np.sort(np.random.default_rng(0).choice(asked, MAX_QUESTIONS, replace=False))
    if len(asked) == 0:
        return []
    answers, rows = _ask_all(predictor, examples, dataset, asked)
    found = []
    for task in predictor.artifact.manifest.tasks:
        target = targets.get(task.name)
        if target is None or (isinstance(task, Hazard) and task.measures == "dwell"):
            continue
        label = _label(target)
        kept = target.asked[rows]
        chosen = rows[kept]
        if len(chosen) == 0 or not 0 < label[chosen].mean() < 1:
            continue
        probability = as_sampled(
            answers[task.name][kept], examples.candidates.log_offset[chosen].astype(np.float64)
        )
        training = target.asked & (facts.split == Split.TRAIN)
        constant = np.full(len(chosen), label[training].mean())
        found += _figures(
            task.name, label[chosen], probability, constant, facts.user[chosen], split
        )
    return found


def as_sampled(chance: NDArray[np.float64], log_offset: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a chance is among sampled rows, whose labels it is compared with.

    With buyers kept at rate a and others at rate b its log-odds move by log(a / b), exactly
    (Prentice and Pyke 1979); shown slots have an offset of 0 and stay as they are.
    """
    out: NDArray[np.float64] = expit(logit(np.clip(chance, 1e-9, 1 - 1e-9)) + log_offset)
    return np.where(log_offset == 0, chance, out)


def _label(target: Target) -> NDArray[np.float64]:
    match target:
        case BinaryTarget():
            return target.label.astype(np.float64)
        case HazardTarget():
            return target.observed.astype(np.float64)


def _ask_all(
    predictor: NetworkPredictor,
    examples: Examples,
    dataset: Dataset,
    asked: NDArray[np.int64],
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
        for name, probability in predictor.chances(answers).items():
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


def _weighted_mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    return float(weights @ values / weights.sum())


def _figures(
    task: str,
    label: NDArray[np.float64],
    probability: NDArray[np.float64],
    constant: NDArray[np.float64],
    user: NDArray[np.int32],
    split: Split,
) -> list[MetricRow]:
    def bounded(metric: str, model: str, statistic: metrics.Statistic) -> MetricRow:
        value: Interval = metrics.cluster_interval(statistic, user, resamples=200)
        return MetricRow(
            task=task,
            metric=metric,
            model=model,
            split=split.name.lower(),
            value=value.value,
            low=value.low,
            high=value.high,
            n=len(label),
        )

    rows = [bounded("auc", "endcap", metrics.auc_statistic(label, probability))]
    for model, chance in (("endcap", probability), ("base rate", constant)):
        losses = metrics.log_losses(label, chance)
        rows.append(bounded("log_loss", model, partial(_weighted_mean, losses)))
    error = metrics.expected_calibration_error(label, probability)
    floor = metrics.expected_calibration_floor(probability)
    for metric, value in (("ece", error), ("ece_floor", floor)):
        rows.append(
            MetricRow(
                task=task,
                metric=metric,
                model="endcap",
                split=split.name.lower(),
                value=value,
                n=len(label),
            )
        )
    return rows
