"""The Optuna study of one search: a SQLite file that outlives a kill and knows what it is of."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from endcap.errors import ConfigError, FileError

if TYPE_CHECKING:
    import optuna

NAME = "endcap"
NUM_RANDOM = 6
"""Trials drawn at random before the sampler models what was good."""
NUM_UNPRUNED = 4
"""Trials that run to their end before one is measured against their median."""


@contextmanager
def open_study(path: Path, identity: dict[str, str], *, seed: int) -> "Iterator[optuna.Study]":
    """Open the study in a file, or start one.

    Args:
        identity: what the figures of the study depend on, by the name a user knows it by.

    Raises:
        FileError: the file holds something else, or cannot be opened.
        ConfigError: the study is of another identity.
    """
    import optuna
    from sqlalchemy import URL, NullPool
    from sqlalchemy.exc import SQLAlchemyError

    names = _names(path)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    url = URL.create("sqlite", database=str(path.absolute())).render_as_string()
    try:
        storage = optuna.storages.RDBStorage(url, engine_kwargs={"poolclass": NullPool})
    except (SQLAlchemyError, RuntimeError) as error:
        raise _no_store(path, str(error)) from error
    try:
        study = optuna.create_study(
            storage=storage,
            study_name=NAME,
            load_if_exists=NAME in names,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=NUM_UNPRUNED),
        )
        _check(path, study.user_attrs.get("identity"), identity)
        study.set_user_attr("identity", identity)
        # A resumed search draws on, and does not draw the same again.
        seed += len(study.get_trials(deepcopy=False))
        study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=NUM_RANDOM)
        yield study
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _names(path: Path) -> list[str]:
    """Return the studies that a file holds, without writing to it."""
    if not path.absolute().parent.is_dir():
        raise FileError(f"There is no folder {path.parent}; make it, or choose another --study.")
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as store:
            tables = {name for (name,) in store.execute("select name from sqlite_master")}
            if not tables:
                return []  # a search was killed as it began
            names = [name for (name,) in store.execute("select study_name from studies")]
    except sqlite3.Error as error:
        raise _no_store(path, str(error)) from error
    if others := sorted(set(names) - {NAME}):
        raise _no_store(path, f"it holds the study {others[0]}, which is another program's")
    return names


def _no_store(path: Path, reason: str) -> FileError:
    reason = reason.splitlines()[0]
    return FileError(
        f"{path} holds no study of `endcap tune` ({reason}); choose another --study, "
        f"or remove it yourself."
    )


def _check(path: Path, kept: dict[str, str] | None, identity: dict[str, str]) -> None:
    for name, value in identity.items():
        if kept is not None and kept.get(name) != value:
            raise ConfigError(
                f"The study {path} is of another {name}, and its figures cannot be compared; "
                f"choose another --study, or remove it to start anew."
            )
