"""What a shop may bring by mistake: one sentence, exit code 1, and no file left behind."""

import json

import pytest

from tests.cli.conftest import HEADER, rows_of_log

USELESS = {
    "a missing column": (
        "user_id,timestamp\nu1,2026-05-01\n",
        "events.csv needs a column for item_id, but has only user_id, timestamp; "
        "name it in shop.toml under [log.columns]",
    ),
    "a renamed column": (
        f"{HEADER.replace('item_id', 'thing')}\n{rows_of_log()}",
        "needs a column for item_id, but has only user_id, thing,",
    ),
    "an empty file": ("", "events.csv is empty; write the log again"),
    "columns without rows": (f"{HEADER}\n", "has columns but no rows"),
    "JSON in a CSV": ('{"user_id": "u1"}\n', "rename it to events.jsonl or export it again"),
    "one shopper": (
        "user_id,item_id\n" + "".join(f"u1,i{k}\n" for k in range(9)),
        "A log needs at least 2 users and 2 items, events.csv has 1 user and 9 items",
    ),
    "one item": (
        "user_id,item_id\n" + "".join(f"u{k},i1\n" for k in range(9)),
        "A log needs at least 2 users and 2 items, events.csv has 9 users and 1 item",
    ),
    "two currencies": (
        f"{HEADER},currency\nu1,i1,click,2026-05-01,9.9,EUR\nu2,i2,click,2026-05-02,9.9,USD\n",
        "A shop has one currency, but this log has EUR and USD",
    ),
}


@pytest.mark.parametrize("command", ["inspect", "fit"])
@pytest.mark.parametrize("text, sentence", USELESS.values(), ids=USELESS)
def test_a_log_that_cannot_be_used_is_refused_in_one_sentence(
    endcap, write_log, files_of, tmp_path, command, text, sentence
):
    log = write_log(text=text)
    before = files_of()
    further = ["--write"] if command == "inspect" else ["--out", tmp_path / "shop.model"]
    result = endcap(command, log, *further)
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert files_of() == before


def test_a_file_that_is_not_what_its_ending_says_is_refused(endcap, write_log, files_of):
    log = write_log(text=f"{HEADER}\n{rows_of_log()}", name="events.parquet")
    before = files_of()
    result = endcap("inspect", log)
    assert result.exit_code == 1
    assert "events.parquet ends in .parquet but does not hold what that says" in result.stderr
    assert files_of() == before


def test_a_file_that_is_not_there_is_named(endcap, tmp_path):
    result = endcap("inspect", tmp_path / "nothing.csv")
    assert result.exit_code == 1
    assert "nothing.csv; give a log's file, or a folder of them." in result.stderr


def test_an_error_answers_machines_as_well(endcap, write_log):
    result = endcap("inspect", write_log(text=""), "--json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert answer["error"] == "events.csv is empty; write the log again and try once more."
    assert answer["kind"] == "FileError"


BAD_ROWS = {
    "a broken line": ('u1,i2,"click,2026-05-01T10:00Z\n', "broken line: a quote is not closed"),
    "text for a number": ("u1,i2,click,2026-05-01T10:00Z,cheap\n", "price is not a number"),
    "an impossible time": ("u1,i2,click,2026-02-31T10:00Z,9.9\n", "timestamp is no time"),
    "a negative price": ("u1,i2,click,2026-05-01T10:00Z,-3\n", "negative price"),
}


@pytest.mark.parametrize("row, reason", BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_counted_with_its_line_and_costs_itself_alone(
    endcap, write_log, files_of, row, reason
):
    log = write_log(row)
    before = files_of()
    result = endcap("inspect", log)
    assert result.exit_code == 0
    assert "1 of 61 rows were not read" in result.stdout
    assert reason in result.stdout and "events.csv:62" in result.stdout
    assert files_of() == before


def test_bad_rows_go_to_a_side_file_as_they_stood(endcap, write_log):
    log = write_log("u1,i2,click,2026-05-01T10:00Z,-3\n")
    result = endcap("inspect", log, "--write")
    side_file = log.with_name("rejected.jsonl")
    assert f"The rows that were not read lie in {side_file}." in result.stdout
    (row,) = [json.loads(line) for line in side_file.read_text().splitlines()]
    assert (row["row"], row["reason"]) == (62, "negative price")
