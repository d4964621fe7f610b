"""All figures of a model on days kept aside: lists, tasks, attention, whom the lists serve."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from endcap.api.model import Model
from endcap.errors import LogError
from endcap.schema import Dataset, MetricRow

if TYPE_CHECKING:
    from endcap.evaluate import RankReport
    from endcap.train.examples import Examples
    from endcap.train.tasks import TaskPlan

NAME = "endcap"
ShopperGroups = Mapping[str, Mapping[str, str]]
"""Kind of group -> user id -> group: `{"city": {"u1": "Berlin"}}`."""


def all_figures(
    model: Model,
    dataset: Dataset,
    examples: "Examples",
    plan: "TaskPlan",
    *,
    groups: ShopperGroups | None = None,
) -> list[MetricRow]:
    """Measure a model on the test days of a log, baselines in the same table."""
    from endcap.evaluate import attention_rows, examination_rows, faithfulness_rows, task_rows

    predictor = model.predictor
    return [
        *ranking_figures(model, dataset, groups=groups),
        *task_rows(predictor, examples, plan.targets, plan.facts, dataset),
        *examination_rows(predictor),
        *attention_rows(predictor, examples, dataset),
        *faithfulness_rows(predictor, dataset, examples),
    ]


def ranking_figures(
    model: Model, dataset: Dataset, *, groups: ShopperGroups | None = None
) -> list[MetricRow]:
    """Rank next items by the model and by the baselines, on the same users."""
    from endcap.evaluate import (
        baseline_reports,
        cold_rows,
        demand_rows,
        groups_of,
        model_reports,
        model_scorers,
        ranking_tasks,
        rows_of,
        spread_rows,
    )

    try:
        tasks = {task.name: task for task in ranking_tasks(dataset)}
        baselines = baseline_reports(dataset)
        ours = model_reports(NAME, model.predictor, dataset)
    except LogError:
        return []  # nobody came back on test days: there is nothing to rank
    parts = groups_of(dataset, shopper_groups=groups)
    rows = rows_of([*baselines, *ours])
    for report in (*baselines, *ours):
        rows += spread_rows(report, tasks[report.task], parts)
    for task in tasks.values():
        rows += demand_rows(task, parts)
    for task, scorer in model_scorers(NAME, model.predictor, dataset):
        rows += cold_rows(scorer, task, dataset)
    return rows + [row for report in ours for row in _against_best(report, baselines)]


def _against_best(report: "RankReport", baselines: "Sequence[RankReport]") -> list[MetricRow]:
    """Bound the difference to the best baseline, which test days chose: a hard opponent."""
    from endcap.evaluate import compare

    rivals = [other for other in baselines if other.task == report.task]
    best = max(rivals, key=lambda other: other.mean("ndcg", 10))
    return [compare(report, best, metric, 10) for metric in ("ndcg", "recall")]
