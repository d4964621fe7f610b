"""A figure as a tidy row, the same in `metrics.json`, on the screen and in `--json` answers."""

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
