"""Learning curves: what a fit tells after each epoch."""

from collections.abc import Iterable, Iterator
from math import isfinite

from msgspec import Struct

from endcap.schema import CurveRow

NDCG = "_ndcg@10"
"""Ends the name of the figure that stands beside the next item's loss."""


class Epoch(Struct, frozen=True, kw_only=True):
    """One pass over the training days, and what validation days say of it."""

    epoch: int
    """Counted from 1."""
    seconds: float
    learning_rate: float
    objective: float
    """Mean over batches of what was minimised: scaled losses and priors."""
    figure: float
    """What the best epoch is chosen by, on validation days; less is better."""
    train: dict[str, float]
    """Each task's mean loss in nats, as its batches came, with dropout."""
    validation: dict[str, float]
    """The same after the epoch, without dropout, and the next item's NDCG."""

    def figures(self) -> dict[str, float]:
        """Return all numbers of the epoch by the names that trackers show."""
        return {
            "learning_rate": self.learning_rate,
            "objective/train": self.objective,
            "objective/validation": self.figure,
            **{f"{row.metric}/{row.task}/{row.split}": row.value for row in curve_rows([self])},
        }


def curve_rows(epochs: Iterable[Epoch]) -> list[CurveRow]:
    """Return the curves of all tasks as tidy rows; a figure that is no number leaves a gap."""
    return [row for epoch in epochs for row in _rows(epoch) if isfinite(row.value)]


def _rows(epoch: Epoch) -> Iterator[CurveRow]:
    for split, figures in (("train", epoch.train), ("validation", epoch.validation)):
        for name, value in figures.items():
            metric = NDCG[1:] if name.endswith(NDCG) else "loss"
            yield CurveRow(
                epoch=epoch.epoch,
                task=name.removesuffix(NDCG),
                split=split,
                metric=metric,
                value=value,
            )
