"""What a section of the report is made of."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from endcap.evaluate.charts import Chart
from endcap.evaluate.tables import Table
from endcap.schema import MetricRow

Rows = Sequence[MetricRow]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A titled part of a section: pictures, a table, or the reason why there is none."""

    title: str = ""
    note: str = ""
    charts: tuple[Chart, ...] = ()
    table: Table | None = None
    folded: bool = False
    """Whether the table opens on a click."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A question that the report answers."""

    name: str
    title: str
    says: str
    panels: list[Panel] = field(default_factory=list)


def drawn_ones(*found: Chart | None) -> tuple[Chart, ...]:
    """Leave out the charts that could not be drawn."""
    return tuple(chart for chart in found if chart is not None)


def capital(task: str) -> str:
    """Begin a task's name with a capital letter."""
    return f"{task[:1].upper()}{task[1:]}"
