"""Logs of databases and of other systems, as people type them."""

import json
import sqlite3
from pathlib import Path

import pytest

EXPORTS = Path(__file__).parents[1] / "prep" / "exports"
PASSWORD = "hunter2"


@pytest.fixture
def database(tmp_path, monkeypatch, write_log):
    """Return the URL of a database that holds a small log."""
    monkeypatch.chdir(tmp_path)
    rows = [line.split(",") for line in write_log().read_text().splitlines()]
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.execute(f"create table events ({','.join(rows[0])})")
        shop.executemany("insert into events values (?, ?, ?, ?, ?)", rows[1:])
    shop.close()
    return "sqlite:///shop.db"


def test_a_table_of_a_database_is_inspected_and_its_mapping_written_to_the_folder(
    endcap, database, tmp_path
):
    answer = json.loads(endcap("inspect", f"{database}#events", "--write", "--json").stdout)
    assert (answer["events"], answer["files"]) == (60, ["events"])
    assert (tmp_path / "shop.toml").is_file()
    again = json.loads(endcap("inspect", f"{database}#events", "--json").stdout)
    assert again["files"] == ["events", "shop.toml"]


def test_a_query_goes_on_into_the_command_that_is_proposed(endcap, database):
    query = "select * from events where user_id <> 'u3'"
    result = endcap("inspect", database, "--query", query)
    assert "45 events of 3 shoppers" in result.stdout
    assert query.replace("'", "") in result.stdout.replace("'", "").replace('"', "")


@pytest.mark.parametrize("command", ["inspect", "fit", "evaluate"])
def test_a_database_that_is_not_there_is_a_sentence_without_the_password(
    endcap, command, tmp_path, model_folder
):
    url = f"nosuch://shop:{PASSWORD}@db/x#events"
    words = {
        "inspect": [url],
        "fit": [url, "--out", tmp_path / "m"],
        "evaluate": [model_folder, url],
    }
    result = endcap(command, *words[command], "--json")
    assert result.exit_code == 1
    assert "SQLAlchemy knows no database nosuch" in json.loads(result.stdout)["error"]
    assert PASSWORD not in result.output


def test_the_commands_that_are_proposed_name_no_password(endcap, database, monkeypatch):
    from endcap.prep import sql

    read = sql._engine_of
    monkeypatch.setattr(sql, "_engine_of", lambda source: read(sql.Database(url=database)))
    result = endcap("inspect", f"postgresql://shop:{PASSWORD}@db/x#events")
    assert result.exit_code == 0
    assert "postgresql://shop:***@db/x#events" in result.stdout
    assert PASSWORD not in result.output


def test_a_format_is_asked_for_by_one_word(endcap, tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_bytes((EXPORTS / "ga4.jsonl").read_bytes())
    result = endcap("inspect", log, "--format", "ga4")
    assert "Note: Read as a BigQuery export of Google Analytics 4." in " ".join(
        result.stdout.split()
    )
    assert "--format ga4 --write" in " ".join(result.stdout.split())
    assert endcap("inspect", log, "--format", "ga4", "--write").exit_code == 0
    assert 'explode = "items"' in (tmp_path / "shop.toml").read_text()
    refused = endcap("inspect", log, "--format", "ga4")
    assert refused.exit_code == 1
    assert "says already how the log is written; leave --format out" in refused.stderr


def test_a_model_is_fitted_from_a_database_and_keeps_no_url(endcap, database, tmp_path):
    log = json.loads(
        endcap("fit", f"{database}#events", "--out", "m", "--epochs", "1", "--json").stdout
    )
    assert log["events"] == 60
    assert not [
        path
        for path in (tmp_path / "m").rglob("*")
        if path.is_file() and b"shop.db" in path.read_bytes()
    ]
    told = json.loads(endcap("evaluate", "m", f"{database}#events", "--json").stdout)
    assert told["log"] == f"{database}#events"
