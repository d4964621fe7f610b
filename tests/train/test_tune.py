"""A search is judged by validation days, begins with the recipe, and outlives a kill."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import msgspec
import numpy as np
import optuna
import pytest

from endcap.errors import ConfigError, FileError, LogError
from endcap.model import ModelConfig
from endcap.schema import Split
from endcap.train import TrainConfig, fit, fit_prepared, no_report, prepare, search
from endcap.train.checkpoint import CHECKPOINT
from endcap.train.loop import Trainer
from endcap.train.space import defaults, suggest

BASE = TrainConfig(
    model=ModelConfig(dim=8, max_history=6, hidden=8, num_blocks=1), epochs=2, batch_size=512
)
PLAIN = "plain answers"
IDENTITY = {"shop.toml": "s", "log": "l", "seed": "0"}


class KilledError(Exception):
    pass


PLAIN = "plain answers"


@pytest.fixture(scope="module")
def prepared(dataset):
    return prepare(dataset)


@pytest.fixture
def tune(prepared, tmp_path):
    """Return a function that searches; `trials` ends it before a further one begins."""

    def run(*, minutes=60.0, trials=99, kill_at=None, identity=IDENTITY, base=BASE, name="a.db"):
        asked = []

        def report(what, done, total):
            if what.startswith(f"trial {trials},") or what == kill_at:
                raise KilledError
            asked.append(what)

        try:
            found = search(
                prepared,
                base,
                study=tmp_path / name,
                identity=identity,
                minutes=minutes,
                report=report,
            )
        except KilledError:
            return None, list(dict.fromkeys(asked))
        return found, list(dict.fromkeys(asked))

    return run


@pytest.fixture
def figures(monkeypatch):
    """Return a list: what each epoch's figure shall be, in order; the last one stays."""
    wanted = []

    def combined(trainer, losses):
        return wanted.pop(0) if len(wanted) > 1 else wanted[0]

    monkeypatch.setattr(Trainer, "combined", combined)
    return wanted


def test_the_first_trial_is_the_recipe_itself():
    assert suggest(optuna.trial.FixedTrial(defaults(BASE)), BASE) == BASE
    recipe = TrainConfig()
    assert suggest(optuna.trial.FixedTrial(defaults(recipe)), recipe) == recipe


def test_a_budget_too_small_still_leaves_the_recipe(tune, dataset, prepared):
    found, asked = tune(minutes=1e-9)
    assert asked == [f"trial 0, {part}" for part in (PLAIN, "epoch 1 of 2", "epoch 2 of 2")]
    assert (found.best.number, found.best.state, found.best.changed) == (0, "done", {})
    assert found.config == BASE
    assert found.best.seconds > 0
    plain = fit(dataset, config=BASE)
    assert found.best.figure == plain.progress.best_loss
    kept = fit_prepared(prepared, found.config, run_folder=found.run_folder, report=no_report)
    for name, weights in plain.network.state_dict().items():
        assert weights.equal(kept.network.state_dict()[name]), name
    assert kept.mix == plain.mix


def test_a_killed_search_goes_on_where_it_was(tune, figures, tmp_path):
    figures[:] = [3.0, 2.0]  # the recipe's epochs, then every epoch 2.0
    assert tune(kill_at="trial 0, epoch 2 of 2")[0] is None
    found, asked = tune(minutes=1e-9)
    assert asked == [
        f"trial 0, {PLAIN}",
        "trial 0, epoch 2 of 2",
    ]  # the first epoch is not trained again
    (trial,) = found.trials
    assert (trial.figure, trial.epochs, trial.state) == (2.0, 2, "done")
    _, asked = tune(trials=2)
    assert asked[0] == f"trial 1, {PLAIN}"
    assert asked[1].startswith("trial 1, epoch 1 of ")


def test_time_that_was_spent_counts(tune, figures, tmp_path):
    figures[:] = [2.0]
    tune(minutes=1e-9)
    found, asked = tune(minutes=1e-9)
    assert asked == []
    assert len(found.trials) == 1
    study = optuna.load_study(study_name="endcap", storage=f"sqlite:///{tmp_path / 'a.db'}")
    assert study.user_attrs["spent_seconds"] >= found.trials[0].seconds
    study._storage._backend.engine.dispose()


def test_the_best_trial_wins_and_its_weights_are_kept(tune, figures, tmp_path):
    figures[:] = [5.0, 4.0, 1.0]  # the second trial is better in every epoch, and no third begins
    tune(trials=2)
    found, _ = tune(minutes=1e-9)
    assert [trial.state for trial in found.trials] == ["done", "done", "cut off"]
    assert (found.best.number, found.best.figure) == (1, 1.0)
    assert found.best.changed
    kept = [path.parent.name for path in tmp_path.glob(f".a.db.trials/*/{CHECKPOINT}")]
    assert kept == ["1"]


def test_a_trial_worse_than_most_is_stopped_at_a_quarter(tune, monkeypatch):
    base = msgspec.structs.replace(BASE, epochs=4, batch_size=1024)
    monkeypatch.setattr("endcap.train.space._about", lambda size: [size])
    seen = []

    def combined(trainer, losses):
        seen.append(losses)
        return 9.0 if len(seen) > 16 else 1.0  # the fifth trial is bad from its first epoch on

    monkeypatch.setattr(Trainer, "combined", combined)
    tune(trials=5, base=base)
    found, _ = tune(minutes=1e-9, base=base)
    assert [trial.state for trial in found.trials[:5]] == ["done"] * 4 + ["stopped"]
    assert (found.trials[4].epochs, found.trials[4].figure) == (1, 9.0)


def test_a_trial_without_a_number_failed(tune, figures):
    figures[:] = [1.0, 1.0, float("nan")]
    tune(trials=2)
    found, _ = tune(minutes=1e-9)
    assert found.trials[1].state == "failed"
    assert found.best.number == 0


def test_test_days_are_not_looked_at(tune, prepared, monkeypatch):
    seen = []
    cut = type(prepared).rows_of
    monkeypatch.setattr(
        type(prepared), "rows_of", lambda self, split: seen.append(split) or cut(self, split)
    )
    tune(minutes=1e-9)
    assert set(seen) == {Split.TRAIN, Split.VALIDATION}


@pytest.mark.parametrize("name", ["log", "shop.toml", "seed"])
def test_a_study_of_something_else_is_refused(tune, figures, name):
    figures[:] = [1.0]
    tune(minutes=1e-9)
    with pytest.raises(ConfigError, match=rf"a.db is of another {name}, and its figures cannot"):
        tune(identity=IDENTITY | {name: "other"})


def test_a_study_about_another_recipe_is_refused(tune, figures):
    figures[:] = [1.0]
    tune(minutes=1e-9)
    with pytest.raises(ConfigError, match=r"a\.db is of another recipe"):
        tune(base=msgspec.structs.replace(BASE, epochs=1))


def test_a_file_that_is_no_store_is_refused_and_left(tune, tmp_path):
    (tmp_path / "a.db").write_text("years of work " * 100)
    with pytest.raises(FileError, match=r"a.db holds no study of `endcap tune` \(file is not a da"):
        tune()
    assert (tmp_path / "a.db").read_text().startswith("years of work")


def test_another_programs_database_is_refused_and_left(tune, tmp_path):
    with closing(sqlite3.connect(tmp_path / "a.db")) as store:
        store.execute("create table orders (id)")
    with pytest.raises(FileError, match=r"\(no such table: studies\)"):
        tune()
    with closing(sqlite3.connect(tmp_path / "a.db")) as store:
        assert store.execute("select name from sqlite_master").fetchall() == [("orders",)]


def test_another_programs_study_is_refused(tune, tmp_path):
    study = optuna.create_study(study_name="theirs", storage=f"sqlite:///{tmp_path / 'a.db'}")
    study._storage._backend.engine.dispose()
    with pytest.raises(FileError, match="holds the study theirs, which is another"):
        tune()


def test_a_study_needs_its_folder(tune):
    with pytest.raises(FileError, match=r"There is no folder .*none; make it, or choose another"):
        tune(name="none/a.db")


@pytest.mark.parametrize("minutes", [0, -1.5, float("nan"), float("inf")])
def test_no_time_is_too_little(tune, minutes):
    with pytest.raises(ConfigError, match="--minutes must be a number above 0, got"):
        tune(minutes=minutes)


def test_without_validation_days_nothing_can_be_told_apart(prepared, tmp_path):
    asked = prepared.asked
    split = np.where(asked.examples.split == Split.VALIDATION, Split.TEST, asked.examples.split)
    examples = replace(asked.examples, split=split)
    blind = replace(prepared, asked=replace(asked, examples=examples))
    with pytest.raises(LogError, match="asks nothing on validation days"):
        search(
            blind,
            BASE,
            study=tmp_path / "a.db",
            identity=IDENTITY,
            minutes=1.0,
            report=no_report,
        )
    assert list(tmp_path.iterdir()) == []
