"""A server that is killed, stopped, or cannot write."""

import asyncio
import signal
import sqlite3
import threading

import httpx
import pytest
from msgspec.structs import replace

from endcap.api.engine import engine_on, start_of
from endcap.api.model import load
from endcap.serve import bodies, make_app
from endcap.store import Store


def event(number):
    return {
        "user_id": f"u{number % 5}",
        "event_type": "click",
        "item_id": f"i{number % 30}",
        "event_id": f"e{number}",
    }


def test_a_server_that_is_killed_under_load_loses_nothing_it_acknowledged(make_server, tmp_path):
    server = make_server(f"sqlite:///{tmp_path / 'shop.db'}")
    acknowledged, number = [], 0
    for wait_s in (0.3, 0.7):
        victim = threading.Timer(wait_s, server.process.kill)
        victim.start()
        try:
            while True:
                batch = [event(number + k) for k in range(4)]
                number += 4
                if server.post("/v1/events", batch).json()["accepted"] == 4:
                    acknowledged += batch
                server.post("/v1/page", {"user_id": "u1", "placements": {"home": 3}})
        except httpx.TransportError:
            victim.join()
        server.stop(signal.SIGKILL)
        server.start()
        database = sqlite3.connect(tmp_path / "shop.db")
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        database.close()
        again = server.post("/v1/events", acknowledged).json()
        assert (again["accepted"], again["duplicate"]) == (0, len(acknowledged))
    assert len(acknowledged) > 8


def test_a_server_that_is_told_to_stop_leaves_nothing_to_replay(make_server, tmp_path):
    server = make_server(f"sqlite:///{tmp_path / 'shop.db'}")
    server.post("/v1/events", [event(k) for k in range(7)])
    said = server.stop()
    assert "Serving at http://127.0.0.1:" in said
    assert "Traceback" not in said
    database = sqlite3.connect(tmp_path / "shop.db")
    [[told]] = database.execute("SELECT value FROM meta").fetchall()
    database.close()
    assert b'"event":7,' in told
    assert not (tmp_path / "shop.db-wal").exists()
    server.start()


@pytest.fixture
def app_and_store(model_folder, tmp_path):
    model = load(model_folder)
    store = Store(f"sqlite:///{tmp_path / 'shop.db'}", start_of(model))
    yield make_app(engine_on(store, model), store, version="test"), store
    store.close()


@pytest.fixture
def explored_app(model_folder, tmp_path):
    """Return an application whose pages explore, and whose state is not written behind."""
    model = load(model_folder)
    store = Store(f"sqlite:///{tmp_path / 'shop.db'}", start_of(model), write_every_s=1_000.0)
    engine = engine_on(store, model)
    engine.shop = replace(engine.shop, page=replace(engine.shop.page, temperature=0.3))
    yield make_app(engine, store, version="test")
    store.close()


def ask(app, *requests):
    """Send requests one after the other, without a network: method, path and, perhaps, a body."""

    async def send():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
            return [
                await http.request(method, path, json=body[0] if body else None)
                for method, path, *body in requests
            ]

    return asyncio.run(send())


def read_only(store, is_on):
    connection = store._database.writing.raw_connection()
    connection.cursor().execute(f"PRAGMA query_only = {is_on}")
    connection.close()


def test_events_that_cannot_be_written_are_refused_and_the_server_is_not_ready(app_and_store):
    app, store = app_and_store
    read_only(store, "ON")
    [refused] = ask(app, ("POST", "/v1/events", [event(1)]))
    assert refused.status_code == 503
    assert "could not be written (attempt to write a readonly database)" in refused.json()["detail"]
    with pytest.raises(OSError, match="readonly"):
        store.flush().result()
    [ready, live] = ask(app, ("GET", "/health/ready"), ("GET", "/health/live"))
    assert (ready.status_code, live.status_code) == (503, 200)
    assert "readonly database" in ready.json()["detail"]
    read_only(store, "OFF")
    store.flush().result()
    assert ask(app, ("GET", "/health/ready"))[0].json()["status"] == "ready"
    [taken] = ask(app, ("POST", "/v1/events", [event(1)]))
    assert taken.json()["accepted"] == 1


def test_a_page_with_exploration_is_on_disk_when_it_is_answered(explored_app, tmp_path):
    for number, explore in enumerate((True, False)):
        body = {"user_id": "u1", "placements": {"home": 3}, "decision_id": f"d{number}"}
        [page] = ask(explored_app, ("POST", "/v1/page", body | {"explore": explore, "ads": False}))
        assert page.status_code == 200
        database = sqlite3.connect(tmp_path / "shop.db")
        kept = database.execute("SELECT decision_id FROM decision").fetchall()
        database.close()
        assert kept == [("d0",)]  # the other follows within a second


def test_a_caller_who_goes_away_leaves_events_that_are_taken(app_and_store):
    app, store = app_and_store

    async def leave():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
            sent = asyncio.create_task(http.post("/v1/events", json=[event(3)]))
            while not store.journal._waiting and not store.journal._writing:
                await asyncio.sleep(0)
            sent.cancel()
            await asyncio.sleep(0.5)

    asyncio.run(leave())
    assert store.journal.position == 1
    assert len(store.histories.of("u3")["item"]) > 0


def test_a_body_that_comes_too_slowly_is_given_up(app_and_store, monkeypatch):
    monkeypatch.setattr(bodies, "MAX_SECONDS", 0.1)
    app, _ = app_and_store

    async def slow():
        yield b"["
        await asyncio.sleep(5)
        yield b"]"

    async def send():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
            return await http.post("/v1/events", content=slow())

    answer = asyncio.run(send())
    assert answer.status_code == 408
    assert answer.json()["detail"] == "The body did not come within 0 seconds; send it again."


def test_a_mistake_of_ours_is_told_and_the_next_events_are_taken(app_and_store, monkeypatch):
    app, store = app_and_store
    whole = store.histories.append

    def broken(user_id, events):
        raise RuntimeError("a mistake")

    monkeypatch.setattr(store.histories, "append", broken)
    [answer] = ask(app, ("POST", "/v1/events", [event(1)]))
    assert answer.status_code == 500
    assert answer.json()["detail"].startswith("Endcap made a mistake; its log has the trace.")
    assert answer.headers["x-content-type-options"] == "nosniff"
    monkeypatch.setattr(store.histories, "append", whole)
    assert ask(app, ("POST", "/v1/events", [event(2)]))[0].json()["accepted"] == 1
