"""Logistic regression and boosted trees as baselines of a chance, and one report for any chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap import metrics
from endcap.errors import MissingExtraError
from endcap.evaluate.purchases import PurchaseRows
from endcap.evaluate.ranking import metric_row
from endcap.schema import MetricRow

Chances = NDArray[np.float64]


def base_rate(training: PurchaseRows, test: PurchaseRows) -> Chances:
    """Give everybody the rate of the training rows."""
    return np.full(len(test.label), training.label.mean())


def logistic_chances(
    training: PurchaseRows, test: PurchaseRows, names: Sequence[str] | None = None
) -> Chances:
    """Fit a logistic regression on log(1 + x), standardised, C = 1."""
    pipeline, preprocessing, linear = _sklearn("pipeline", "preprocessing", "linear_model")
    model = pipeline.make_pipeline(
        preprocessing.FunctionTransformer(np.log1p),
        preprocessing.StandardScaler(),
        linear.LogisticRegression(C=1.0, max_iter=2000),
    )
    return _fit_predict(model, training, test, names)


def tree_chances(
    training: PurchaseRows,
    test: PurchaseRows,
    names: Sequence[str] | None = None,
    *,
    seeds: tuple[int, ...] = (0, 1),
) -> Chances:
    """Fit small histogram-boosted trees, parameters fixed in advance; mean of the seeds."""
    chances: Chances = np.mean(
        [_fit_predict(boosted_trees(seed), training, test, names) for seed in seeds], axis=0
    )
    return chances


def boosted_trees(seed: int = 0) -> Any:
    """Return a classifier of small histogram-boosted trees, not fitted yet.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    (ensemble,) = _sklearn("ensemble")
    return ensemble.HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=150,
        max_leaf_nodes=8,
        min_samples_leaf=50,
        l2_regularization=10.0,
        max_features=0.5,
        early_stopping=False,
        random_state=seed,
    )


@dataclass(frozen=True, kw_only=True)
class ChanceReport:
    """One model's chances beside what came, by user."""

    task: str
    model: str
    label: NDArray[np.bool_]
    chance: Chances
    user: NDArray[np.int64]

    def rows(self, split: str = "test", resamples: int = 1000) -> list[MetricRow]:
        """Return AUC, log-loss and calibration error (with its floor), bounded over users."""
        losses = metrics.log_losses(self.label, self.chance)
        bounded = {
            "auc": metrics.auc_statistic(self.label, self.chance),
            "log_loss": lambda weight: float(np.average(losses, weights=weight)),
        }
        rows = [
            metric_row(
                self.task,
                metric,
                self.model,
                metrics.cluster_interval(statistic, self.user, resamples=resamples),
                split=split,
            )
            for metric, statistic in bounded.items()
        ]
        single = {
            "ece": metrics.expected_calibration_error(self.label, self.chance),
            "ece_floor": metrics.expected_calibration_floor(self.chance),
            "pcoc": metrics.pcoc(self.label, self.chance),
        }
        return rows + [
            MetricRow(
                task=self.task,
                metric=metric,
                model=self.model,
                split=split,
                value=value,
                n=rows[0].n,
            )
            for metric, value in single.items()
        ]


def compare_auc(report: ChanceReport, baseline: ChanceReport, resamples: int = 1000) -> MetricRow:
    """Bound the paired difference in AUC over the same users: ours minus the baseline's."""
    ours = metrics.auc_statistic(report.label, report.chance)
    theirs = metrics.auc_statistic(baseline.label, baseline.chance)
    found = metrics.cluster_interval(
        lambda weight: ours(weight) - theirs(weight), report.user, resamples=resamples
    )
    return metric_row(report.task, "auc difference", f"{report.model} - {baseline.model}", found)


def _fit_predict(
    model: Any, training: PurchaseRows, test: PurchaseRows, names: Sequence[str] | None
) -> Chances:
    chosen = training.names if names is None else names
    model.fit(training.columns(chosen), training.label)
    chances: Chances = model.predict_proba(test.columns(chosen))[:, 1]
    return chances


def _sklearn(*names: str) -> list[Any]:
    """Import parts of scikit-learn, which is an extra: the other baselines do without it."""
    import importlib

    try:
        return [importlib.import_module(f"sklearn.{name}") for name in names]
    except ImportError as error:
        raise MissingExtraError(
            "Logistic and boosted baselines need scikit-learn: pip install 'endcap[evaluate]'."
        ) from error
