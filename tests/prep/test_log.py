import json

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from endcap.errors import FileError, LogError, SchemaError
from endcap.prep import inspect, read, write_rejected
from endcap.schema import ShopConfig

HEADER = "user_id,item_id,event_type,timestamp"
GOOD = [
    "u1,i1,view,2026-03-01T10:00:00Z",
    "u1,i2,click,2026-03-01T10:01:00Z",
    "u2,i1,purchase,2026-03-02T09:00:00Z",
]


@pytest.fixture
def write(tmp_path):
    def write_file(*lines, name="events.csv", header=HEADER):
        path = tmp_path / name
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return path

    return write_file


def reasons(log):
    return {(row["row"], row["reason"]) for row in log.rejected.to_dicts()}


def test_a_plain_log_is_read_whole(write):
    log = read(write(*GOOD))
    assert log.events["user_id"].to_list() == ["u1", "u1", "u2"]
    assert log.events["event_type"].to_list() == ["view", "click", "purchase"]
    assert log.events["timestamp_us"][0] == 1_772_359_200_000_000
    assert (log.report.rows, log.report.users, log.report.items, log.report.rejected) == (
        3,
        2,
        2,
        0,
    )


def test_bad_rows_go_to_the_side_file_with_their_line_and_reason(write, tmp_path):
    header = f"{HEADER},price"
    good = [f"{row},1.5" for row in GOOD]
    bad = {
        "u1,i1,view,2026-03-01T10:00:00Z,cheap": "price is not a number",
        "u1,i1,view,2026-03-01T10:00:00Z,-2": "negative price",
        "u1,i1,view,2026-03-01T10:00:00Z,inf": "price is infinite",
        "u1,i1,view,yesterday,1": "timestamp is no time",
        "u1,i1,view,1969-12-31T23:59:59Z,1": "timestamp is before 1970 or after 2199",
        "u1,i1,view,2200-01-01T00:00:00Z,1": "timestamp is before 1970 or after 2199",
        "u1,i1,view,,1": "no timestamp",
        ",i1,view,2026-03-01T10:00:00Z,1": "no user_id",
        "u1, ,view,2026-03-01T10:00:00Z,1": "no item_id",
        "u1,i1,,2026-03-01T10:00:00Z,1": "no event_type",
    }
    log = read(write(*good, *bad, header=header))
    assert reasons(log) == set(enumerate(bad.values(), start=5))
    assert log.report.events == 3
    path = write_rejected(log, tmp_path / "rejected.jsonl")
    first = json.loads(path.read_text().splitlines()[0])
    assert first["row"] == 5
    assert json.loads(first["raw"])["price"] == "cheap"


def test_the_report_counts_reasons_and_names_rows(write):
    log = read(write(*GOOD, ",i1,view,2026-03-01", ",i2,view,2026-03-01"))
    (reason,) = log.report.reasons
    assert (reason.reason, reason.count) == ("no user_id", 2)
    assert reason.rows == ("events.csv:5", "events.csv:6")


def test_an_event_sent_twice_counts_once(write):
    rows = [f"{row},e{at}" for at, row in enumerate(GOOD)]
    log = read(write(*rows, rows[1], header=f"{HEADER},event_id"))
    assert log.report.events == 3
    assert reasons(log) == {(5, "duplicate event_id")}


def test_a_bad_first_copy_does_not_cost_the_good_second(write):
    twice = ["u1,i1,view,never,e9", "u1,i1,view,2026-03-01,e9"]
    log = read(write(*(f"{row}," for row in GOOD), *twice, header=f"{HEADER},event_id"))
    assert reasons(log) == {(5, "timestamp is no time")}
    assert log.report.events == 4


def test_a_search_needs_no_item(write):
    log = read(write(*GOOD, "u1,,search,2026-03-01T10:00:00Z"))
    assert log.report.events == 4


def test_a_column_of_kinds_that_is_empty_means_the_default_kind(write):
    rows = [row.replace(row.split(",")[2], "", 1) for row in GOOD]
    assert read(write(*rows)).report.event_types == {"view": 3}


def test_too_few_users_names_the_rows_that_were_rejected(write):
    with pytest.raises(LogError, match=r"1 user and 2 items; rows were rejected: no user_id \(1\)"):
        read(write(*GOOD[:2], ",i1,view,2026-03-01"))


def test_an_unknown_kind_is_kept_with_a_warning(write):
    report = inspect(write(*GOOD, "u1,i1,zoom,2026-03-01T10:00:00Z"))
    assert report.event_types["zoom"] == 1
    (warning,) = report.warnings
    assert "event type 'zoom' (1 events) is not one of ours" in warning


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], r"events\.csv has columns but no rows; there is nothing to learn from"),
        ([",i1,view,2026-03-01"], r"Nothing remains of events\.csv: all 1 rows .*no user_id \(1\)"),
        ([GOOD[0], GOOD[1]], r"at least 2 users and 2 items, events\.csv has 1 user and 2 items"),
        ([GOOD[0], GOOD[2]], r"at least 2 users and 2 items, events\.csv has 2 users and 1 item;"),
    ],
)
def test_a_log_that_teaches_nothing_says_so_in_a_sentence(write, rows, message):
    with pytest.raises(LogError, match=message):
        read(write(*rows))


def test_a_log_of_no_users_names_its_columns_and_the_remedy(write):
    path = write("a,2", header="foo,StockCode")
    with pytest.raises(SchemaError, match=r"column for user_id, but has only foo, StockCode; name"):
        read(path)


@pytest.mark.parametrize(
    ("currencies", "shop", "message"),
    [
        (("EUR", "USD", "EUR"), "", "A shop has one currency, but this log has EUR and USD"),
        (("EUR", "EUR", "EUR"), "GBP", "shop.toml says currency = GBP, but this log is in EUR"),
        (("taler", "taler", ""), "", "currency must be three letters such as EUR .* got 'TALER'"),
    ],
)
def test_another_currency_is_an_error_that_says_so(write, currencies, shop, message):
    rows = [f"{row},{one}" for row, one in zip(GOOD, currencies, strict=True)]
    config = ShopConfig(currency=shop) if shop else None
    with pytest.raises(LogError, match=message):
        read(write(*rows, header=f"{HEADER},currency"), shop=config)


def test_the_currency_of_the_log_becomes_the_shops(write):
    rows = [f"{row},eur" for row in GOOD]
    assert read(write(*rows, header=f"{HEADER},currency")).shop.currency == "EUR"


def test_money_is_whole_micros(write):
    rows = [f"{row},{price}" for row, price in zip(GOOD, ("12.50", "0.1", ""), strict=True)]
    log = read(write(*rows, header=f"{HEADER},price"))
    assert log.events["price_micros"].to_list() == [12_500_000, 100_000, None]


def test_a_missing_path_is_a_sentence(tmp_path):
    with pytest.raises(FileError, match=r"There is no .*none\.csv; give a log's file, or a folder"):
        read(tmp_path / "none.csv")


EVENT = st.fixed_dictionaries(
    {
        "user_id": st.sampled_from(["u1", "u2", "007"]),
        "item_id": st.sampled_from(["i1", "i2"]),
        "event_type": st.sampled_from(["view", "click", "own_kind"]),
        "timestamp": st.integers(1_700_000_000, 1_800_000_000),
        "price": st.one_of(st.none(), st.integers(0, 10**7).map(lambda cents: cents / 100)),
        "dwell_ms": st.one_of(st.none(), st.integers(0, 10**6)),
    }
)
ANCHORS = [
    {"user_id": "u1", "item_id": "i1", "event_type": "view", "timestamp": 1_700_000_001,
     "price": 1.25, "dwell_ms": 5},
    {"user_id": "u2", "item_id": "i2", "event_type": "view", "timestamp": 1_700_000_002,
     "price": None, "dwell_ms": None},
]  # fmt: skip


@given(rows=st.lists(EVENT, max_size=8))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_csv_jsonl_and_parquet_of_the_same_rows_give_the_same_events(rows, tmp_path):
    frame = pl.DataFrame([*ANCHORS, *rows], infer_schema_length=None)
    frame.write_csv(tmp_path / "a.csv")
    frame.write_ndjson(tmp_path / "a.jsonl")
    frame.write_parquet(tmp_path / "a.parquet")
    csv, jsonl, parquet = (
        read(tmp_path / f"a.{end}").events for end in ("csv", "jsonl", "parquet")
    )
    assert csv.equals(jsonl)
    assert csv.equals(parquet)
