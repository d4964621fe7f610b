"""Figures as tidy rows, the same in `metrics.json`, on the screen and in `--json` answers."""

from msgspec import Struct


class MetricRow(Struct, frozen=True, kw_only=True):
    """One figure with its 95 % interval; `k` is 0 where a cut-off means nothing."""

    task: str
    metric: str
    model: str
    value: float
    k: int = 0
    group: str = ""
    """The part that is measured, as `name=value` (`slot=home/0`, `seller=s1`); empty: the whole."""
    split: str = "test"
    low: float | None = None
    high: float | None = None
    n: int = 0


class CurveRow(Struct, frozen=True, kw_only=True):
    """One point of a learning curve: a task's mean loss (nats a row) or NDCG after an epoch."""

    epoch: int
    """Counted from 1."""
    task: str
    split: str
    """train or validation"""
    metric: str
    """loss, or ndcg@10 of the next item"""
    value: float
