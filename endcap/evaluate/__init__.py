"""What a model must beat, and how that is measured: baselines, ranking and purchase questions.

Anything with a `name` and `scores(users)` is one more row of the table (`Scorer`); reports keep
one value per user, so any two are compared over the same users. scikit-learn is needed by
`logistic_chances` and `tree_chances` here.
"""

from endcap.evaluate.attended import attention_rows, dimension_rows, examination_rows
from endcap.evaluate.baselines import (
    baseline_reports,
    baseline_table,
    default_baselines,
    fit_tables,
    ranking_tasks,
    rows_of,
)
from endcap.evaluate.card import card_markdown
from endcap.evaluate.classifiers import (
    ChanceReport,
    base_rate,
    compare_auc,
    logistic_chances,
    tree_chances,
)
from endcap.evaluate.cold import cold_rows
from endcap.evaluate.factors import Als, Ease
from endcap.evaluate.facts import Facts, facts_of
from endcap.evaluate.faithfulness import FAITHFULNESS, faithfulness_rows
from endcap.evaluate.model import ModelScorer, model_reports, model_scorers
from endcap.evaluate.neighbours import ForwardCooccurrence, ItemKnn
from endcap.evaluate.popular import OwnHistory, Popularity
from endcap.evaluate.purchases import PurchaseRows, purchase_rows
from endcap.evaluate.ranking import (
    RankingTask,
    RankReport,
    ceiling,
    compare,
    metric_row,
    rank_report,
    ranking_task,
    report_of_ranks,
    target_ranks,
)
from endcap.evaluate.report import report_html
from endcap.evaluate.scorers import Baseline, Blend, LinearScorer, Scorer
from endcap.evaluate.spread import Groups, demand_rows, groups_of, spread_rows
from endcap.evaluate.table import EventTable, table_of
from endcap.evaluate.tasks import task_rows

__all__ = [
    "FAITHFULNESS",
    "Als",
    "Baseline",
    "Blend",
    "ChanceReport",
    "Ease",
    "EventTable",
    "Facts",
    "ForwardCooccurrence",
    "Groups",
    "ItemKnn",
    "LinearScorer",
    "ModelScorer",
    "OwnHistory",
    "Popularity",
    "PurchaseRows",
    "RankReport",
    "RankingTask",
    "Scorer",
    "attention_rows",
    "base_rate",
    "baseline_reports",
    "baseline_table",
    "card_markdown",
    "ceiling",
    "cold_rows",
    "compare",
    "compare_auc",
    "default_baselines",
    "demand_rows",
    "dimension_rows",
    "examination_rows",
    "facts_of",
    "faithfulness_rows",
    "fit_tables",
    "groups_of",
    "logistic_chances",
    "metric_row",
    "model_reports",
    "model_scorers",
    "purchase_rows",
    "rank_report",
    "ranking_task",
    "ranking_tasks",
    "report_html",
    "report_of_ranks",
    "rows_of",
    "spread_rows",
    "table_of",
    "target_ranks",
    "task_rows",
    "tree_chances",
]
