import errno
import importlib.util
import json

import pytest

import endcap.api.fit
from endcap.train import read_recipe


@pytest.fixture
def without(monkeypatch):
    """Return a function that makes a package seem not installed."""
    found = importlib.util.find_spec

    def hide(package: str) -> None:
        monkeypatch.setattr(
            importlib.util,
            "find_spec",
            lambda name, *rest: None if name == package else found(name, *rest),
        )

    return hide


@pytest.fixture
def failing_fit(monkeypatch):
    """Return a function that makes every fit end with an error."""

    def fail(error: BaseException) -> None:
        def raise_it(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(endcap.api.fit, "fit", raise_it)

    return fail


def test_without_torch_a_fit_says_what_to_install(endcap, write_log, files_of, tmp_path, without):
    log = write_log()
    before = files_of()
    without("torch")
    result = endcap("fit", log, "--out", tmp_path / "shop.model")
    assert result.exit_code == 1
    assert "Fitting a model needs torch" in result.stderr
    assert "pip install 'endcap[train]'" in result.stderr
    assert files_of() == before


def test_a_place_that_holds_something_else_is_not_touched(endcap, write_log, files_of, tmp_path):
    log, out = write_log(), tmp_path / "precious"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    before = files_of()
    result = endcap("fit", log, "--out", out)
    assert result.exit_code == 1
    assert f"{out} exists and is no model folder; choose another --out" in result.stderr
    assert files_of() == before


def test_a_stopped_fit_says_that_the_next_one_goes_on(endcap, write_log, tmp_path, failing_fit):
    failing_fit(KeyboardInterrupt())
    result = endcap("fit", write_log(), "--out", tmp_path / "shop.model")
    assert result.exit_code == 130
    assert "Stopped; run the same command again: the fit goes on from the last" in result.stderr


def test_a_full_disk_is_told_in_a_sentence(endcap, write_log, files_of, tmp_path, failing_fit):
    log = write_log("u1,i2,click,2026-05-01T10:00Z,-3\n")
    before = files_of()
    failing_fit(OSError(errno.ENOSPC, "No space left on device", "checkpoint.pt"))
    result = endcap("fit", log, "--out", tmp_path / "shop.model")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        "checkpoint.pt: there is no room left on the disk; free some room and run the same "
        "command again."
    )
    assert files_of() == before


def test_a_checkpoint_without_room_is_told_and_leaves_nothing(
    endcap, write_log, files_of, tmp_path, monkeypatch
):
    training = pytest.importorskip("endcap.train")
    log = write_log()

    def fill_up(dataset, *, run_folder, **_):
        run_folder.mkdir(parents=True)
        (run_folder / "checkpoint.pt.partial").write_text("half")
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0")

    monkeypatch.setattr(training, "fit", fill_up)
    before = files_of()
    result = endcap("fit", log, "--out", tmp_path / "shop.model")
    assert result.exit_code == 1
    assert "A checkpoint could not be written" in result.stderr
    assert "there is no room left on the disk. Free some room and start" in result.stderr
    assert files_of() == before


def test_no_epochs_are_too_few(endcap, write_log, tmp_path):
    pytest.importorskip("torch")
    result = endcap("fit", write_log(), "--out", tmp_path / "shop.model", "--epochs", 0)
    assert result.exit_code == 1
    assert "epochs must be 1 or more, got 0." in result.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--recipe", "none.toml"), "The recipe none.toml cannot be read: No such file"),
        (("--track", "mlflow"), "go to mlflow, which is not installed; run: pip install 'endcap["),
        (("--track", "wandb"), "go to wandb, which is not installed; run: pip install 'endcap["),
    ],
)
def test_what_is_not_there_is_told_before_the_work(
    endcap, write_log, files_of, tmp_path, without, words, sentence
):
    pytest.importorskip("torch")
    log = write_log()
    before = files_of()
    without(words[1])
    result = endcap("fit", log, "--out", tmp_path / "shop.model", *words)
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert files_of() == before


@pytest.mark.slow
def test_a_killed_fit_is_not_mixed_with_another_configuration(
    endcap, write_log, tmp_path, monkeypatch
):
    loop = pytest.importorskip("endcap.train.loop")
    log, out = write_log(), tmp_path / "shop.model"
    save = loop.Trainer._save

    def save_and_stop(trainer, progress):
        save(trainer, progress)
        raise KeyboardInterrupt

    monkeypatch.setattr(loop.Trainer, "_save", save_and_stop)
    assert endcap("fit", log, "--out", out, "--epochs", 3).exit_code == 130
    monkeypatch.undo()
    result = endcap("fit", log, "--out", out, "--epochs", 2)
    assert result.exit_code == 1
    assert "checkpoint.pt is of another configuration (epochs was 3, now it is 2)" in result.stderr
    assert not out.exists()
    assert endcap("fit", log, "--out", out, "--epochs", 3).exit_code == 0


def test_an_out_is_asked_for(endcap, write_log):
    result = endcap("fit", write_log())
    assert result.exit_code == 2
    assert "Missing option '--out'" in result.stderr


@pytest.mark.slow
def test_a_log_of_four_shoppers_still_makes_a_model(endcap, write_log, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("matplotlib")
    log, out = write_log("u1,i2,click,2026-05-01T10:00Z,-3\n"), tmp_path / "shop.model"
    result = endcap("fit", log, "--out", out, "--epochs", 1)
    assert result.exit_code == 0
    assert "events.csv:62" in result.stdout
    side_file = tmp_path / "shop.model.rejected.jsonl"
    assert f"The rows that were not read lie in {side_file}." in result.stdout
    assert "negative price" in side_file.read_text()
    assert f"It lies in {out}." in result.stdout
    assert (out / "card.md").is_file()
    evaluated = endcap("evaluate", out, log)
    assert evaluated.exit_code == 0
    assert f"The report lies in {tmp_path / 'shop.model.report.html'}." in evaluated.stdout
    assert "the test days of" in (tmp_path / "shop.model.report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_tasks_are_compared_and_the_recipe_keeps_what_was_found(endcap, write_log, tmp_path):
    log, out = write_log(), tmp_path / "shop.model"
    result = endcap("fit", log, "--out", out, "--epochs", 1, "--compare-tasks", "--json")
    told = json.loads(result.stdout)
    compared = {row["task"]: row for row in told["task_comparisons"]}
    assert set(compared) <= set(told["tasks"])
    assert set(told["apart"]) == {name for name, row in compared.items() if row["high"] < 0}
    kept = read_recipe(out / "recipe.toml")
    assert list(kept.apart) == told["apart"]
    assert not list(tmp_path.glob(".shop.model.run/**/checkpoint.pt"))
