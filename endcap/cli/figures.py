"""Figures as people read them: next items beside baselines, tasks beside their base rate."""

from collections.abc import Sequence
from typing import Any

from endcap.cli.screen import Figure, Screen, figure
from endcap.schema import MetricRow

RANKING = (("ndcg", 10), ("recall", 10))
"""What fits on a screen; `metrics.json` and `--json` have all figures, with all intervals."""
SHOWN = ("ndcg", "recall", "hit_rate", "mrr", "auc", "log_loss", "ece", "ece_floor")
FIT, TREES = "endcap", "boosted trees"
REASONS = "faithfulness"
"""Starts the names of rows that tell whether the events that are named as reasons are some."""

Key = tuple[str, str, int]
"""model, metric, k"""


def show_figures(screen: Screen, rows: Sequence[MetricRow]) -> None:
    """Print the ranking tables, then the table of tasks."""
    parts = rows
    rows = [row for row in rows if not row.group and row.metric in SHOWN]
    if not rows:
        screen.say("There are no figures: too little happened on the days kept aside.")
    reasons = [row for row in rows if row.task.startswith(REASONS)]
    rows = [row for row in rows if not row.task.startswith(REASONS)]
    tasks = dict.fromkeys(row.task for row in rows)
    ranked = [task for task in tasks if any(row.k for row in _of(rows, task))]
    for task in ranked:
        _show_ranking(screen, task, _of(rows, task))
    _show_tasks(screen, {task: _of(rows, task) for task in tasks if task not in ranked})
    _show_promises(screen, "By shown slot, 95 % intervals", parts, "slot=")
    title = "Winners: of each shown page the one that promised most, and the others"
    _show_promises(screen, title, parts, "pick=")
    for task in dict.fromkeys(row.task for row in reasons):
        _show_reasons(screen, task, _of(reasons, task))


def show_left_out(screen: Screen, left_out: dict[str, str]) -> None:
    """Print which tasks were left out, and why."""
    screen.table("Left out", ["task", "reason"], list(left_out.items()))


def _of(rows: Sequence[MetricRow], task: str) -> list[MetricRow]:
    return [row for row in rows if row.task == task]


def _show_ranking(screen: Screen, task: str, rows: list[MetricRow]) -> None:
    found = {(row.model, row.metric, row.k): row for row in rows}
    first = rows[0]
    screen.table(
        f"{task[:1].upper()}{task[1:]}: {first.n:,} shoppers of {first.split} days, 95 % intervals",
        ["model", *(f"{metric}@{k}" for metric, k in RANKING), "mrr@20"],
        [
            [
                model,
                *(_written(found.get((model, metric, k))) for metric, k in RANKING),
                _alone(found.get((model, "mrr", 20))),
            ]
            for model in dict.fromkeys(row.model for row in rows)
        ],
    )


def _show_reasons(screen: Screen, task: str, rows: list[MetricRow]) -> None:
    found = {(row.model, row.metric, row.k): row for row in rows}
    screen.table(
        f"{task[:1].upper()}{task[1:]}: fall of the log-odds as events go, of {rows[0].n:,}"
        " shoppers; 95 % intervals",
        [
            "events in order of",
            "first gone",
            "first alone (less is better)",
            "area",
            "above random",
        ],
        [
            [
                name,
                _written(found.get((name, "comprehensiveness", 1))),
                _written(found.get((name, "sufficiency", 1))),
                _written(found.get((name, "deletion_auc", 0))),
                _written(found.get((name, "deletion_auc_above_random", 0))),
            ]
            for name in dict.fromkeys(row.model for row in rows)
        ],
    )


def _show_tasks(screen: Screen, tasks: dict[str, list[MetricRow]]) -> None:
    lines = []
    for task, rows in tasks.items():
        found = {(row.model, row.metric): row for row in rows}
        lines.append(
            [
                task,
                rows[0].n,
                _written(found.get((FIT, "auc"))),
                figure(row.value if (row := found.get((TREES, "auc"))) else None),
                _alone(found.get((FIT, "log_loss"))),
                _alone(found.get(("base rate", "log_loss"))),
                _alone(found.get((TREES, "log_loss"))),
                _alone(found.get((FIT, "ece"))),
                _alone(found.get((FIT, "ece_floor"))),
            ]
        )
    columns = ["task", "asked", "AUC", "trees'", "log-loss", "base rate's", "trees'", "ECE"]
    columns.append("its floor")
    screen.table(
        "Tasks, 95 % intervals; ECE's floor is what chance alone would give", columns, lines
    )


def _show_promises(screen: Screen, title: str, rows: Sequence[MetricRow], prefix: str) -> None:
    """Print what was said of parts of a task beside what came there."""
    found = {(row.task, row.group, row.metric): row for row in rows if row.model == FIT}
    lines = [
        [
            f"{task}, {group.removeprefix(prefix).replace('/', ' ')}",
            came.n,
            _alone(found.get((task, group, "predicted"))),
            _written(came),
            _written(found.get((task, group, "pcoc"))),
        ]
        for (task, group, metric), came in found.items()
        if metric == "happened" and group.startswith(prefix)
    ]
    screen.table(title, ["shown", "times", "said", "came", "said / came"], lines)


def _written(row: MetricRow | None) -> Figure:
    return figure(row.value, row.low, row.high) if row else figure(None)


def _alone(row: MetricRow | None) -> Figure:
    return figure(row.value if row else None, digits=4)


def show_compared(screen: Screen, training: dict[str, Any]) -> None:
    """Print each task alone beside all together, where the fit compared them."""
    rows, apart = training.get("task_comparisons", ()), training.get("apart", ())
    if rows:
        screen.table(
            "Each task alone and with the others: mean loss on validation days",
            ["task", "alone", "together", "difference", "from", "to", ""],
            [
                [
                    *(row[name] for name in ("task", "alone", "together", "gain", "low", "high")),
                    "has a network of its own" if row["task"] in apart else "",
                ]
                for row in rows
            ],
        )
