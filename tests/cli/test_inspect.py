import json
from pathlib import Path

import pytest

from endcap.prep import write_shop
from endcap.schema import load_shop


def test_tables_say_what_was_found_unlocked_and_left_out(endcap, write_log):
    result = endcap("inspect", write_log())
    assert result.exit_code == 0
    for words in (
        "60 events of 4 shoppers and 5 items",
        "price bands, revenue",
        "Tasks that the log unlocks",
        "Tasks left out",
        "no impressions",
        "Events to train",
        "inspect --write puts it into",
    ):
        assert words in result.stdout


def test_the_answer_to_machines_is_the_whole_report(endcap, write_log):
    result = endcap("inspect", write_log(), "--json")
    answer = json.loads(result.stdout)
    assert (answer["events"], answer["users"], answer["rejected_file"]) == (60, 4, None)
    assert 'resolution = "minute"' in answer["shop_toml"] or "resolution" in answer["shop_toml"]
    assert {task["name"] for task in answer["tasks"]} >= {"next", "purchase", "click"}
    assert result.stderr == ""


def test_a_written_guess_is_read_by_the_next_command(endcap, write_log):
    log = write_log()
    first = json.loads(endcap("inspect", log, "--write", "--json").stdout)
    assert Path(first["shop_file"]) == log.with_name("shop.toml")
    second = json.loads(endcap("inspect", log, "--json").stdout)
    assert second["shop_toml"] == first["shop_toml"]
    assert "shop.toml" not in " ".join(second["next"])


def test_a_configuration_that_is_there_is_never_overwritten(endcap, write_log):
    log = write_log()
    endcap("inspect", log, "--write")
    config = log.with_name("shop.toml")
    write_shop(load_shop(config), config)
    before = config.read_text()
    result = endcap("inspect", log, "--write")
    assert result.exit_code == 1
    assert f"{config} exists and is read already; change it by hand" in result.stderr
    assert config.read_text() == before


def test_no_room_for_the_configuration_leaves_nothing(endcap, write_log, files_of, monkeypatch):
    log = write_log()
    before = files_of()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    result = endcap("inspect", log, "--write")
    assert result.exit_code == 1
    assert "shop.toml could not be written: there is no room left on the disk." in result.stderr
    assert files_of() == before


@pytest.mark.parametrize("option", ["--items", "--campaigns"])
def test_a_second_file_that_is_not_there_is_named(endcap, write_log, tmp_path, option):
    result = endcap("inspect", write_log(), option, tmp_path / "none.csv")
    assert result.exit_code == 1
    assert "none.csv" in result.stderr
