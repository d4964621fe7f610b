"""Figures in a notebook: rows to filter, tables to look at, pictures to show."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from endcap.errors import QueryError
from endcap.schema import MetricRow, html_table

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from endcap.evaluate.charts import Chart

Plot = Literal["lists", "calibration", "popularity"]
PLOTS: tuple[Plot, ...] = ("lists", "calibration", "popularity")


class Figures(Sequence[MetricRow]):
    """A model's figures as tidy rows, beside those of the baselines.

    Example:
        model.metrics.where(metric="recall", k=10).to_polars()
        model.metrics.plot("calibration", task="click")
    """

    def __init__(self, rows: Sequence[MetricRow]) -> None:
        self.rows = list(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: Any) -> Any:
        return Figures(self.rows[place]) if isinstance(place, slice) else self.rows[place]

    def __iter__(self) -> Iterator[MetricRow]:
        return iter(self.rows)

    def where(self, **wanted: Any) -> "Figures":
        """Keep the rows whose fields have these values; `group` is "" for the whole."""
        if unknown := sorted(set(wanted) - set(MetricRow.__struct_fields__)):
            raise QueryError(
                f"A figure has no {unknown[0]!r}; its fields are "
                f"{', '.join(MetricRow.__struct_fields__)}."
            )
        return Figures(
            [
                row
                for row in self.rows
                if all(getattr(row, name) == value for name, value in wanted.items())
            ]
        )

    def to_polars(self) -> "pl.DataFrame":
        """Return the rows as a data frame."""
        import polars as pl

        names = MetricRow.__struct_fields__
        lines = [[getattr(row, name) for name in names] for row in self.rows]
        return pl.DataFrame(lines, schema=list(names), orient="row", infer_schema_length=None)

    def to_pandas(self) -> "pd.DataFrame":
        """Return the rows as a pandas data frame (pandas must be installed)."""
        import pandas as pd

        names = MetricRow.__struct_fields__
        return pd.DataFrame(
            [[getattr(row, name) for name in names] for row in self.rows], columns=list(names)
        )

    def plot(self, kind: Plot = "lists", *, task: str | None = None) -> "Chart":
        """Draw the model beside the baselines.

        Args:
            kind: "lists" (recall with intervals), "calibration" (a task's chances), or
                "popularity" (recall by tenth of the items).
            task: which task; the first that has such figures by default.

        Raises:
            MissingExtraError: matplotlib is not installed.
            QueryError: there is no such plot, or no figure for it.
        """
        from endcap.evaluate import plots

        if kind not in PLOTS:
            raise QueryError(f"kind must be one of {', '.join(PLOTS)}, got {kind!r}.")
        match kind:
            case "lists":
                chart = plots.lists(self.rows, task)
            case "calibration":
                chart = plots.calibration(self.rows, task)
            case _:
                chart = plots.popularity(self.rows, task)
        if chart is None:
            of_task = f" of task {task!r}" if task else ""
            raise QueryError(f"There is no figure{of_task} to draw {kind} from.")
        return chart

    def __repr__(self) -> str:
        models = ", ".join(dict.fromkeys(row.model for row in self.where(metric="ndcg", k=10)))
        tasks = ", ".join(dict.fromkeys(row.task for row in self.rows if not row.group))
        return f"{len(self.rows):,} figures of {tasks or 'no task'}; lists by {models or 'nobody'}"

    def _repr_html_(self) -> str:
        from endcap.evaluate.tables import ranked_tasks, ranking_table, task_table

        parts = []
        for task in ranked_tasks(self.rows):
            found = ranking_table(self.rows, task)
            shoppers = self.where(task=task, metric="ndcg", group="")[0].n
            title = f"{task[:1].upper()}{task[1:]}: {shoppers:,} shoppers, 95 % intervals"
            parts.append(html_table(title, found.columns, found.lines))
        tasks = task_table(self.rows)
        if tasks.lines:
            title = "Chances, beside the constant rate of training days"
            parts.append(html_table(title, tasks.columns, tasks.lines))
        return "".join(parts) or f"<p>{self!r}</p>"
