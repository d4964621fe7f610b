"""Base rate, logistic regression and boosted trees on one purchase question."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

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


def any_purchase(model: Fit, days: int, training: PurchaseRows, test: PurchaseRows) -> Chances:
    """Ask ours for a purchase of anything; slope and shift are fitted on the last training day."""

    def told(user: NDArray[np.int64], snapshot: NDArray[np.int64]) -> Chances:
        found = model.any_purchase_chances(user, snapshot, days=days)
        return logit(np.clip(found, 1e-9, 1 - 1e-9))[:, None]

    last = training.snapshot == training.snapshot.max()
    fit = LogisticRegression(C=1e4)
    fit.fit(told(training.user[last], training.snapshot[last]), training.label[last])
    out: Chances = fit.predict_proba(told(test.user, test.snapshot))[:, 1]
    return out


def _on(features: Names) -> ChanceModel:
    return lambda training, test: logistic_chances(training, test, features)
