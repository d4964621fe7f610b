"""Commands that ask a model folder."""

import errno
import json
import shutil

import polars as pl
import pytest


def test_lists_have_the_length_that_was_asked_for(endcap, model_folder):
    result = endcap(
        "recommend", model_folder, "--user", "u1", "--user", "u2", "--limit", 3, "--json"
    )
    answer = json.loads(result.stdout)
    assert [(row["user_id"], row["rank"]) for row in answer["rows"]] == [
        (user, rank) for user in ("u1", "u2") for rank in (1, 2, 3)
    ]
    assert answer["notes"] == []
    assert answer["next"][0].startswith(f"endcap predict {model_folder} --user u1 --item ")


def test_people_read_titles_and_what_to_do_next(endcap, model_folder):
    result = endcap("recommend", model_folder, "--user", "u1", "--limit", 2, "--explain")
    assert "Product" in result.stdout and "network" in result.stdout
    assert "What u1's scores are made of" in result.stdout and "neighbours" in result.stdout
    assert "Where u1 looks, for click" in result.stdout
    assert "fall without an event" in result.stdout
    assert f"endcap similar {model_folder} i" in result.stdout


@pytest.mark.parametrize(
    "ending, read",
    [(".parquet", pl.read_parquet), (".csv", pl.read_csv), (".jsonl", pl.read_ndjson)],
)
def test_every_shopper_gets_a_list_in_a_file(endcap, model_folder, tmp_path, ending, read):
    out = tmp_path / f"lists{ending}"
    result = endcap("recommend", model_folder, "--users", "all", "--limit", 2, "--out", out)
    assert f"Wrote 120 rows for 60 shoppers to {out}." in result.stdout
    frame = read(out)
    assert frame.columns[:4] == ["user_id", "rank", "item_id", "score"]
    assert (frame.height, frame["user_id"].n_unique()) == (120, 60)


def test_a_stranger_gets_what_is_popular_and_is_told_so(endcap, model_folder):
    result = endcap("recommend", model_folder, "--user", "nobody", "--limit", 2)
    assert result.exit_code == 0
    assert "The log knows no shopper 'nobody': what is popular stands in." in result.stdout


def test_a_stranger_and_an_unknown_item_are_answered_by_name(endcap, model_folder):
    words = ("--user", "nobody", "--item", "i1", "--item", "i999", "--campaign", "c9", "--json")
    result = endcap("predict", model_folder, *words)
    answer = json.loads(result.stdout)
    assert result.exit_code == 0 and len(answer["rows"]) == 2
    assert answer["rows"][1]["source"] == "item without fields"
    for words in ("no shopper 'nobody'", "no item 'i999'", "no campaign 'c9'"):
        assert any(words in note for note in answer["notes"])


def test_a_prediction_says_what_its_columns_mean(endcap, model_folder):
    words = ("--user", "u1", "--item", "i1", "--within", "12h", "--slot", 2, "--placement", "home")
    result = endcap("predict", model_folder, *words)
    assert result.exit_code == 0
    assert "purchase: chance of a purchase within 12h, whatever is shown." in result.stdout
    assert "click: chance of a click in slot 2." in result.stdout


def test_an_unknown_item_is_like_what_is_popular(endcap, model_folder):
    result = endcap("similar", model_folder, "i999", "--limit", 2)
    assert result.exit_code == 0
    assert "The catalogue knows no item 'i999': what is popular stands in." in result.stdout
    known = json.loads(endcap("similar", model_folder, "i1", "--limit", 2, "--json").stdout)
    assert [row["source"] for row in known["rows"]] == ["model", "model"]


WRONG = {
    "no list": (["recommend", "--user", "u1", "--limit", "0"], "limit must be 1 or more, got 0."),
    "no neighbour": (["similar", "i1", "--limit", "0"], "limit must be 1 or more, got 0."),
    "soon": (
        ["predict", "--user", "u1", "--item", "i1", "--within", "soon"],
        "within must be a time such as 30m, 12h, 7d or 2w, got 'soon'.",
    ),
    "a slot before the first": (
        ["predict", "--user", "u1", "--item", "i1", "--slot", "-1"],
        "slot must be 0 or more, counted from the first, got -1.",
    ),
    "an unknown placement": (
        ["predict", "--user", "u1", "--item", "i1", "--slot", "0", "--placement", "attic"],
        "placement must be one of home, got 'attic'.",
    ),
    "an instant that is none": (
        ["recommend", "--user", "u1", "--at", "tomorrow"],
        "at must be an RFC 3339 instant such as 2026-11-24T19:00Z, got 'tomorrow'.",
    ),
    "a device of no kind": (
        ["predict", "--user", "u1", "--item", "i1", "--device", "fridge"],
        "device must be one of unknown, desktop, mobile, got 'fridge'.",
    ),
    "an ending of no kind": (
        ["recommend", "--user", "u1", "--out", "lists.xls"],
        "--out must end in .parquet, .csv, .jsonl, got lists.xls.",
    ),
    "a folder that is not there": (
        ["recommend", "--user", "u1", "--out", "nowhere/lists.csv"],
        "There is no folder nowhere; make it, or choose another place.",
    ),
}


@pytest.mark.parametrize("words, sentence", WRONG.values(), ids=WRONG)
def test_a_question_that_cannot_be_answered_is_refused(
    endcap, model_folder, tmp_path, monkeypatch, words, sentence
):
    monkeypatch.chdir(tmp_path)
    result = endcap(words[0], model_folder, *words[1:])
    assert (result.exit_code, result.stderr) == (1, f"{sentence}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [[], ["--user", "u1", "--users", "all"], ["--users", "some"]])
def test_either_some_shoppers_or_all(endcap, model_folder, words):
    result = endcap("recommend", model_folder, *words)
    assert result.exit_code == 2
    assert "give one or more --user ID, or --users all" in result.stderr


ASKING = [("recommend", "--user", "u1"), ("similar", "i1"), ("evaluate",)]


@pytest.mark.parametrize("words", ASKING)
def test_a_model_that_is_not_there_is_named(endcap, tmp_path, words):
    result = endcap(words[0], tmp_path / "none", *words[1:])
    assert result.exit_code == 1
    assert f"There is no model in {tmp_path / 'none'}; `endcap fit LOG --out" in result.stderr


@pytest.fixture
def copied(model_folder, tmp_path):
    """Return a copy of the model that a test may spoil."""
    return shutil.copytree(model_folder, tmp_path / "copied.model")


@pytest.mark.parametrize("words", ASKING)
def test_a_model_of_another_version_is_refused(endcap, copied, words):
    manifest = copied / "manifest.json"
    found = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(found | {"format": 99, "endcap": "9.9"}))
    result = endcap(words[0], copied, *words[1:])
    assert result.exit_code == 1
    assert "has format 99, this Endcap reads format" in result.stderr
    assert "install Endcap 9.9" in result.stderr


@pytest.mark.parametrize("name", ["read.onnx", "arrays.safetensors", "users.json"])
def test_a_flipped_byte_is_noticed(endcap, copied, name):
    part = copied / name
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    result = endcap("similar", copied, "i1")
    assert result.exit_code == 1
    assert f"{part} is missing or not as it was written" in result.stderr


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        pl.exceptions.ComputeError("underlying IO error: No space left on device (os error 28)"),
    ],
)
def test_no_room_for_the_lists_leaves_nothing(endcap, model_folder, tmp_path, monkeypatch, error):
    def full(frame, path):
        path.write_text("half")
        raise error

    monkeypatch.setattr(pl.DataFrame, "write_csv", full)
    out = tmp_path / "lists.csv"
    result = endcap("recommend", model_folder, "--users", "all", "--out", out)
    assert result.exit_code == 1
    assert f"{out} could not be written: there is no room left on the disk." in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_model_tells_what_it_could_not_learn(endcap, model_folder):
    result = endcap("evaluate", model_folder)
    assert result.exit_code == 0
    assert "There are no figures" in result.stdout  # the fixture is written without any
    assert json.loads(endcap("evaluate", model_folder, "--json").stdout)["metrics"] == []


def test_without_an_item_the_shopper_is_asked_of(endcap, model_folder):
    result = endcap("predict", model_folder, "--user", "u1", "--user", "nobody", "--json")
    answer = json.loads(result.stdout)
    assert result.exit_code == 0 and [row["user_id"] for row in answer["rows"]] == ["u1", "nobody"]
    assert all(0 < row["any_purchase"] < 1 and 0 < row["return"] < 1 for row in answer["rows"])
    assert any("no shopper 'nobody'" in note for note in answer["notes"])
    told = endcap("predict", model_folder, "--user", "u1").stdout
    assert "any_purchase: chance of a purchase of anything within 7d." in told
    assert "return: chance of coming back within 7d." in told


@pytest.fixture
def measured(copied):
    """Return a model with a figure and its pages."""
    from endcap.api.reports import pages_of
    from endcap.artifact import load_artifact, write_metrics
    from endcap.schema import MetricRow

    rows = [
        MetricRow(task="next item", metric=metric, model="endcap", value=0.5, k=10, n=9)
        for metric in ("ndcg", "recall")
    ]
    rows.append(MetricRow(task="next item", metric="exposure", model="endcap", value=0.9, k=10,
                          group="tenth=1"))  # fmt: skip
    write_metrics(copied, rows, pages=pages_of(load_artifact(copied), rows))
    return copied


def test_the_report_of_a_fit_is_named(endcap, measured):
    pytest.importorskip("matplotlib")
    result = endcap("evaluate", measured)
    assert f"Its report lies in {measured / 'report.html'}." in result.stdout
    assert "exposure" not in result.stdout  # parts are for the report, and for --json
    answer = json.loads(endcap("evaluate", measured, "--json").stdout)
    assert answer["report"] == str(measured / "report.html")
    assert {"group": "tenth=1"}.items() <= answer["metrics"][-1].items()


def test_a_report_goes_where_it_is_wanted(endcap, measured, tmp_path):
    pytest.importorskip("matplotlib")
    page = tmp_path / "mine.html"
    assert f"The report lies in {page}." in endcap("evaluate", measured, "--report", page).stdout
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


WITHOUT_REPORT = {
    "no figures": (["--report", "r.html"], "This model has no figures to report; `endcap evaluate"),
    "no such folder": (["--report", "nowhere/r.html"], "There is no folder nowhere; make it"),
    "groups without a log": (["--groups", "g.csv"], "Groups of shoppers are measured on a log"),
    "no groups": (["--groups", "none.csv"], "There is no none.csv"),
}


@pytest.mark.parametrize("words, sentence", WITHOUT_REPORT.values(), ids=WITHOUT_REPORT)
def test_a_report_that_cannot_be_written_is_refused(
    endcap, model_folder, tmp_path, monkeypatch, words, sentence
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "g.csv").write_text("user_id,city\nu1,Bonn\n")
    result = endcap("evaluate", model_folder, *words)
    assert result.exit_code == 1 and sentence in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["g.csv"]


def test_without_the_extra_a_wanted_report_says_what_to_install(endcap, measured, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = endcap("evaluate", measured, "--report", measured.parent / "mine.html")
    assert result.exit_code == 1 and "pip install 'endcap[evaluate]'" in result.stderr
    assert not (measured.parent / "mine.html").exists()
