"""Figures of a task's probabilities: order, surprise, calibration by bin and by shown slot."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from endcap import metrics
from endcap.errors import LogError
from endcap.evaluate.ranking import metric_row
from endcap.schema import MetricRow, Split

RESAMPLES = 200
LEAST_SHOWN = 50
"""A slot that was shown less often tells nothing of its calibration."""
OURS, BASE_RATE, TREES = "endcap", "base rate", "boosted trees"


@dataclass(frozen=True, kw_only=True)
class Slots:
    """Where each row stood, and how often the label came there on training days."""

    names: dict[int, str]
    """Number of a slot -> `placement/slot`."""
    number: NDArray[np.int64]
    rate: NDArray[np.float64]
    picked: NDArray[np.bool_]
    """Whether the row promises most of all on its page."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a model said of a task on days kept aside, and what came."""

    task: str
    label: NDArray[np.float64]
    probability: NDArray[np.float64]
    constant: NDArray[np.float64]
    """What training days say of everybody."""
    user: NDArray[np.int32]
    trees: NDArray[np.float64] | None = None
    """What boosted trees say; None where there are none."""
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
    rows += [*part.losses(), *part.calibration(), *part.totals(), *part.bins()]
    rows += list(_tree_rows(part))
    return rows + list(_slot_rows(answers, split)) + list(_picked_rows(answers, split))


def _tree_rows(part: "_Part") -> Iterator[MetricRow]:
    """Set boosted trees beside the model: a constant is calibrated, and they are none."""
    answers = part.answers
    if answers.trees is None:
        return
    ours, theirs = (
        metrics.log_losses(answers.label, p) for p in (answers.probability, answers.trees)
    )
    yield part.bounded("auc", TREES, metrics.auc_statistic(answers.label, answers.trees))
    yield part.bounded("log_loss", TREES, partial(weighted_mean, theirs))
    both = f"{OURS} - {TREES}"
    yield part.bounded("log_loss difference", both, partial(weighted_mean, ours - theirs))
    error = metrics.expected_calibration_error(answers.label, answers.trees)
    yield part.alone("ece", TREES, error)


def _picked_rows(answers: Answers, split: Split) -> Iterator[MetricRow]:
    """Measure what promises most on its page apart: the page rule's winners are over-predicted."""
    if answers.slots is None:
        return
    for name, mask in (("the best of its page", answers.slots.picked),
                       ("the others", ~answers.slots.picked)):  # fmt: skip
        if mask.sum() >= LEAST_SHOWN:
            kept = answers.where(mask)
            part = _Part(answers=kept, constant=kept.constant, split=split, group=f"pick={name}")
            yield from part.totals()


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
        """Return the mean of what was said, of what came, and the one over the other.

        Intervals are over users; of the last one there is none where nothing came.
        """
        answers = self.answers
        said = self.alone("predicted", OURS, float(answers.probability.mean()))
        known, user = np.unique(answers.user, return_inverse=True)
        hits = np.bincount(user.reshape(-1), weights=answers.label, minlength=len(known))
        asked = np.bincount(user.reshape(-1), minlength=len(known))
        came = self._ratio("happened", metrics.ratio_interval(hits, asked))
        if not hits.sum():
            return [said, came]
        promised = metrics.cluster_interval(
            lambda weight: _over(
                float(weight @ answers.probability), float(weight @ answers.label)
            ),
            answers.user,
            resamples=RESAMPLES,
        )
        return [said, came, self._ratio("pcoc", promised)]

    def _ratio(self, metric: str, found: metrics.Interval) -> MetricRow:
        split, n = self.split.name.lower(), len(self.answers.label)
        return metric_row(self.answers.task, metric, OURS, found, 0, split, self.group, n)

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


def _over(said: float, came: float) -> float:
    if not came:
        raise LogError("A ratio needs something to divide by; nothing came.")
    return said / came


def weighted_mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return the mean of values by weights."""
    return float(weights @ values / weights.sum())
