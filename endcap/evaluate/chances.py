"""Figures of a task's probabilities: order, surprise, calibration by bin and by shown slot."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from endcap import metrics
from endcap.evaluate.ranking import metric_row
from endcap.schema import MetricRow, Split

RESAMPLES = 200
LEAST_SHOWN = 50
"""A slot that was shown less often tells nothing of its calibration."""
OURS, BASE_RATE = "endcap", "base rate"


@dataclass(frozen=True, kw_only=True)
class Slots:
    """Where each row stood, and how often the label came there on training days."""

    names: dict[int, str]
    """Number of a slot -> `placement/slot`."""
    number: NDArray[np.int64]
    rate: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a model said of a task on days kept aside, and what came."""

    task: str
    label: NDArray[np.float64]
    probability: NDArray[np.float64]
    constant: NDArray[np.float64]
    """What training days say of everybody."""
    user: NDArray[np.int32]
    slots: Slots | None = None

    def where(self, mask: NDArray[np.bool_]) -> "Answers":
        """Keep some of the rows, as one part."""
        return Answers(
            task=self.task,
            label=self.label[mask],
            probability=self.probability[mask],
            constant=self.constant[mask],
            user=self.user[mask],
        )


def chance_rows(answers: Answers, split: Split = Split.TEST) -> list[MetricRow]:
    """Measure a task's probabilities as a whole, bin by bin, and slot by slot."""
    part = _Part(answers=answers, constant=answers.constant, split=split)
    rows = [part.bounded("auc", OURS, metrics.auc_statistic(answers.label, answers.probability))]
    rows.append(part.alone("auc", BASE_RATE, metrics.auc(answers.label, answers.constant)))
    rows += [*part.losses(), *part.calibration(), *part.bins()]
    return rows + list(_slot_rows(answers, split))


def _slot_rows(answers: Answers, split: Split) -> Iterator[MetricRow]:
    if answers.slots is None:
        return
    for number, name in sorted(answers.slots.names.items()):
        mask = answers.slots.number == number
        if mask.sum() < LEAST_SHOWN:
            continue
        part = _Part(
            answers=answers.where(mask),
            constant=answers.slots.rate[mask],
            split=split,
            group=f"slot={name}",
        )
        yield from part.losses()
        yield from part.calibration()
        yield from part.totals()


@dataclass(frozen=True, kw_only=True)
class _Part:
    """Some rows of a task, all of them or one slot's."""

    answers: Answers
    constant: NDArray[np.float64]
    split: Split
    group: str = ""

    def bounded(self, metric: str, model: str, statistic: metrics.Statistic) -> MetricRow:
        found = metrics.cluster_interval(statistic, self.answers.user, resamples=RESAMPLES)
        split, n = self.split.name.lower(), len(self.answers.label)
        return metric_row(self.answers.task, metric, model, found, 0, split, self.group, n)

    def alone(self, metric: str, model: str, value: float) -> MetricRow:
        return MetricRow(
            task=self.answers.task,
            metric=metric,
            model=model,
            value=value,
            group=self.group,
            split=self.split.name.lower(),
            n=len(self.answers.label),
        )

    def losses(self) -> list[MetricRow]:
        ours = metrics.log_losses(self.answers.label, self.answers.probability)
        constant = metrics.log_losses(self.answers.label, self.constant)
        return [
            self.bounded("log_loss", OURS, partial(weighted_mean, ours)),
            self.bounded("log_loss", BASE_RATE, partial(weighted_mean, constant)),
            self.bounded(
                "log_loss difference",
                f"{OURS} - {BASE_RATE}",
                partial(weighted_mean, ours - constant),
            ),
        ]

    def calibration(self) -> list[MetricRow]:
        label, probability = self.answers.label, self.answers.probability
        return [
            self.alone("ece", OURS, metrics.expected_calibration_error(label, probability)),
            self.alone("ece_floor", OURS, metrics.expected_calibration_floor(probability)),
        ]

    def totals(self) -> list[MetricRow]:
        """Return the mean of what was said, and of what came, with its interval over users."""
        rows = [self.alone("predicted", OURS, float(self.answers.probability.mean()))]
        known, user = np.unique(self.answers.user, return_inverse=True)
        hits = np.bincount(user.reshape(-1), weights=self.answers.label, minlength=len(known))
        asked = np.bincount(user.reshape(-1), minlength=len(known))
        found = metrics.ratio_interval(hits, asked)
        told = rows[0]
        happened = metric_row(told.task, "happened", OURS, found, 0, told.split, told.group, told.n)
        return [*rows, happened]

    def bins(self) -> list[MetricRow]:
        bins = metrics.calibration_bins(self.answers.label, self.answers.probability)
        rows: list[MetricRow] = []
        for number in range(len(bins.count)):
            mask = bins.bin_of_row == number
            if mask.any():
                part = _Part(
                    answers=self.answers.where(mask),
                    constant=self.constant[mask],
                    split=self.split,
                    group=f"bin={number + 1}",
                )
                rows += part.totals()
        return rows


def weighted_mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return the mean of values by weights."""
    return float(weights @ values / weights.sum())
