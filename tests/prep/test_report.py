import json

import pytest

from endcap.prep import inspect

HEADER = "user_id,item_id,event_type,timestamp,dwell_ms,slot,price,campaign_id,colour\n"


@pytest.fixture
def report(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text(
        HEADER
        + "u1,i1,impression,2026-03-01T10:00:00Z,,0,,,\n"
        + "u1,i1,click,2026-03-01T10:00:00Z,900,,,,\n"
        + "u1,i2,view,2026-03-05T10:00:00Z,,,,,\n"
        + "u2,i2,click,2026-03-11T09:59:59Z,,,,c1,\n"
        + ",i2,click,2026-03-11T09:59:59Z,,,,c1,\n"
    )
    return inspect(path)


def test_counts_are_those_of_the_log(report):
    assert (report.rows, report.events, report.rejected) == (5, 4, 1)
    assert (report.users, report.items, report.campaigns) == (2, 2, 0)
    assert report.event_types == {"click": 2, "impression": 1, "view": 1}
    assert (report.first_at, report.last_at) == ("2026-03-01T10:00:00Z", "2026-03-11T09:59:59Z")


def test_events_that_share_user_and_instant_are_counted(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("user_id,item_id,date\n" + "u1,i1,2026-03-01\n" * 3 + "u2,i2,2026-03-01\n")
    assert inspect(path).shared_instant_share == 0.75


def test_columns_say_what_they_unlock_and_unknown_ones_are_named(report):
    unlocks = {use.column: use.unlocks for use in report.columns}
    assert unlocks["dwell_ms"].startswith("dwell")
    assert unlocks["slot"] == "click at a slot, examination"
    assert unlocks["price"] == "price bands, revenue"
    assert unlocks["campaign_id"].startswith("ad tasks")
    assert report.unused_columns == ("colour",)


def test_tasks_are_unlocked_or_say_what_is_missing(report):
    reasons = {use.name: (use.is_unlocked, use.reason) for use in report.tasks}
    assert reasons == {
        "next": (True, "every event with an item"),
        "click": (True, "1 events of type click"),
        "cart": (False, "no events of type add_to_cart"),
        "dwell": (True, "1 clicks with dwell_ms"),
        "buy": (False, "no events of type purchase"),
        "purchase": (False, "no events of type purchase"),
        "any_purchase": (False, "no events of type purchase"),
        "return": (True, "every event"),
        "clicks": (True, "2 events of type click"),
        "next_category": (False, "no categories of items"),
        "ad_click": (False, "no impressions of ads (rows with campaign_id)"),
        "ad_buy": (False, "no events of type purchase"),
    }


@pytest.mark.parametrize(
    ("of", "columns", "found"),
    [
        ("price", "price", (True, "every event with an item of a known price")),
        ("price", "brand", (False, "no price of items")),
        ("seller", "brand", (False, "no seller_id of items")),
        ("rating", "rating", (True, "every event with an item of a known rating")),
        ("rathing", "rating", (False, "no rathing of items")),
    ],
)
def test_a_task_asks_of_any_field_of_items_that_is_there(tmp_path, of, columns, found):
    (tmp_path / "events.csv").write_text(
        "user_id,item_id,timestamp\nu1,i1,2026-03-01T10:00:00Z\nu2,i2,2026-03-02T10:00:00Z\n"
    )
    (tmp_path / "items.csv").write_text(f"item_id,{columns}\ni1,3\ni2,4\n")
    numbers = '[items]\nnumbers = ["rating"]\n' if columns == "rating" else ""
    (tmp_path / "shop.toml").write_text(
        f'{numbers}[[more_tasks]]\ntype = "category"\nname = "sort"\nof = "{of}"\n'
    )
    (use,) = (use for use in inspect(tmp_path).tasks if use.name == "sort")
    assert (use.is_unlocked, use.reason) == found


def test_the_split_is_shown_before_it_is_made(report):
    assert report.split.kind == "time"
    assert (report.split.train, report.split.validation, report.split.test) == (3, 0, 1)
    assert report.split.validation_end == "2026-03-10T10:00:00Z"  # a tenth of ten days


def test_the_report_is_plain_data(report):
    told = json.loads(json.dumps(report.to_dict()))
    assert told["reasons"][0] == {"reason": "no user_id", "count": 1, "rows": ["events.csv:6"]}
    assert told["tasks"][0]["name"] == "next"


def test_an_order_has_no_delays(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("user_id,item_id,pos,x\nu1,i1,0,\nu1,i2,1,\nu1,i1,2,\nu2,i1,0,\n")
    report = inspect(path)
    assert report.first_at is None
    assert (report.split.kind, report.split.train, report.split.validation, report.split.test) == (
        "leave_one_out", 2, 1, 1)  # fmt: skip
    purchase = next(use for use in report.tasks if use.name == "purchase")
    assert purchase.reason == "no time: only the order of events is known"
    assert any("cannot be split by time" in note for note in report.notes)
