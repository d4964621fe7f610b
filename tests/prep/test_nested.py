import json

import polars as pl
import pytest

from endcap.errors import SchemaError
from endcap.prep import encode, read
from endcap.prep.nested import reach, spread, value_at
from endcap.prep.tables import PLACE, ROW, read_table
from endcap.schema import ItemsConfig, LogConfig, ShopConfig

ORDERS = [
    {"kind": "view", "at": 1_777_629_600, "who": {"id": "u1"}, "lines": [{"sku": "i1"}]},
    {"kind": "purchase", "at": 1_777_629_700, "who": {"id": "u1"},
     "lines": [{"sku": "i1", "price": 9.5}, {"sku": "i2", "price": -1}, {"sku": "i3", "price": 2}]},
    {"kind": "search", "at": 1_777_629_800, "who": {"id": None}, "cookie": "c9", "lines": []},
    {"kind": "view", "at": 1_777_629_900, "cookie": "c9", "lines": [{"sku": "i2"}, {"sku": "i4"}]},
]  # fmt: skip
COLUMNS = {
    "user_id": "who.id | cookie",
    "item_id": "lines.sku",
    "price": "lines.price",
    "event_type": "kind",
    "timestamp": "at",
}


def write(tmp_path, rows, name="events.jsonl"):
    path = tmp_path / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def shop_with(**log):
    return ShopConfig(log=LogConfig(columns=COLUMNS, explode="lines", **log))


def told(log, *names):
    return log.events.select(names).rows()


def test_every_element_of_a_list_is_an_event_and_an_empty_list_stays_a_row(tmp_path):
    log = read(write(tmp_path, ORDERS), shop=shop_with())
    assert told(log, "user_id", "event_type", "item_id", "price_micros") == [
        ("u1", "view", "i1", None),
        ("u1", "purchase", "i1", 9_500_000),
        ("u1", "purchase", "i3", 2_000_000),
        ("c9", "search", None, None),
        ("c9", "view", "i2", None),
        ("c9", "view", "i4", None),
    ]


def test_a_rejected_element_names_the_row_of_the_file_and_shows_itself(tmp_path):
    log = read(write(tmp_path, ORDERS), shop=shop_with())
    (bad,) = log.rejected.to_dicts()
    assert (bad["file"], bad["row"], bad["reason"]) == ("events.jsonl", 2, "negative price")
    assert json.loads(bad["raw"])["lines"] == {"sku": "i2", "price": -1}
    assert "lines.sku" not in bad["raw"]


def test_titles_belong_to_their_own_element_of_a_row(tmp_path):
    lines = [{"sku": "i1", "name": "Lamp"}, {"sku": "i2", "name": "Rug"}]
    rows = [*ORDERS, {**ORDERS[1], "lines": lines}]
    shop = ShopConfig(
        log=LogConfig(columns=COLUMNS, explode="lines"),
        items=ItemsConfig(columns={"title": "lines.name"}, attributes=("lines.sku",)),
    )
    items = read(write(tmp_path, rows), shop=shop).items
    titles = dict(items.select("item_id", "title").rows())
    assert (titles["i1"], titles["i2"], titles["i3"]) == ("Lamp", "Rug", None)
    assert items["attributes"].to_list()[0] == [f"sku={items['item_id'][0]}"]


@pytest.mark.parametrize("ending", ["parquet", "csv", "broken.jsonl"])
def test_parquet_json_texts_and_a_file_with_a_broken_line_spread_alike(tmp_path, ending):
    whole = read(write(tmp_path, ORDERS), shop=shop_with()).events
    path = tmp_path / f"events.{ending}"
    frame = pl.read_ndjson(tmp_path / "events.jsonl", infer_schema_length=None)
    if ending == "parquet":
        frame.write_parquet(path)
    elif ending == "csv":
        texts = [json.dumps(row["lines"]) for row in ORDERS]
        who = [json.dumps(row.get("who")) for row in ORDERS]
        frame.with_columns(lines=pl.Series(texts), who=pl.Series(who)).write_csv(path)
    else:
        path.write_text((tmp_path / "events.jsonl").read_text() + '{"kind": \n')
    log = read(path, shop=shop_with())
    assert log.events.equals(whole)
    assert log.rejected.height == 1 + (ending == "broken.jsonl")


def test_an_event_id_sent_twice_counts_once_and_its_elements_each(tmp_path):
    rows = [{**row, "message_id": f"m{at}"} for at, row in enumerate(ORDERS)]
    log = read(write(tmp_path, [*rows, rows[3]]), shop=shop_with())
    assert log.rejected["reason"].to_list().count("duplicate event_id") == 2
    assert log.events["item_id"].to_list().count("i4") == 1


def test_one_item_twice_in_a_list_is_no_repeat(tmp_path):
    rows = [*ORDERS, {**ORDERS[0], "lines": [{"sku": "i7"}, {"sku": "i7"}]}]
    log = read(write(tmp_path, [*rows, rows[-1]]), shop=shop_with(drop_duplicates=True))
    assert log.events["item_id"].to_list().count("i7") == 2


def test_the_place_in_the_list_is_the_slot_of_what_was_shown_alone(tmp_path):
    columns = {**COLUMNS, "slot": "lines.#"}
    kinds = {"view": "impression"}
    shop = ShopConfig(log=LogConfig(columns=columns, explode="lines", event_types=kinds))
    log = read(write(tmp_path, ORDERS), shop=shop)
    assert told(log, "event_type", "item_id", "slot") == [
        ("impression", "i1", 0),
        ("purchase", "i1", None),
        ("purchase", "i3", None),
        ("search", None, None),
        ("impression", "i2", 0),
        ("impression", "i4", 1),
    ]
    assert encode(log).impressions["slot"].tolist() == [0, 0, 1]


def test_ignored_kinds_are_no_events_and_are_counted(tmp_path):
    shop = shop_with(event_types={"search": "ignore", "purchase": "purchase"})
    log = read(write(tmp_path, ORDERS), shop=shop)
    assert "search" not in log.report.event_types
    assert log.report.rejected == 1
    assert "Rows of kinds that are no events here (ignore): 1." in log.report.notes


def test_a_search_that_shows_items_is_told_once(tmp_path):
    rows = [*ORDERS, {**ORDERS[1], "kind": "search"}]
    shop = shop_with(event_types={"search": "search+impression"})
    log = read(write(tmp_path, rows), shop=shop)
    assert log.report.event_types["search"] == 2
    assert log.events.filter(pl.col("event_type") == "search")["item_id"].to_list() == [None, None]
    shown = log.events.filter(pl.col("event_type") == "impression")
    assert shown["item_id"].to_list() == ["i1", "i3"]
    assert shown["decision_id"].to_list() == [None, None]  # clicks find them by time


def test_a_list_of_names_and_values_is_read_by_name():
    typed = [{"key": "n", "value": {"int_value": 7, "string_value": None}},
             {"key": "c", "value": {"int_value": None, "string_value": "EUR"}}]  # fmt: skip
    plain = [{"name": "colour", "value": '["red", "blue"]'}, {"name": "title", "value": "Rug"}]
    frame = pl.DataFrame({"params": [typed, []], "fields": [plain, None], "tags": [["a"], []]})
    assert value_at(frame, "params.n").to_list() == ["7", None]
    assert value_at(frame, "params.c").to_list() == ["EUR", None]
    assert value_at(frame, "fields.colour").to_list() == ["red|blue", None]
    assert value_at(frame, "fields.price") is None
    assert value_at(frame, "tags.0").to_list() == ["a", None]
    assert value_at(frame, "nothing.here") is None


def test_texts_of_several_are_lists_too(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("user_id,bought,at\nu1,a|b,1777629600\nu2,c,1777629601\n")
    table = spread(read_table(path), "bought", file="events.csv")
    assert table.frame.select(ROW, PLACE, "bought").rows() == [
        (2, 0, "a"), (2, 1, "b"), (3, 0, "c"),
    ]  # fmt: skip


def test_what_is_not_to_be_reached_is_left_or_named(tmp_path):
    table = read_table(write(tmp_path, ORDERS))
    assert reach(table, {"who.name": False}).reached == ()
    shop = ShopConfig(log=LogConfig(columns={**COLUMNS, "item_id": "lines.id"}, explode="lines"))
    with pytest.raises(SchemaError, match=r"reads lines\.id, but lines in .* holds sku, price; co"):
        read(write(tmp_path, ORDERS), shop=shop)


@pytest.mark.parametrize(
    ("explode", "message"),
    [
        ("goods", r"explode in shop\.toml names goods, but events\.jsonl has the columns kind, "),
        ("at", r"explode in shop\.toml names at, which holds no lists in events\.jsonl; name a"),
    ],
)
def test_a_list_that_is_none_is_named(tmp_path, explode, message):
    shop = ShopConfig(log=LogConfig(columns=COLUMNS, explode=explode))
    with pytest.raises(SchemaError, match=message):
        read(write(tmp_path, ORDERS), shop=shop)


def test_a_catalogue_is_not_asked_for_what_the_log_tells(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("user_id,item_id,date,category\nu1,i1,2026-05-01,x\nu2,i2,2026-05-02,y\n")
    items = tmp_path / "items.csv"
    items.write_text("item_id,categories\ni1,Home\ni2,Garden\n")
    assert read(log, items=items).items["categories"].to_list() == ["Home", "Garden"]
