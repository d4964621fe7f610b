import polars as pl
import pytest

from endcap.errors import SchemaError
from endcap.prep.columns import EVENT_COLUMNS, expression_of, find_columns, values_of


def find(found, declared=None):
    return find_columns(EVENT_COLUMNS, declared or {}, found, file="events.csv")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("userid", "user_id"), ("CustomerID", "user_id"), ("user", "user_id"),
        ("visitorid", "visitor_id"), ("itemid", "item_id"), ("product_id", "item_id"),
        ("StockCode", "item_id"), ("brand_id", "item_id"), ("video_id", "item_id"),
        ("sku", "item_id"), ("time", "timestamp"), ("ts", "timestamp"), ("date", "timestamp"),
        ("event_time", "timestamp"), ("InvoiceDate", "timestamp"), ("time_ms", "timestamp"),
        ("visit_datetime", "timestamp"), ("type", "event_type"), ("event", "event_type"),
        ("behavior", "event_type"), ("action", "event_type"), ("UnitPrice", "price"),
        ("Quantity", "quantity"), ("play_time_ms", "dwell_ms"),
    ],
)  # fmt: skip
def test_other_peoples_names_are_known(theirs, ours):
    assert find([theirs]) == {ours: theirs}


def test_our_own_name_wins_over_a_synonym():
    assert find(["sku", "item_id", "date", "timestamp"])["item_id"] == "item_id"
    assert find(["sku", "item_id", "date", "timestamp"])["timestamp"] == "timestamp"


def test_a_declared_name_wins_and_an_empty_one_leaves_a_column_unread():
    found = find(["user_id", "item_id", "price", "sku"], {"item_id": "sku", "price": ""})
    assert found == {"item_id": "sku", "user_id": "user_id"}


def test_a_declared_column_that_is_missing_is_named():
    message = r"shop\.toml reads item_id from SKU, but events\.csv has the columns user_id, sku;"
    with pytest.raises(SchemaError, match=message):
        find(["user_id", "sku"], {"item_id": "SKU"})


def test_a_column_that_endcap_does_not_know_is_named():
    with pytest.raises(
        SchemaError, match=r"columns\.colour in shop\.toml is not a column of Endcap"
    ):
        find(["colour"], {"colour": "colour"})


def test_a_template_joins_columns():
    frame = pl.DataFrame({"date": ["2026-03-01", None], "hour": [9, 10]})
    joined = frame.select(expression_of("{date} {hour}:00", frame.columns)).to_series()
    assert joined.to_list() == ["2026-03-01 9:00", None]


def test_a_template_names_its_missing_column():
    with pytest.raises(SchemaError, match="reads timestamp from hour"):
        find(["user_id", "item_id", "date"], {"timestamp": "{date} {hour}"})


def test_a_choice_takes_row_by_row_the_first_that_is_present():
    frame = pl.DataFrame({"user_id": ["u1", " ", None, "(not set)"], "cookie": [1, 2, 3, 4]})
    chosen = values_of(frame, "user_id | account | cookie", ["(not set)"])
    assert chosen.to_list() == ["u1", "2", "3", "4"]
    assert values_of(frame, "account | cookie").to_list() == [1, 2, 3, 4]


def test_a_template_of_a_choice_needs_all_its_columns_to_be_known():
    frame = pl.DataFrame({"a": ["x", "x"], "b": ["y", "(not set)"]})
    assert values_of(frame, "{a} > {b} | a", ["(not set)"]).to_list() == ["x > y", "x"]


def test_a_choice_of_columns_that_are_all_missing_names_them():
    with pytest.raises(SchemaError, match=r"reads user_id from uid, account, but events\.csv has"):
        find(["cookie", "item_id"], {"user_id": "uid | account"})
    found = find(["cookie", "item_id"], {"user_id": "uid | cookie"})
    assert found == {"user_id": "uid | cookie", "item_id": "item_id"}
