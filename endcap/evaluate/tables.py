"""Tidy rows as the tables that people read: models side by side, tasks beside their base rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from endcap.schema import MetricRow

RANKING = (("ndcg", 10), ("recall", 10), ("mrr", 20))
OURS, BASE_RATE, TREES = "endcap", "base rate", "boosted trees"


@dataclass(frozen=True, kw_only=True)
class Table:
    """Lines of written cells; the first column names the line."""

    columns: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    ours: tuple[bool, ...] = ()
    """Which lines are the model's own."""


def where(
    rows: Sequence[MetricRow],
    *,
    task: str | None = None,
    metric: str | None = None,
    model: str | None = None,
    part: str | None = "",
) -> list[MetricRow]:
    """Keep the rows that agree; `part` is the name of a group (`slot`), "" the whole, None all."""

    def agrees(row: MetricRow) -> bool:
        named = row.group.split("=", maxsplit=1)[0]
        return (
            (task is None or row.task == task)
            and (metric is None or row.metric == metric)
            and (model is None or row.model == model)
            and (part is None or named == part)
        )

    return [row for row in rows if agrees(row)]


def part_of(row: MetricRow) -> str:
    """Return what a group is called: "3" of `tenth=3`."""
    return row.group.partition("=")[2]


def ranked_tasks(rows: Sequence[MetricRow]) -> list[str]:
    """List the questions that were answered by lists."""
    return list(dict.fromkeys(row.task for row in where(rows, metric="ndcg")))


def chance_tasks(rows: Sequence[MetricRow]) -> list[str]:
    """List the tasks that were answered by chances."""
    return list(dict.fromkeys(row.task for row in where(rows, metric="log_loss")))


def ranking_table(rows: Sequence[MetricRow], task: str) -> Table:
    """Set the models of one question side by side, the best first."""
    found = {(row.model, row.metric, row.k): row for row in where(rows, task=task)}
    models = {model for model, metric, k in found if (metric, k) == RANKING[0]}
    spread = ("coverage", "gini", "tail_exposure")
    lines = [
        (
            model,
            *(written(found.get((model, metric, k))) for metric, k in RANKING),
            *(written(found.get((model, metric, 10)), bare=True) for metric in spread),
        )
        for model in sorted(models, key=lambda model: -found[model, *RANKING[0]].value)
    ]
    names = [f"{metric.upper() if metric != 'recall' else 'recall'}@{k}" for metric, k in RANKING]
    columns = ("", *names, "coverage", "Gini", "last 80 %")
    return Table(columns=columns, lines=tuple(lines), ours=tuple(line[0] == OURS for line in lines))


_DIFFERENCE = "log_loss difference"
_LOSSES = ("log-loss", "base rate's", "difference")
_WHOLE = ("AUC", "trees'", *_LOSSES, "trees' log-loss", "difference", "ECE", "its floor")
_PART = (*_LOSSES, "ECE", "its floor", "said", "came", "said / came")


def task_table(rows: Sequence[MetricRow], *, part: str = "") -> Table:
    """Set each task, or each slot of a task, beside its base rate."""
    lines = []
    for task in chance_tasks(rows):
        groups = dict.fromkeys(
            row.group for row in where(rows, task=task, metric="log_loss", part=part)
        )
        for group in groups:
            found = {
                (row.model, row.metric): row
                for row in where(rows, task=task, part=part)
                if row.group == group
            }
            lines.append((_title(task, group), *_task_cells(found, whole=not group)))
    columns = ("", "asked", *(_PART if part else _WHOLE))
    return Table(columns=columns, lines=tuple(lines))


def _title(task: str, group: str) -> str:
    place = group.partition("=")[2]
    return f"{task}, {place.replace('/', ' ')}" if place else task


def _task_cells(found: dict[tuple[str, str], MetricRow], *, whole: bool) -> tuple[str, ...]:
    def cell(model: str, metric: str, *, bare: bool = False, digits: int = 4) -> str:
        return written(found.get((model, metric)), bare=bare, digits=digits)

    asked = f"{next(iter(found.values())).n:,}"
    losses = [cell(model, "log_loss", bare=True) for model in (OURS, BASE_RATE)]
    losses.append(cell(f"{OURS} - {BASE_RATE}", _DIFFERENCE))
    errors = [cell(OURS, metric, bare=True) for metric in ("ece", "ece_floor")]
    if whole:
        trees = (cell(TREES, "log_loss", bare=True), cell(f"{OURS} - {TREES}", _DIFFERENCE))
        order = (cell(OURS, "auc", digits=3), cell(TREES, "auc", bare=True, digits=3))
        return (asked, *order, *losses, *trees, *errors)
    said = cell(OURS, "predicted", bare=True, digits=3)
    came = (cell(OURS, "happened", digits=3), cell(OURS, "pcoc", digits=2))
    return (asked, *losses, *errors, said, *came)


def promised_table(rows: Sequence[MetricRow], part: str) -> Table:
    """Set what was said of each part of a task (`slot`, `pick`) beside what came there."""
    lines = []
    for came in where(rows, metric="happened", part=part):
        found = {
            row.metric: row
            for row in where(rows, task=came.task, model=OURS, part=part)
            if row.group == came.group
        }
        said, ratio = (
            written(found.get("predicted"), bare=True),
            written(found.get("pcoc"), digits=2),
        )
        lines.append((_title(came.task, came.group), f"{came.n:,}", said, written(came), ratio))
    return Table(columns=("", "shown", "said", "came", "said / came"), lines=tuple(lines))


def correction_table(rows: Sequence[MetricRow]) -> Table:
    """Set the examination of each slot beside what it was before validation days corrected it."""
    trained = {row.group: row for row in where(rows, metric="examination trained", part="slot")}
    lines = tuple(
        (
            part_of(row).replace("/", " "),
            written(trained.get(row.group)),
            written(row),
            f"{row.value / max(trained[row.group].value, 1e-9):.2f}",
        )
        for row in where(rows, metric="examination", part="slot")
        if row.group in trained
    )
    return Table(columns=("", "trained", "corrected", "factor"), lines=lines)


def written(row: MetricRow | None, *, bare: bool = False, digits: int = 3) -> str:
    """Write a figure, with its 95 % interval unless it is wanted bare."""
    if row is None:
        return "-"
    value = f"{row.value:,.{digits}f}"
    if bare or row.low is None or row.high is None:
        return value
    return f"{value} [{row.low:,.{digits}f}, {row.high:,.{digits}f}]"


def comparison_table(comparisons: Sequence[Mapping[str, Any]], apart: Sequence[str]) -> Table:
    """Write each task alone beside all together."""
    return Table(
        columns=("task", "alone", "together", "alone less together", "shoppers", ""),
        lines=tuple(
            (
                row["task"],
                f"{row['alone']:.4f}",
                f"{row['together']:.4f}",
                f"{row['gain']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}]",
                f"{row['shoppers']:,}",
                "a network of its own" if row["task"] in apart else "",
            )
            for row in comparisons
        ),
    )
