"""`endcap.tune`: search for the recipe of a log, and fit the best one into a model folder."""

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import to_builtins

from endcap.api.fit import measured
from endcap.api.fitting import (
    Report,
    check_out,
    fingerprint_of,
    require_train,
    told,
    write_model,
)
from endcap.api.model import Model
from endcap.prep import Log, encode, read
from endcap.schema import Dataset

if TYPE_CHECKING:
    from endcap.train import TrainConfig


def tune(
    log: Log | str | Path,
    *,
    out: str | Path = "shop.model",
    minutes: float = 30.0,
    study: str | Path | None = None,
    config: "TrainConfig | None" = None,
    seed: int = 0,
    report: Report | None = None,
) -> Model:
    """Search for a log's recipe within a time, and write the best model into the folder `out`.

    What was tried is judged on validation days alone; the first trial is what `fit` takes, so that
    on those days the search is never worse. A search that was killed goes on when it is started
    again; it goes on as well after its end, if it is given more minutes.

    Args:
        minutes: wall time for trials, of all starts together; calibration and figures come after.
        study: SQLite file of the study; `NAME.study.db` beside `out` when absent.
        config: where to begin; chosen by the log's size and shape when absent.

    Raises:
        MissingExtraError: torch or optuna is not installed.
        LogError: the log teaches no task, or asks nothing on validation days.
        ConfigError: no minutes, or the study is of another log, shop.toml, seed or recipe.
        FileError: the study's file is no study, or the folder cannot be written.
    """
    started = time.monotonic()
    out = Path(out)
    study = study_of(out) if study is None else Path(study)
    check_tuning(out, minutes)
    from endcap.train import fit_prepared, no_report, prepare, search

    report = report or no_report
    dataset = encode(log if isinstance(log, Log) else read(log))
    fingerprint = fingerprint_of(dataset)
    prepared = prepare(dataset, seed=seed, report=report)
    try:
        found = search(
            prepared,
            config or prepared.recipe(),
            study=study,
            identity=_identity(dataset, fingerprint, seed),
            minutes=minutes,
            report=report,
            started=started,
        )
        fitted = fit_prepared(prepared, found.config, run_folder=found.run_folder, report=report)
    except RuntimeError as error:
        raise told(error, study.with_name(f".{study.name}.trials") / "0") from error
    report("writing the model", 0, 1)
    tuning = {
        "study": study.name,
        "minutes": minutes,
        "best": found.best.number,
        "trials": to_builtins(found.trials),
    }
    write_model(fitted, out, fingerprint=fingerprint, metrics=[], tuning=tuning)
    return measured(out, fitted, report)


def study_of(out: Path) -> Path:
    """Return where the study of a model lies."""
    return out.with_name(f"{out.name}.study.db")


def check_tuning(out: Path, minutes: float) -> None:
    """Check, before the log is read, all that can be checked.

    Raises:
        MissingExtraError: torch or optuna is not installed.
        ConfigError: no minutes.
        FileError: something else lies at `out`.
    """
    require_train()
    from endcap.train import check_minutes, require_trackers, require_tune

    require_tune()
    require_trackers(())
    check_minutes(minutes)
    check_out(out)


def _identity(dataset: Dataset, fingerprint: str, seed: int) -> dict[str, str]:
    """Tell a study by what its figures depend on, in a user's words."""
    shop = hashlib.sha256(msgspec.json.encode(dataset.shop)).hexdigest()
    return {"shop.toml": shop, "log": fingerprint, "seed": str(seed)}
