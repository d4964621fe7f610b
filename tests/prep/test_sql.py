import sqlite3
import tracemalloc

import pytest

from endcap.errors import FileError, LogError, MissingExtraError
from endcap.prep import read, without_password
from endcap.prep.sql import Database, database_of, read_database

HEADER = ["user_id", "item_id", "event_type", "at", "price"]
ROWS = [
    ("u1", "007", "view", "2026-05-01 10:00:00", 9.5),
    ("u1", "i2", "purchase", "2026-05-01 10:01:00", None),
    ("u2", "007", "click", "2026-05-02 09:00:00", -1.0),
    ("u2", "i2", "click", "2026-05-02 09:30:00", 12),
]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def shop_db(tmp_path):
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.execute(f"create table events ({', '.join(HEADER)})")
        database.executemany("insert into events values (?, ?, ?, ?, ?)", ROWS)
        database.execute("create table products (sku text, title text, tags text)")
        database.execute("insert into products values ('007', 'Lamp', '[\"new\", \"red\"]')")
        database.execute("create table campaigns (campaign_id text, items text, bid real)")
        database.execute("insert into campaigns values ('c1', '007', 0.2)")
        database.execute("create view recent as select * from events where at >= '2026-05-02'")
        database.execute("create table emptied (user_id, item_id, at)")
    database.close()
    return f"sqlite:///{path}"


def test_a_table_of_a_database_is_a_log_and_so_are_its_catalogue_and_campaigns(shop_db):
    log = read(f"{shop_db}#events", items=f"{shop_db}#products", campaigns=f"{shop_db}#campaigns")
    assert log.events["item_id"].to_list() == ["007", "i2", "i2"]
    assert log.events["price_micros"].to_list() == [9_500_000, None, 12_000_000]
    assert log.report.first_at == "2026-05-01T10:00:00Z"
    assert log.rejected.select("file", "row", "reason").rows() == [("events", 3, "negative price")]
    assert log.items["title"].to_list() == ["Lamp"]
    assert log.items["attributes"].to_list() == [["tag=new", "tag=red"]]
    assert log.campaigns.rows[0].bid_micros == 200_000
    assert log.report.files == ("events", "products", "campaigns")


def test_a_query_is_a_log_behind_the_url_or_apart(shop_db):
    query = "select user_id, item_id, at from events where item_id <> ':x' and at like '%:%'"
    behind = read(f"{shop_db}#{query}")
    assert behind.events.height == 4
    assert read(shop_db, query=query).events.equals(behind.events)
    assert behind.report.files == ("query",)


def test_the_configuration_beside_a_database_is_that_of_the_working_folder(shop_db, tmp_path):
    (tmp_path / "shop.toml").write_text('currency = "EUR"\n[log.columns]\ntimestamp = "at"\n')
    log = read(f"{shop_db}#events")
    assert (log.shop.currency, log.report.files) == ("EUR", ("events", "shop.toml"))


def test_views_and_batches_read_as_one(shop_db):
    whole = read_database(Database(url=shop_db, table="events"))
    assert read_database(Database(url=shop_db, table="events"), batch=1).equals(whole)
    assert read_database(Database(url=shop_db, table="recent")).height == 2


def test_a_column_that_is_text_in_one_batch_is_text_in_all(tmp_path):
    url = f"sqlite:///{tmp_path / 'mixed.db'}"
    with sqlite3.connect(tmp_path / "mixed.db") as database:
        database.execute("create table events (a, b, c)")
        database.executemany(
            "insert into events values (?, ?, ?)",
            [(1, None, None), ("x", None, 2), (3, None, 2.5), (2**63 - 1, b"\xc3\xa9", 1)],
        )
    database.close()
    frame = read_database(Database(url=url, table="events"), batch=1)
    assert frame["a"].to_list() == ["1", "x", "3", str(2**63 - 1)]
    assert frame["b"].to_list() == [None, None, None, "é"]
    assert frame["c"].to_list() == [None, 2.0, 2.5, 1.0]


def test_rows_are_held_as_objects_a_batch_at_a_time(tmp_path):
    path = tmp_path / "large.db"
    with sqlite3.connect(path) as database:
        database.execute("create table events (user_id, item_id, at)")
        database.executemany(
            "insert into events values (?, ?, ?)",
            ((f"user {k}", f"item {k % 99}", 1_777_629_600 + k) for k in range(40_000)),
        )
    database.close()
    source = Database(url=f"sqlite:///{path}", table="events")
    read_database(source, batch=1_000)  # what is imported is not counted
    peaks = []
    for batch in (1_000, 40_000):
        tracemalloc.start()
        assert read_database(source, batch=batch).height == 40_000
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[0] * 5 < peaks[1]


@pytest.mark.parametrize(
    ("what", "error", "message"),
    [
        ("#orders", FileError,
         r"has no table orders; it has campaigns, emptied, events, products, recent; correct"),
        ("", FileError, r"does not say what to read; give URL#table, URL#select \.\.\., or --que"),
        ("#select * form events", FileError, r"could not answer the query: near \"form\": synt"),
        ("#select user_id, user_id from events", FileError, r"query returns user_id twice; give"),
        ("#create table x (a)", FileError, r"The query returns no rows; write one that does"),
        ("#emptied", LogError, r"emptied has columns but no rows; there is nothing to learn"),
        ("#select * from events where 1 = 0", LogError, r"query has columns but no rows"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_of_a_database_is_a_sentence(shop_db, what, error, message):
    with pytest.raises(error, match=message):
        read(f"{shop_db}{what}")


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        ("sqlite:///none.db#events", FileError, r"There is no none\.db; correct the URL"),
        ("foo://host/shop#events", FileError, r"SQLAlchemy knows no database foo; correct the"),
        ("postgresql://u:pw@host:port/x#e", FileError, r"//u:\*\*\*@host:port/x is no SQLAlchemy"),
        ("mssql+pymssql://u:pw@h/x#e", MissingExtraError, r"package pymssql; run: pip install p"),
    ],
)
def test_a_url_that_leads_nowhere_is_a_sentence(url, error, message, tmp_path):
    with pytest.raises(error, match=message) as told:
        read(url)
    assert "pw" not in str(told.value).replace("pip", "")
    assert not list(tmp_path.iterdir())


def test_a_query_needs_a_database_and_one_place(shop_db):
    with pytest.raises(FileError, match=r"--query asks a database, but log\.csv is none; give"):
        read("log.csv", query="select 1")
    with pytest.raises(FileError, match=r"names what to read, and --query too; give one"):
        read(f"{shop_db}#events", query="select 1")


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("postgresql://shop:secret@db/x#events", "postgresql://shop:***@db/x#events"),
        ("postgresql://shop@db/x", "postgresql://shop@db/x"),
        (
            "mysql+pymysql://a:se@cr#et/?x@db:3306/x?ssl_key=k#t",
            "mysql+pymysql://a:***@db:3306/x#t",
        ),
        ("mssql://db/x?user=a&password=se@cret#t", "mssql://db/x"),
        ("sqlite:///shop.db#events", "sqlite:///shop.db#events"),
        ("folder/log.csv", "folder/log.csv"),
    ],
)
def test_a_password_is_never_shown(url, safe):
    shown = without_password(url)
    assert shown.removesuffix("#t") == safe.removesuffix("#t")
    assert "cr" not in shown and "secret" not in shown
    if "#" in safe:
        assert "secret" not in repr(database_of(url))


def test_a_driver_that_repeats_the_password_does_not_pass_it_on(tmp_path, monkeypatch):
    from sqlalchemy import create_engine
    from sqlalchemy.exc import OperationalError

    from endcap.prep import sql

    url = "postgresql://shop:hunter2@db/x"
    engine = create_engine("sqlite://")
    monkeypatch.setattr(engine, "url", engine.url.set(password="hunter2"))
    monkeypatch.setattr(sql, "_engine_of", lambda source: engine)

    def refuse():
        raise OperationalError("", {}, OSError("no login with shop:hunter2 at db"))

    monkeypatch.setattr(engine, "connect", refuse)
    with pytest.raises(FileError, match=r"no login with shop:\*\*\* at db\.$") as told:
        read(f"{url}#events")
    assert "hunter2" not in repr(told.value)
    assert told.value.__cause__ is None and told.value.__suppress_context__
