import json

import polars as pl
import pytest

from endcap.prep import read

SMALL = ("--shoppers", 40, "--items", 40, "--campaigns", 4, "--days", 2)


def test_a_world_is_written_as_a_shop_would_bring_it(endcap, tmp_path):
    out = tmp_path / "shop"
    answer = json.loads(endcap("world", "--out", out, *SMALL, "--json").stdout)
    assert answer["decisions"] == answer["pages"] > 0
    log = read(out)
    assert log.report.rejected == 0
    assert log.report.campaigns == 4
    assert answer["next"][0] == f"endcap inspect {out}"


def test_the_same_seed_writes_the_same_log(endcap, tmp_path):
    for name in ("one", "two"):
        endcap("world", "--out", tmp_path / name, *SMALL, "--seed", 3)
    one, two = (read(tmp_path / name).events for name in ("one", "two"))
    assert one.equals(two)


def test_a_mechanism_can_be_switched_off(endcap, tmp_path):
    endcap("world", "--out", tmp_path / "shop", *SMALL, "--without", "censoring")
    events = read(tmp_path / "shop").events
    assert not events["censored"].fill_null(False).any()


def test_no_room_for_the_world_leaves_nothing(endcap, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    out = tmp_path / "shop"
    result = endcap("world", "--out", out, *SMALL)
    assert result.exit_code == 1
    assert f"written to {out}: there is no room left on the disk. Free some room" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words, sentence",
    [
        (("--without", "luck"), "--without must be one of tastes, examination,"),
        (("--days", 0), "days must be 1 or more, got 0."),
        (("--shoppers", 0), "shoppers must be 1 or more, got 0."),
    ],
)
def test_a_world_that_cannot_be_is_refused(endcap, tmp_path, words, sentence):
    result = endcap("world", "--out", tmp_path / "shop", *words)
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_something_else_is_not_touched(endcap, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    result = endcap("world", "--out", tmp_path, *SMALL)
    assert result.exit_code == 1
    assert f"{tmp_path} exists and holds no world; choose another --out" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
