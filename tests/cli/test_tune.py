"""A search from the command line: the table, the folder, what stops it before it begins."""

import importlib.util
import json

import pytest

import endcap.api.tune as tuning
from endcap.artifact import load_artifact


@pytest.mark.slow
def test_a_search_leaves_a_model_its_trials_and_a_recipe_to_fit_again(endcap, write_log, tmp_path):
    pytest.importorskip("optuna")
    log, out = write_log(), tmp_path / "shop.model"
    result = endcap("tune", log, "--out", out, "--minutes", 1e-6)
    assert result.exit_code == 0
    assert "1e-06 minutes were not enough to compare: the first trial" in result.stdout
    assert "and the model is its; give --minutes more, and the search goes on." in result.stdout
    assert "the recipe" in result.stdout
    manifest = load_artifact(out).manifest
    (trial,) = manifest.tuning["trials"]
    assert (manifest.tuning["study"], manifest.tuning["best"]) == ("shop.model.study.db", 0)
    assert (trial["number"], trial["state"], trial["changed"]) == (0, "done", {})
    assert trial["epochs"] == max(row.epoch for row in manifest.curves)
    again = endcap("tune", log, "--out", out, "--minutes", 1e-6, "--json")
    answer = json.loads(again.stdout)
    assert answer["trials"] == [trial]
    assert "were not enough" in answer["note"]
    assert answer["version"] == manifest.version  # nothing was trained anew
    command = next(command for command in answer["next"] if command.startswith("endcap fit"))
    assert endcap(*command.split()[1:]).exit_code == 0
    fitted = load_artifact(tmp_path / "shop.model.again").manifest
    assert (fitted.model, fitted.curves) == (manifest.model, manifest.curves)
    assert fitted.tuning is None


def test_without_optuna_it_says_what_to_install(endcap, write_log, files_of, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    log, found = write_log(), importlib.util.find_spec
    before = files_of()
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "optuna" else found(name)
    )
    result = endcap("tune", log, "--out", tmp_path / "shop.model")
    assert result.exit_code == 1
    assert "Tuning needs optuna" in result.stderr
    assert "pip install 'endcap[train,tune]'" in result.stderr
    assert files_of() == before


def test_no_minutes_are_too_few(endcap, write_log, files_of, tmp_path):
    pytest.importorskip("optuna")
    log = write_log()
    before = files_of()
    result = endcap("tune", log, "--out", tmp_path / "shop.model", "--minutes", 0)
    assert result.exit_code == 1
    assert "--minutes must be a number above 0, got 0." in result.stderr
    assert files_of() == before


@pytest.mark.slow
def test_the_study_of_another_log_is_refused(endcap, write_log, tmp_path):
    pytest.importorskip("optuna")
    study = tmp_path / "a.db"
    words = ("--out", tmp_path / "shop.model", "--minutes", 1e-6, "--study", study)
    assert endcap("tune", write_log(), *words).exit_code == 0
    version = load_artifact(tmp_path / "shop.model").manifest.version
    result = endcap("tune", write_log("u1,i2,click,2026-05-19T11:00Z,9.9\n"), *words)
    assert result.exit_code == 1
    assert f"The study {study} is of another log, and its figures cannot be" in result.stderr
    shop = tmp_path / "shop.toml"
    shop.write_text('currency = "USD"\n')
    result = endcap("tune", write_log(), *words, "--shop", shop)
    assert f"The study {study} is of another shop.toml" in result.stderr
    assert load_artifact(tmp_path / "shop.model").manifest.version == version


def test_a_stopped_search_says_that_the_next_one_goes_on(endcap, write_log, tmp_path, monkeypatch):
    pytest.importorskip("optuna")

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tuning, "tune", stop)
    result = endcap("tune", write_log(), "--out", tmp_path / "shop.model")
    assert result.exit_code == 130
    assert "the trials that are finished count" in result.stderr
