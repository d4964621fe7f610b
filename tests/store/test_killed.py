"""A process that is killed loses nothing that it acknowledged, and counts nothing twice."""

import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from shop import NUM_ITEMS, engine_of, start, views

from endcap.schema import Query
from endcap.store import Store

VICTIM = Path(__file__).parent / "victim.py"


def lines_until_killed(url, seconds):
    """Start the victim, let it work so long, kill it, and return what it said."""
    victim = subprocess.Popen(
        [sys.executable, str(VICTIM), url], stdout=subprocess.PIPE, text=True, cwd=VICTIM.parents[2]
    )
    assert victim.stdout.readline().startswith("event")  # it is at work
    time.sleep(seconds)
    victim.send_signal(signal.SIGKILL)
    said = victim.stdout.read().splitlines()
    victim.stdout.close()
    victim.wait()
    return [line for line in said if line.count(" ") >= 1][:-1]  # the last may be cut short


def state_of(engine, users):
    """Return all that pages are made of."""
    state = engine.state
    return {
        "counters": state.counters.as_of(20_020),
        "stock": state.shelves.stock,
        **{user: state.histories.of(user) for user in users},
    }


def ordered(history):
    """Put events of one instant in one order."""
    return np.sort(history, order=["timestamp_us", "item", "slot"])


def test_nothing_acknowledged_is_lost_however_often_it_is_killed(url, tmp_path):
    chance = random.Random(3)
    acknowledged, pages = set(), set()
    for _ in range(5):
        for kind, *ids in map(str.split, lines_until_killed(url, chance.uniform(0.05, 0.4))):
            (acknowledged if kind == "event" else pages).update(ids)
        with sqlite3.connect(tmp_path / "shop.db") as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            keys = [key for (key,) in database.execute("SELECT key FROM journal")]
            records = [key for (key,) in database.execute("SELECT decision_id FROM decision")]
        database.close()
        assert len(set(keys)) == len(keys)
        assert acknowledged <= set(keys)
        assert pages <= set(records)
    assert len(acknowledged) > 50

    store = Store(url, start())
    revived = engine_of(store)
    twin = engine_of(None)
    # What the store holds is what a shop that never died holds after the same events and pages.
    twin.observe(views(0, len(keys)))
    for decision_id in records:
        record = store.decisions.get(decision_id)
        twin.count_shown(views(int(decision_id[2:]), 1)[0].user_id, record)
    users = [f"u{k}" for k in range(7)]
    found = state_of(revived, users)
    for name, told in state_of(twin, users).items():
        if name.startswith("u"):
            np.testing.assert_array_equal(ordered(found[name]), ordered(told), err_msg=name)
        else:
            np.testing.assert_array_equal(found[name], told, err_msg=name)
    store.close()


def test_a_copy_taken_at_any_moment_is_a_store(url, open_store, tmp_path):
    store = open_store(write_every_s=0.0)
    engine = engine_of(store)
    for k in range(6):
        engine.observe(views(10 * k, 10))
        engine.decide(Query(user_id="u1", placements={"home": 2}))
        store.settled().result()
        folder = tmp_path / f"copy{k}"
        folder.mkdir()
        for file in tmp_path.glob("shop.db*"):
            shutil.copy(file, folder / file.name)
        copied = Store(f"sqlite:///{folder / 'shop.db'}", start())
        revived = engine_of(copied)
        assert revived.observe(views(0, 10 * (k + 1))).repeated == 10 * (k + 1)
        for name, told in state_of(engine, ["u0", "u1", "u2"]).items():
            np.testing.assert_array_equal(state_of(revived, ["u0", "u1", "u2"])[name], told)
        copied.close()


@pytest.mark.parametrize("every_s", [0.0, 1_000.0])
def test_a_shop_that_was_closed_goes_on_as_if_it_had_not_been(open_store, every_s):
    twin = engine_of(None)
    for day in range(4):
        store = open_store(write_every_s=every_s)
        for each in (engine_of(store), twin):
            each.observe(views(day * 40, 40, day=20_000 + 3 * day))
        store.close()
    found = state_of(engine_of(open_store()), ["u0", "u1", "u6"])
    for name, told in state_of(twin, ["u0", "u1", "u6"]).items():
        np.testing.assert_array_equal(found[name], told)
    assert found["counters"].shape == (NUM_ITEMS, 5)
