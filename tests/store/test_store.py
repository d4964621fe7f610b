"""What a store keeps, what it refuses, and how it says so."""

import sqlite3
import threading
from dataclasses import replace

import numpy as np
import pytest
from shop import NOON_US, NUM_ITEMS, catalogue, engine_of, start, views

from endcap.errors import StoreError
from endcap.schema import Campaign, Campaigns, Catalogue, Query, ShopEvent
from endcap.store import Store


def on_disk(url, statement):
    """Ask the file itself, as another process would."""
    database = sqlite3.connect(url.removeprefix("sqlite:///"))
    rows = database.execute(statement).fetchall()
    database.close()
    return rows


def test_an_event_is_on_disk_when_it_is_acknowledged(url, open_store):
    engine = engine_of(open_store())
    observed = engine.observe(views(0, 3))
    assert (observed.accepted, observed.repeated) == (3, 0)
    assert on_disk(url, "SELECT key FROM journal ORDER BY number") == [("e0",), ("e1",), ("e2",)]


def test_no_event_and_no_record_names_the_person(url, open_store):
    store = open_store()
    engine = engine_of(store)
    engine.observe([ShopEvent(user_id="anna@example.org", event_type="view", timestamp_us=NOON_US)])
    engine.decide(Query(user_id="anna@example.org", placements={"home": 1}))
    store.settled().result()
    told = on_disk(url, "SELECT event FROM journal") + on_disk(url, "SELECT record FROM decision")
    assert len(told) == 2
    assert not any(b"anna" in line for (line,) in told)
    [(subject,)] = on_disk(url, "SELECT subject FROM shopper WHERE user_id = 'anna@example.org'")
    assert on_disk(url, "SELECT DISTINCT subject FROM journal") == [(subject,)]
    assert on_disk(url, "SELECT DISTINCT subject FROM decision") == [(subject,)]


@pytest.mark.parametrize("again", ["at once", "in one batch", "after a restart"])
def test_an_event_sent_twice_counts_once(open_store, again):
    store = open_store()
    engine = engine_of(store)
    nameless = ShopEvent(user_id="u0", event_type="view", timestamp_us=NOON_US, item_id="i1")
    events = [*views(0, 2), nameless]
    if again == "in one batch":
        assert engine.observe(events + events).repeated == 3
    else:
        engine.observe(events)
        if again == "after a restart":
            store.close()
            engine = engine_of(open_store())
        assert engine.observe(events).repeated == 3
    assert len(engine.state.histories.of("u0")) == 2 + 2


def test_late_events_land_where_they_belong(open_store):
    store = open_store()
    engine_of(store).observe(list(reversed(views(0, 14))))
    store.close()
    times = engine_of(open_store()).state.histories.of("u3")["timestamp_us"]
    assert times.tolist() == [NOON_US + 3, NOON_US + 10]


def test_histories_beyond_the_cache_are_read_again(open_store):
    store = open_store(cache_bytes=5_000, write_every_s=0.0)
    engine, twin = engine_of(store), engine_of(None)
    for k in range(40):
        for each in (engine, twin):
            each.observe(views(20 * k, 20, users=50))
        store.settled().result()
    assert store.num_cached < 50
    for user in range(50):
        told, found = (each.state.histories.of(f"u{user}") for each in (twin, engine))
        np.testing.assert_array_equal(found, told)


def test_items_that_were_put_and_what_was_sold_outlive_a_restart(open_store):
    store = open_store()
    engine = engine_of(store)
    new = Catalogue.of_ids(["new"])
    new.titles[0], new.stock[0], new.attributes[0] = "自行车头盔", 4, ("size=M", "colour=red")
    changed = replace(catalogue(), price_micros=catalogue().price_micros.copy())
    changed.price_micros[2] = 7_000_000
    engine.put_items(changed.followed_by(new))
    engine.observe(
        [ShopEvent(user_id="u", event_type="purchase", timestamp_us=NOON_US, item_id="new")]
    )
    store.close()
    store = open_store()
    engine = engine_of(store)
    assert store.catalogue.item_ids.tolist() == [*catalogue().item_ids, "new"]
    assert store.catalogue.titles[NUM_ITEMS] == "自行车头盔"
    assert store.catalogue.attributes[NUM_ITEMS] == ("size=M", "colour=red")
    assert store.catalogue.price_micros[1:4].tolist() == [10_000_000, 7_000_000, 10_000_000]
    assert engine.state.shelves.stock[NUM_ITEMS] == 3
    assert engine.state.histories.of("u")["item"].tolist() == [NUM_ITEMS]
    assert engine.state.counters.as_of(20_001)[NUM_ITEMS, 3] > 0


def test_vectors_and_unknown_numbers_of_an_item_outlive_a_restart(url):
    vectors = np.full((NUM_ITEMS, 2), np.nan, dtype=np.float32)
    begun = start(catalogue=replace(catalogue(), embeddings=vectors))
    store = Store(url, begun)
    told = vectors.copy()
    told[3] = [0.1, -2.5]
    store.shelves.put(replace(begun.catalogue, embeddings=told))
    store.close()
    store = Store(url, begun)
    np.testing.assert_array_equal(store.catalogue.embeddings, told)
    store.close()


def test_a_page_is_answered_from_the_log_after_a_restart(open_store):
    store = open_store()
    query = Query(user_id="u5", placements={"home": 3}, decision_id="p1")
    page = engine_of(store).decide(query)
    store.close()
    store = open_store()
    assert engine_of(store).decide(query) == page
    assert store.decisions.get("none") is None


@pytest.mark.parametrize(
    ("chances", "explore", "waits"),
    [
        ({"temperature": 0.3}, True, True),
        ({"temperature": 0.3}, False, False),
        ({"temperature": 0.0}, True, False),
        ({"temperature": 0.0, "epsilon": 0.1}, True, True),
    ],
)
def test_a_page_with_exploration_waits_for_its_record(open_store, chances, explore, waits):
    store = open_store()
    engine = engine_of(store)
    decision = engine.decide(Query(user_id="u", placements={"home": 1}, explore=explore))
    page = type(decision.page)(**{"epsilon": 0.0} | chances)
    assert store.must_wait(type(decision)(**{**fields_of(decision), "page": page})) == waits


def fields_of(decision):
    return {name: getattr(decision, name) for name in decision.__struct_fields__}


def ask(store, pragma):
    """Set or read a setting of the connection that writes, while nobody writes."""
    connection = store._database.writing.raw_connection()
    row = connection.cursor().execute(pragma).fetchone()
    connection.close()
    return row and row[0]


def test_a_commit_is_on_disk_and_what_is_deleted_is_gone(open_store):
    store = open_store()
    assert ask(store, "PRAGMA synchronous") == 2  # FULL
    assert ask(store, "PRAGMA secure_delete") == 1
    assert ask(store, "PRAGMA journal_mode") == "wal"


def test_what_could_not_be_written_behind_is_written_the_next_time(url, open_store):
    store = open_store(write_every_s=1_000.0)
    engine = engine_of(store)
    engine.observe(views(0, 30))
    ask(store, "PRAGMA query_only = ON")
    readonly = r"not be written \(attempt to write a readonly database"
    with pytest.raises(StoreError, match=readonly):
        store.flush().result()
    with pytest.raises(StoreError, match=readonly):
        store.journal.submit(views(100, 1)).result(timeout=20)
    ask(store, "PRAGMA query_only = OFF")
    store.flush().result()
    # Only now is nothing left to replay, so the file itself must hold all.
    database = sqlite3.connect(url.removeprefix("sqlite:///"))
    database.execute("DELETE FROM journal")
    database.commit()
    database.close()
    store.close()
    revived, twin = engine_of(open_store()), engine_of(None)
    twin.observe(views(0, 30))
    for user in ("u0", "u1", "u4"):
        told, found = (each.state.histories.of(user) for each in (twin, revived))
        np.testing.assert_array_equal(found, told)
    np.testing.assert_array_equal(revived.state.shelves.stock, twin.state.shelves.stock)
    counts = [each.state.counters.as_of(20_001) for each in (twin, revived)]
    np.testing.assert_array_equal(*counts)


def test_pages_that_were_logged_and_not_counted_are_counted_at_the_start(url, open_store, tmp_path):
    store = open_store(write_every_s=1_000.0)
    engine = engine_of(store)
    for _ in range(5):
        engine.decide(Query(user_id="u5", placements={"home": 2}))
    store.settled().result()
    for file in tmp_path.glob("shop.db*"):
        (tmp_path / file.name.replace("shop", "copy")).write_bytes(file.read_bytes())
    copied = Store(url.replace("shop.db", "copy.db"), start())
    assert len(engine_of(copied).state.histories.of("u5")) == 10
    copied.close()


def test_a_stock_that_was_put_outlives_a_restart(open_store):
    store = open_store()
    stock = catalogue().stock.copy()
    stock[5] = 2
    engine_of(store).put_items(replace(catalogue(), stock=stock))
    store.close()
    np.testing.assert_array_equal(engine_of(open_store()).state.shelves.stock, stock)


def limit_pages(store, count):
    """Let the file grow to so many pages; not at all where it has more."""
    ask(store, f"PRAGMA max_page_count = {count}")


def test_what_cannot_be_written_is_refused_and_what_follows_is_kept(url, open_store):
    store = open_store(write_every_s=0.0)
    engine = engine_of(store)
    engine.observe(views(0, 5))
    limit_pages(store, 1)
    with pytest.raises(StoreError, match=r"not be written \(database or disk is full\); nothing"):
        for k in range(1, 100):
            engine.observe(views(100 * k, 100))
    kept = on_disk(url, "SELECT count(*) FROM journal")[0][0]
    assert kept % 100 == 5
    limit_pages(store, 1_000_000)
    assert engine.observe(views(100 * 200, 100)).accepted == 100
    store.close()
    revived, twin = engine_of(open_store()), engine_of(None)
    twin.observe(views(0, 5) + views(100, kept - 5) + views(20_000, 100))
    for user in ("u0", "u3"):
        told, found = (each.state.histories.of(user) for each in (twin, revived))
        np.testing.assert_array_equal(found, told)
    np.testing.assert_array_equal(revived.state.shelves.stock, twin.state.shelves.stock)


def test_a_store_that_is_closed_says_so(open_store):
    store = open_store()
    engine = engine_of(store)
    store.close()
    with pytest.raises(StoreError, match=r"could not be read \(Cannot operate on a closed dat"):
        engine.observe(views(0, 1))
    with pytest.raises(StoreError, match=r"shop\.db is closed; open it again\."):
        store.settled()
    store.close()


def test_a_store_has_one_process(url, open_store):
    open_store()
    with pytest.raises(StoreError, match=r"shop\.db is in use, by another process or by an engine"):
        Store(url, start())


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("shop.db", r"store must be 'memory' or sqlite:///FILE, got what is no URL\."),
        ("sqlite://", r"store must be 'memory' or sqlite:///FILE, got sqlite://\."),
        ("sqlite:///:memory:", r"must be 'memory' or sqlite:///FILE, got sqlite:///:memory:\."),
        ("mysql://me:secret@host/x", r"sqlite:///FILE, got mysql://me:\*\*\*@host/x\."),
        ("sqlite:////no/such/shop.db", r"shop\.db needs the folder /no/such; make it first\."),
    ],
)
def test_a_url_that_names_no_file_is_told(url, message):
    with pytest.raises(StoreError, match=message):
        Store(url, start())


def test_a_file_that_is_no_store_is_told_and_left_as_it_is(url, tmp_path):
    file = tmp_path / "shop.db"
    file.write_text("user_id,item_id\n" * 100)
    with pytest.raises(StoreError, match=r"cannot be opened as a store \(file is not a database\)"):
        Store(url, start())
    assert file.read_text() == "user_id,item_id\n" * 100
    file.unlink()
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE orders (id)")
    other.close()
    with pytest.raises(StoreError, match=r"of something else, with a table orders; name a file"):
        Store(url, start())


def test_a_store_of_a_later_endcap_is_told(url, open_store):
    open_store().close()
    on = sqlite3.connect(url.removeprefix("sqlite:///"))
    on.execute("UPDATE alembic_version SET version_num = '9999'")
    on.commit()
    on.close()
    with pytest.raises(StoreError, match=r"by a later Endcap than this one, which knows stores up"):
        Store(url, start())


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"catalogue": Catalogue.of_ids(["other"])}, "items and campaigns"),
        ({"placements": ["side", "home"]}, "placements"),
        (
            {
                "campaigns": Campaigns(
                    rows=(
                        Campaign(
                            campaign_id="c",
                            advertiser_id="a",
                            item_ids=("i1",),
                            bid_micros=1,
                            daily_budget_micros=1,
                        ),
                    )
                )
            },
            "items and campaigns",
        ),
    ],
)
def test_a_model_that_does_not_fit_is_told(url, open_store, changes, what):
    open_store().close()
    with pytest.raises(StoreError, match=rf"its {what} are not those that the store was begun"):
        Store(url, start(**changes))


def test_a_store_that_could_not_be_begun_is_begun_anew(url):
    def die(what, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Store(url, start(), report=die)
    store = Store(url, start())
    assert engine_of(store).state.histories.of("u0")["item"].tolist() == [3, 4]
    store.close()


def test_a_flush_after_a_failed_one_writes_what_both_took(url, open_store):
    store = open_store(write_every_s=1_000.0)
    engine = engine_of(store)
    engine.observe(views(0, 30))
    file = url.removeprefix("sqlite:///")
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    ask(store, "PRAGMA busy_timeout = 100")
    other.execute("BEGIN IMMEDIATE")
    first = store.flush()
    letting_go = threading.Timer(1.0, lambda: other.execute("ROLLBACK"))
    letting_go.start()
    second = store.flush()  # waits for the first, and takes what that one could not write
    with pytest.raises(StoreError, match=r"could not be written \(database is locked\)"):
        first.result()
    letting_go.join()
    if second.exception() is not None:
        store.flush().result()
    other.execute("DELETE FROM journal")
    other.close()
    store.close()
    revived, twin = engine_of(open_store()), engine_of(None)
    twin.observe(views(0, 30))
    for user in ("u0", "u4"):
        told, found = (each.state.histories.of(user) for each in (twin, revived))
        np.testing.assert_array_equal(found, told)
    np.testing.assert_array_equal(revived.state.shelves.stock, twin.state.shelves.stock)


def test_a_person_who_is_forgotten_while_writing_fails_breaks_nothing(open_store):
    store = open_store(write_every_s=1_000.0)
    engine = engine_of(store)
    engine.observe(views(0, 20))
    ask(store, "PRAGMA query_only = ON")
    failed = store.flush()
    with pytest.raises(StoreError):
        failed.result()
    assert "readonly" in store.trouble
    ask(store, "PRAGMA query_only = OFF")
    assert store.erase("u3").history
    store.flush().result()
    assert store.trouble is None
    assert len(store.histories.of("u3")) == 0
    assert engine.observe(views(20, 7)).accepted == 7


def test_a_new_stock_is_not_sold_from_by_what_was_sold_before_it(url, tmp_path, open_store):
    store = open_store(write_every_s=1_000.0)
    engine = engine_of(store)
    engine.observe(views(0, 10))  # buys items 0 and 5
    engine.put_items(replace(catalogue(), stock=np.full(NUM_ITEMS, 20)))
    for file in tmp_path.glob("shop.db*"):
        (tmp_path / file.name.replace("shop", "copy")).write_bytes(file.read_bytes())
    copied = Store(url.replace("shop.db", "copy.db"), start())
    assert engine_of(copied).state.shelves.stock.tolist() == [20] * NUM_ITEMS
    copied.close()


def test_a_store_has_one_engine(open_store):
    store = open_store()
    engine_of(store)
    with pytest.raises(StoreError, match=r"An engine stands on the store .*shop\.db; close"):
        engine_of(store)


def test_pages_are_refused_while_too_many_records_wait_for_a_disk_that_takes_none(
    open_store, monkeypatch
):
    monkeypatch.setattr("endcap.store.store.MAX_UNWRITTEN", 3)
    store = open_store(write_every_s=1_000.0)
    engine = engine_of(store)
    ask(store, "PRAGMA query_only = ON")
    for _ in range(4):
        store.check_room()
        engine.decide(Query(user_id="u1", placements={"home": 1}))
        with pytest.raises(StoreError):
            store.settled().result()
    with pytest.raises(StoreError, match=r"readonly"):
        store.check_room()
    ask(store, "PRAGMA query_only = OFF")
    store.settled().result()
    store.check_room()
