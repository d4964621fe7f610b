"""What a fitted model says of its tasks on a split, beside the constant of training days."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import nbinom

from endcap import metrics
from endcap.evaluate.asking import Asked, ask_split
from endcap.predict import NetworkPredictor
from endcap.schema import Dataset, MetricRow, Split
from endcap.train.examples import Examples
from endcap.train.targets import (
    BinaryTarget,
    CandidateFacts,
    CategoryTarget,
    CountTarget,
    HazardTarget,
    Target,
)

Floats = NDArray[np.float64]

ENDCAP, BASE_RATE = "endcap", "base rate"


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One task's asked rows as figures: names of the task and split, and whose rows they are."""

    task: str
    split: str
    user: NDArray[np.int32]

    def mean(self, metric: str, model: str, each: Floats) -> MetricRow:
        """Return a mean over rows with its interval over users."""
        return self.bounded(metric, model, partial(_weighted_mean, each))

    def bounded(self, metric: str, model: str, statistic: metrics.Statistic) -> MetricRow:
        """Return a statistic of weighted rows with its interval over users."""
        value = metrics.cluster_interval(statistic, self.user, resamples=200)
        row = self.plain(metric, model, value.value)
        return MetricRow(
            task=row.task, metric=metric, model=model, split=row.split, n=row.n,
            value=value.value, low=value.low, high=value.high,
        )  # fmt: skip

    def plain(self, metric: str, model: str, value: float) -> MetricRow:
        """Return a figure without an interval."""
        return MetricRow(
            task=self.task, metric=metric, model=model, split=self.split, value=value,
            n=len(self.user),
        )  # fmt: skip


def task_rows(
    predictor: NetworkPredictor,
    examples: Examples,
    targets: dict[str, Target],
    facts: CandidateFacts,
    dataset: Dataset,
    split: Split = Split.TEST,
) -> list[MetricRow]:
    """Measure each task on a split, beside the constant of training days.

    Every question is asked as a server asks it; a click's probability is that of the shown slot,
    `e q`, and a delay's is that of the time that the row was watched. Intervals are over users.
    """
    asked = ask_split(predictor, examples, dataset, split)
    if asked is None:
        return []
    found: list[MetricRow] = []
    for task in predictor.artifact.manifest.tasks:
        target = targets.get(task.name)
        if target is None or task.name in asked.unmeasured:
            continue
        kept = target.asked[asked.rows]
        figures = Figures(
            task=task.name, split=split.name.lower(), user=facts.user[asked.rows[kept]]
        )
        training = target.asked & (facts.split == Split.TRAIN)
        if kept.any():
            found += _measure(figures, target, asked, kept, training)
    return found


def _measure(
    figures: Figures,
    target: Target,
    asked: Asked,
    kept: NDArray[np.bool_],
    training: NDArray[np.bool_],
) -> Iterator[MetricRow] | list[MetricRow]:
    rows = asked.rows[kept]
    match target:
        case BinaryTarget():
            label = target.label.astype(np.float64)
            chance = asked.chance(figures.task, kept)
        case HazardTarget():
            label = target.observed.astype(np.float64)
            chance = asked.chance(figures.task, kept, target.limit_hours[rows])
        case CountTarget():
            return _count_figures(figures, target, asked, kept, training)
        case CategoryTarget():
            return _category_figures(figures, target, asked, kept, training)
    if not 0 < label[rows].mean() < 1:
        return []
    return _chance_figures(
        figures,
        label[rows],
        as_sampled(chance, asked.log_offset(rows)),
        float(label[training].mean()),
    )


def as_sampled(chance: Floats, log_offset: Floats) -> Floats:
    """Return what a chance is among sampled rows, whose labels it is compared with.

    With buyers kept at rate a and others at rate b its log-odds move by log(a / b), exactly
    (Prentice and Pyke 1979); shown slots have an offset of 0 and stay as they are.
    """
    out: Floats = expit(logit(np.clip(chance, 1e-9, 1 - 1e-9)) + log_offset)
    return np.where(log_offset == 0, chance, out)


def _chance_figures(
    figures: Figures, label: Floats, chance: Floats, rate: float
) -> Iterator[MetricRow]:
    yield figures.bounded("auc", ENDCAP, metrics.auc_statistic(label, chance))
    yield figures.mean("log_loss", ENDCAP, metrics.log_losses(label, chance))
    constant = np.full(len(label), rate)
    yield figures.mean("log_loss", BASE_RATE, metrics.log_losses(label, constant))
    yield figures.plain("ece", ENDCAP, metrics.expected_calibration_error(label, chance))
    yield figures.plain("ece_floor", ENDCAP, metrics.expected_calibration_floor(chance))


def _count_figures(
    figures: Figures,
    target: CountTarget,
    asked: Asked,
    kept: NDArray[np.bool_],
    training: NDArray[np.bool_],
) -> Iterator[MetricRow]:
    count = target.count[asked.rows[kept]]
    mean, size = asked.count(figures.task, kept)
    usual = target.count[training]
    yield figures.mean("log_loss", ENDCAP, count_losses(count, mean, size))
    each = np.ones(len(count))
    # The constant has the mean and the variance of training days.
    m, v = max(float(usual.mean()), 1e-3), float(usual.var())
    r = m**2 / max(v - m, 1e-3 * m)
    yield figures.mean("log_loss", BASE_RATE, count_losses(count, m * each, r * each))
    yield figures.mean("mae", ENDCAP, np.abs(count - mean))
    yield figures.mean("mae", BASE_RATE, np.abs(count - m))
    yield figures.plain("expected_over_seen", ENDCAP, float(mean.sum() / max(count.sum(), 1)))


def count_losses(count: NDArray[np.int64], mean: Floats, size: Floats) -> Floats:
    """Return each row's negative log-likelihood of a negative binomial, in nats."""
    out: Floats = -nbinom.logpmf(count, size, size / (size + mean))
    return out


def _category_figures(
    figures: Figures,
    target: CategoryTarget,
    asked: Asked,
    kept: NDArray[np.bool_],
    training: NDArray[np.bool_],
) -> Iterator[MetricRow]:
    category = target.category[asked.rows[kept]]
    share = asked.categories(figures.task, kept)
    usual = np.bincount(target.category[training], minlength=share.shape[1]) + 1.0
    usual /= usual.sum()
    told = share[np.arange(len(category)), category]
    yield figures.mean("log_loss", ENDCAP, -np.log(np.maximum(told, 1e-12)))
    yield figures.mean("log_loss", BASE_RATE, -np.log(usual[category]))
    yield figures.mean("hit_rate", ENDCAP, (share.argmax(axis=1) == category).astype(np.float64))
    yield figures.mean("hit_rate", BASE_RATE, (usual.argmax() == category).astype(np.float64))


def _weighted_mean(values: Floats, weights: Floats) -> float:
    return float(weights @ values / weights.sum())
