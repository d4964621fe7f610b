"""`endcap.fit` and `endcap.evaluate`: from a log to a model with its figures beside baselines."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from endcap.api.figures import Figures
from endcap.api.fitting import (
    Report,
    check_out,
    fingerprint_of,
    fit_dataset,
    require_train,
)
from endcap.api.measuring import ShopperGroups, all_figures
from endcap.api.model import Model, load
from endcap.api.reports import pages_of
from endcap.api.rows import align
from endcap.artifact import write_metrics
from endcap.errors import QueryError
from endcap.features import CounterHistory
from endcap.prep import Log, encode, read

if TYPE_CHECKING:
    from endcap.train import Fitted, TrackerName, TrainConfig


def fit(
    log: Log | str | Path,
    *,
    out: str | Path = "shop.model",
    config: "TrainConfig | None" = None,
    seed: int = 0,
    epochs: int | None = None,
    track: "Sequence[TrackerName]" = (),
    report: Report | None = None,
    compare_tasks: bool = False,
) -> Model:
    """Fit a model on a log and write it, with its figures on test days, into the folder `out`.

    Args:
        log: what `endcap.read` returned, or a path to read.
        config: a whole training configuration; chosen by the log's size and shape when absent.
        seed: the same log, seed and machine give the same model.
        epochs: passes over the log at most, in place of the chosen configuration's.
        track: where learning curves go besides TensorBoard: "mlflow", "wandb".
        report: called with what is being done, steps done and steps in all.
        compare_tasks: fit each task alone too, and give those that sharing is shown to hurt a
            network of their own; takes several times as long. What it finds is in the recipe.

    Raises:
        MissingExtraError: torch, or a wanted tracker, is not installed.
        LogError: the log teaches no task.
        FileError: the folder cannot be written.
    """
    require_train()
    from endcap.train import require_trackers

    require_trackers(track)
    check_out(Path(out))
    log = log if isinstance(log, Log) else read(log)
    dataset, out = encode(log), Path(out)
    fitted = fit_dataset(
        dataset,
        out,
        config=config,
        epochs=epochs,
        seed=seed,
        track=track,
        report=report,
        compare_tasks=compare_tasks,
    )
    return measured(out, fitted, report)


def measured(out: Path, fitted: "Fitted", report: Report | None) -> Model:
    """Put the figures of test days into a model's folder, and open it."""
    if report is not None:
        report("measuring on test days", 0, 1)
    model, plan = load(out), fitted.plan
    rows = all_figures(model, fitted.dataset, fitted.examples, plan)
    if report is not None:
        report("writing the report", 0, 1)
    write_metrics(out, rows, pages=pages_of(model.artifact, rows))
    return load(out)


def evaluate_model(
    model: Model,
    log: Log | str | Path | None = None,
    *,
    groups: ShopperGroups | None = None,
) -> Figures:
    """Return a model's figures: those of its fit, or measured anew on the test days of a log.

    Rows of the log that the model does not know are new items and strangers to it.

    Args:
        groups: kinds of group by which shoppers are measured: `{"city": {"u1": "Berlin"}}`.

    Raises:
        QueryError: groups without a log.
    """
    if log is None:
        if groups:
            raise QueryError("Groups of shoppers are measured on a log; give the log too.")
        return model.metrics
    require_train()
    from endcap.train import ask_log

    log = log if isinstance(log, Log) else read(log, shop=model.artifact.manifest.shop)
    dataset = align(encode(log), model.artifact)
    fresh = Model(model.artifact)
    fresh.predictor.learn_items(dataset.catalogue)
    items = fresh.predictor.items
    asked = ask_log(dataset, items.columns, CounterHistory(dataset), items.vocabulary)
    return Figures(all_figures(fresh, dataset, asked.examples, asked.plan, groups=groups))


__all__ = ["evaluate_model", "fingerprint_of", "fit"]
