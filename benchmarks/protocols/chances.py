"""Base rate, logistic regression and boosted trees on one purchase question."""

from collections.abc import Callable, Mapping

from benchmarks.protocols.ours import Fit
from benchmarks.protocols.report import Section
from endcap.evaluate import (
    ChanceReport,
    PurchaseRows,
    base_rate,
    compare_auc,
    logistic_chances,
    tree_chances,
)
from endcap.evaluate.classifiers import Chances

ChanceModel = Callable[[PurchaseRows, PurchaseRows], Chances]
"""From training and test rows to the chances of the test rows."""

Names = tuple[str, ...]


def chance_section(
    asked: Mapping[str, PurchaseRows],
    feature_sets: Mapping[str, Names],
    *,
    extra: Mapping[str, ChanceModel],
    resamples: int = 500,
) -> Section:
    """Fit on `asked["training"]`, report on every other part, and pair trees with logistic."""
    models: dict[str, ChanceModel] = {"base rate": base_rate}
    for name, features in feature_sets.items():
        models[name] = _on(features)
    models |= {"logistic, all": logistic_chances, "boosted trees": tree_chances, **extra}
    rows, differences = [], []
    for task, test in asked.items():
        if task == "training":
            continue
        reports = {
            name: ChanceReport(
                task=task,
                model=name,
                label=test.label,
                chance=model(asked["training"], test),
                user=test.user,
            )
            for name, model in models.items()
        }
        rows += [row for report in reports.values() for row in report.rows(resamples=resamples)]
        differences += [
            compare_auc(reports[name], reports["logistic, all"], resamples)
            for name in ("boosted trees", *extra)
        ]
    return Section(title="", metrics=("auc", "log_loss", "ece"), rows=rows, differences=differences)


def any_purchase(model: Fit, days: int, _: PurchaseRows, test: PurchaseRows) -> Chances:
    """Ask ours for P(anything is bought within the days after each snapshot)."""
    return model.shopper_chances(test.user, test.snapshot, days=days)


def _on(features: Names) -> ChanceModel:
    return lambda training, test: logistic_chances(training, test, features)
