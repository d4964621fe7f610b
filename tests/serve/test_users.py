"""A person is forgotten: in memory, in every file, and for good."""

import sqlite3
import threading
import time

import httpx
import pytest

from endcap.api.engine import engine_on, start_of
from endcap.api.model import load
from endcap.engine import Settings
from endcap.schema import Query
from endcap.store import Store

ANNA = "anna@example.org"


@pytest.fixture
def shop(make_server, tmp_path):
    """Return a server that met Anna and Ben, and its folder."""
    server = make_server(f"sqlite:///{tmp_path / 'shop.db'}")
    for user in (ANNA, "ben"):
        page = {"user_id": user, "placements": {"home": 3}, "decision_id": f"of-{user[:3]}"}
        server.post("/v1/page", page)
        clicks = [
            {"user_id": user, "event_type": "click", "item_id": f"i{k}", "event_id": f"{user}-{k}"}
            for k in range(5)
        ]
        assert server.post("/v1/events", clicks).json()["accepted"] == 5
    return server, tmp_path


def erase(server, user_id):
    return server.http.request("DELETE", "/v1/users", json={"user_id": user_id})


def files_that_name(folder, text):
    return [file.name for file in folder.iterdir() if text.encode() in file.read_bytes()]


def test_no_file_names_a_person_who_was_forgotten(shop):
    server, folder = shop
    assert files_that_name(folder, ANNA)
    told = erase(server, ANNA)
    assert told.json() == {"events": 5, "history": True, "records": 1}
    assert files_that_name(folder, ANNA) == []
    assert files_that_name(folder, "ben")
    server.stop()
    server.start()
    assert files_that_name(folder, ANNA) == []


def test_a_person_who_comes_back_is_a_stranger_with_another_key(shop):
    server, folder = shop
    before = server.http.get("/v1/decisions/of-ann").json()["subject"]
    erase(server, ANNA)
    again = {"user_id": ANNA, "placements": {"home": 3}, "decision_id": "later"}
    server.post("/v1/page", again)
    assert server.http.get("/v1/decisions/later").json()["subject"] != before
    assert server.http.get("/v1/decisions/of-ann/replay").json()["page_is_same"]
    server.stop()
    database = sqlite3.connect(folder / "shop.db")
    rows = database.execute(
        "SELECT length(events) FROM shopper WHERE user_id = ?", [ANNA]
    ).fetchall()
    database.close()
    assert rows == [(3 * 32,)]  # what the later page showed, and nothing else
    server.start()


def test_a_stranger_is_not_made_by_being_forgotten(shop):
    server, folder = shop
    assert erase(server, "nobody").json() == {"events": 0, "history": False, "records": 0}
    assert files_that_name(folder, "nobody") == []
    assert erase(server, "").status_code == 422


def test_events_under_way_do_not_bring_a_person_back(shop):
    server, folder = shop
    number = 5
    for _ in range(20):
        event = {"user_id": ANNA, "event_type": "view", "item_id": "i1", "event_id": f"v{number}"}
        number += 1
        server.post("/v1/events", event)
        erase(server, ANNA)
        assert files_that_name(folder, ANNA) == []


def test_a_reader_who_keeps_the_log_from_being_emptied_is_told_and_stops_nobody(shop):
    server, folder = shop
    reader = sqlite3.connect(folder / "shop.db")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM journal").fetchone()
    told = []
    erasing = threading.Thread(target=lambda: told.append(erase(server, ANNA)))
    erasing.start()
    began = time.perf_counter()
    while erasing.is_alive() and time.perf_counter() - began < 2:
        page = {"user_id": "ben", "placements": {"home": 2}, "ads": False, "explore": False}
        asked = time.perf_counter()
        with httpx.Client(base_url=server.http.base_url) as other:
            assert other.post("/v1/page", json=page).status_code == 200
        assert time.perf_counter() - asked < 3
    erasing.join()
    reader.close()
    assert told[0].status_code == 503
    assert "All was deleted, but the log beside" in told[0].json()["detail"]
    assert erase(server, ANNA).status_code == 200
    assert files_that_name(folder, ANNA) == []


def test_no_record_keeps_the_history_of_a_person_who_was_forgotten(model_folder, tmp_path):
    model = load(model_folder)
    store = Store(f"sqlite:///{tmp_path / 'shop.db'}", start_of(model))
    engine = engine_on(store, model)
    engine.settings = Settings(sample_inputs=1.0)
    for decision_id in ("on disk", "under way"):
        page = engine.decide(Query(user_id="u3", placements={"home": 2}, decision_id=decision_id))
        assert page.inputs is not None
        if decision_id == "on disk":
            store.settled().result()
    assert store.erase("u3").records == 1 + 1
    store.close()
    store = Store(f"sqlite:///{tmp_path / 'shop.db'}", start_of(model))
    for decision_id in ("on disk", "under way"):
        assert store.decisions.get(decision_id).inputs is None
    store.close()
