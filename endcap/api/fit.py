"""`endcap.fit` and `endcap.evaluate`: from a log to a model with its figures beside baselines."""

from pathlib import Path
from typing import TYPE_CHECKING

from endcap.api.fitting import (
    Report,
    check_out,
    fingerprint_of,
    fit_dataset,
    require_train,
)
from endcap.api.model import Model, load
from endcap.api.rows import align
from endcap.artifact import write_metrics
from endcap.errors import LogError
from endcap.features import CounterHistory
from endcap.prep import Log, encode, read
from endcap.schema import Dataset, MetricRow, Split

if TYPE_CHECKING:
    from endcap.train import Fitted, TrainConfig


def fit(
    log: Log | str | Path,
    *,
    out: str | Path = "shop.model",
    config: "TrainConfig | None" = None,
    seed: int = 0,
    epochs: int | None = None,
    report: Report | None = None,
) -> Model:
    """Fit a model on a log and write it, with its figures on test days, into the folder `out`.

    Args:
        log: what `endcap.read` returned, or a path to read.
        config: a whole training configuration; chosen by the log's size and shape when absent.
        seed: the same log, seed and machine give the same model.
        epochs: passes over the log at most, in place of the chosen configuration's.
        report: called with what is being done, steps done and steps in all.

    Raises:
        MissingExtraError: torch is not installed.
        LogError: the log teaches no task.
        FileError: the folder cannot be written.
    """
    require_train()
    check_out(Path(out))
    log = log if isinstance(log, Log) else read(log)
    dataset, out = encode(log), Path(out)
    fitted = fit_dataset(dataset, out, config=config, epochs=epochs, seed=seed, report=report)
    if report is not None:
        report("measuring on test days", 0, 1)
    write_metrics(out, figures(load(out), fitted))
    return load(out)


def figures(model: Model, fitted: "Fitted") -> list[MetricRow]:
    """Measure a fit on the test days of its own log, baselines in the same table."""
    from endcap.evaluate import faithfulness_rows, task_rows

    dataset = fitted.dataset
    rows = ranking_figures(model, dataset)
    plan = fitted.plan
    rows += task_rows(model.predictor, fitted.examples, plan.targets, plan.facts, dataset)
    return rows + faithfulness_rows(model.predictor, dataset, fitted.examples)


def ranking_figures(model: Model, dataset: Dataset) -> list[MetricRow]:
    """Rank next items by the model and by the baselines, on the same users."""
    from endcap.evaluate import baseline_reports, model_reports, rows_of

    try:
        reports = baseline_reports(dataset)
        reports += model_reports("endcap", model.predictor, dataset)
    except LogError:
        return []  # nobody came back on test days: there is nothing to rank
    return rows_of(reports)


def evaluate_model(model: Model, log: Log | str | Path | None = None) -> list[MetricRow]:
    """Return a model's figures: those of its fit, or measured anew on the test days of a log.

    Rows of the log that the model does not know are new items and strangers to it.
    """
    if log is None:
        return list(model.artifact.metrics)
    require_train()
    from endcap.evaluate import faithfulness_rows, task_rows
    from endcap.train import ask_log

    log = log if isinstance(log, Log) else read(log, shop=model.artifact.manifest.shop)
    dataset = align(encode(log), model.artifact)
    fresh = Model(model.artifact)
    fresh.predictor.learn_items(dataset.catalogue)
    asked = ask_log(dataset, fresh.predictor.items.columns, CounterHistory(dataset))
    rows = ranking_figures(fresh, dataset)
    rows += task_rows(
        fresh.predictor, asked.examples, asked.plan.targets, asked.plan.facts, dataset, Split.TEST
    )
    return rows + faithfulness_rows(fresh.predictor, dataset, asked.examples)


__all__ = ["evaluate_model", "figures", "fingerprint_of", "fit"]
