"""Exports of other systems, written by hand from their public formats, become events of ours."""

from pathlib import Path

import polars as pl
import pytest

from endcap.errors import ConfigError, LogError, SchemaError
from endcap.prep import encode, format_shop, read
from endcap.prep.published import mappings_by_word
from endcap.schema import ShopConfig

EXPORTS = Path(__file__).parent / "exports"
SYSTEMS = {
    "ga4": "ga4.jsonl",
    "google_retail": "google_retail.jsonl",
    "gorse": "gorse.csv",
    "metarank": "metarank.jsonl",
    "personalize": "personalize.csv",
}


def told(log, *names):
    return log.events.select(names).rows()


def after(log):
    """Return milliseconds since 1 May 2026, 10:00 UTC."""
    return ((log.events["timestamp_us"] - 1_777_629_600_000_000) / 1_000).to_list()


@pytest.mark.parametrize("word", SYSTEMS)
def test_an_export_is_recognised_asked_for_and_written_down_alike(word, tmp_path):
    path = EXPORTS / SYSTEMS[word]
    known = read(path)
    asked = read(path, format=word.replace("_", "-"))
    assert known.report.notes[0].startswith(f"This looks like {mappings_by_word()[word].title}.")
    assert asked.report.notes[0].startswith("Read as ")
    config = tmp_path / "shop.toml"
    config.write_text(format_shop(known.shop), encoding="utf-8")
    written = read(path, shop=config)
    assert known.events.equals(asked.events)
    assert known.events.equals(written.events)
    assert known.shop == asked.shop == written.shop
    encode(known)


def test_ga4_rows_hold_items_and_times_are_microseconds_as_text():
    log = read(EXPORTS / "ga4.jsonl")
    assert told(log, "user_id", "event_type", "item_id", "slot", "price_micros", "quantity") == [
        ("11.22", "impression", "lamp-1", 0, 19_900_000, None),
        ("11.22", "impression", "lamp-2", 1, 49_000_000, None),
        ("11.22", "click", "lamp-2", None, 49_000_000, None),
        ("u7", "purchase", "lamp-2", None, 49_000_000, 1),
        ("u7", "purchase", "lamp-1", None, 19_900_000, 2),
        ("33.44", "search", None, None, None, None),
        ("33.44", "view", "rug-9", None, 120_500_000, None),
    ]
    assert log.events["timestamp_us"].to_list()[1:3] == [1777629601000002, 1777629605000003]
    assert log.events["value_micros"].to_list()[3:5] == [49_000_000, 39_800_000]
    assert log.events["session_id"][0] == "11.22-1777629600"
    assert log.events["placement"][0] == "Related"
    assert log.events["device"].to_list()[-2:] == ["desktop", "desktop"]
    assert log.events["query"].to_list()[5] == "rug"
    assert log.shop.currency == "EUR"
    assert [(row["row"], row["reason"]) for row in log.rejected.to_dicts()] == [(2, "no item_id")]
    assert log.items.select("item_id", "title", "brand", "categories").rows() == [
        ("lamp-1", "Desk lamp", "Lumo", "Home > Lamps"),
        ("lamp-2", "Floor lamp", None, "Home"),
        ("rug-9", "Rug", None, "Home"),
    ]


def test_ga4_clicks_find_what_was_shown():
    dataset = encode(read(EXPORTS / "ga4.jsonl"))
    from endcap.outcomes import join_outcomes

    assert join_outcomes(dataset).clicked.tolist() == [False, True]


def test_ga4_in_parquet_reads_as_in_jsonl(tmp_path):
    frame = pl.read_ndjson(EXPORTS / "ga4.jsonl", infer_schema_length=None)
    frame.write_parquet(tmp_path / "ga4.parquet")
    assert read(tmp_path / "ga4.parquet").events.equals(read(EXPORTS / "ga4.jsonl").events)


def test_google_retail_events_and_products():
    log = read(EXPORTS / "google_retail.jsonl", items=EXPORTS / "google_retail_products.jsonl")
    assert told(log, "user_id", "event_type", "item_id", "slot", "quantity") == [
        ("v1", "search", None, None, None),
        ("v1", "impression", "P1", 0, None),
        ("v1", "impression", "P2", 1, None),
        ("v2", "search", None, None, None),
        ("u1", "view", "P2", None, None),
        ("u1", "add_to_cart", "P2", None, 2),
        ("u1", "purchase", "P2", None, 2),
        ("u1", "purchase", "P1", None, 1),
    ]
    assert after(log)[:4] == [10_500, 10_500, 10_500, 11_000]
    assert log.events["query"].to_list()[0] == "lamp"
    assert (log.shop.currency, log.report.rejected) == ("EUR", 0)
    items = log.items.select("item_id", "brand", "categories", "price_micros", "unit_cost_micros",
                             "stock", "available", "attributes")  # fmt: skip
    assert items.rows() == [
        ("P1", "Lumo", "Home > Lamps|Sale", 19_500_000, 8_000_000, 5, True,
         ["colour=red", "colour=white", "watts=7.5"]),
        ("P2", None, "Home > Lamps", 14_500_000, None, 0, False, ["colour=black"]),
    ]  # fmt: skip


def test_personalize_impressions_are_pages_with_their_event():
    log = read(EXPORTS / "personalize.csv", items=EXPORTS / "personalize_items.csv")
    assert told(log, "user_id", "event_type", "item_id", "slot", "decision_id") == [
        ("u1", "impression", "i1", 0, "personalize.csv:2"),
        ("u1", "impression", "i2", 1, "personalize.csv:2"),
        ("u1", "impression", "i3", 2, "personalize.csv:2"),
        ("u1", "click", "i2", None, "personalize.csv:2"),
        ("u1", "purchase", "i2", None, None),
        ("u2", "impression", "i1", 0, "rec-5"),
        ("u2", "impression", "i4", 1, "rec-5"),
        ("u2", "view", "i1", None, "rec-5"),
        ("u2", "add_to_cart", "i4", None, "rec-5"),
    ]
    assert after(log)[3:5] == [0, 60_000]
    assert log.events["value_micros"].null_count() == log.events.height
    items = log.items.select("item_id", "categories", "price_micros", "created_at_us")
    assert items.rows() == [
        ("i1", "Home > Lamps", 19_990_000, 1_700_000_000_000_000),
        ("i2", "Home", 49_000_000, 1_700_000_000_000_000),
    ]
    from endcap.outcomes import join_outcomes

    assert join_outcomes(encode(log)).clicked.tolist() == [False, True, False, True, False]


def test_gorse_times_of_the_year_one_are_unknown():
    log = read(EXPORTS / "gorse.csv", items=EXPORTS / "gorse_items.csv")
    assert told(log, "user_id", "event_type", "item_id") == [
        ("1", "view", "a"), ("1", "favorite", "b"), ("2", "purchase", "a"),
    ]  # fmt: skip
    assert after(log) == [0, 0, 86_400_000]
    assert log.rejected.select("row", "reason").rows() == [(5, "no timestamp")]
    items = log.items.select("item_id", "title", "categories", "created_at_us", "attributes")
    assert items.rows() == [
        ("a", "Desk lamp", "home|lamps", 1_735_693_261_000_000, ["colour=red", "colour=white"]),
        ("b", "Rug", None, None, []),
    ]


def test_gorse_of_newer_versions_writes_json():
    log = read(EXPORTS / "gorse.jsonl")
    assert told(log, "user_id", "event_type", "item_id") == [
        ("1", "view", "a"), ("2", "favorite", "b"),
    ]  # fmt: skip


def test_metarank_rankings_are_pages_and_item_events_the_catalogue():
    log = read(EXPORTS / "metarank.jsonl")
    assert told(log, "user_id", "event_type", "item_id", "slot", "decision_id") == [
        ("u1", "impression", "p1", 0, "r1"),
        ("u1", "impression", "p2", 1, "r1"),
        ("u1", "impression", "p3", 2, "r1"),
        ("u1", "click", "p2", None, "r1"),
        ("s9", "purchase", "p1", None, "c2"),
    ]
    assert after(log) == [500, 500, 500, 3_000, 300_000]
    assert log.events["query"][0] == "lamp"
    assert log.items.select("item_id", "title", "price_micros").rows() == [
        ("p1", "Desk lamp", 19_500_000), ("p2", "Rug", None), ("p3", None, None),
    ]  # fmt: skip
    assert encode(log).event_decision.tolist() == [0, -1]


BAD_ROWS = {
    "ga4": ('{"event_timestamp":"soon","event_name":"view_item","user_pseudo_id":"5.6",'
            '"event_params":[],"items":[{"item_id":"x"}]}', "timestamp is no time"),
    "google_retail": ('{"eventType":"purchase-complete","visitorId":"v1","eventTime":'
                      '"2026-05-01T10:00:00Z","productDetails":[{"quantity":1}]}', "no item_id"),
    "gorse": ("read,,a,2026-05-01 10:00:00 +0000 UTC", "no user_id"),
    "metarank": ('{"event":"ranking","id":"r2","timestamp":"1777629600500","items":[{"id":"p1"}]}',
                 "no user_id"),
    "personalize": ("u1,i1,,Click,,i1|i2,", "no timestamp"),
}  # fmt: skip


@pytest.mark.parametrize("word", SYSTEMS)
def test_a_bad_row_of_an_export_is_rejected_alone_and_shows_nothing(word, tmp_path):
    good = read(EXPORTS / SYSTEMS[word])
    row, reason = BAD_ROWS[word]
    text = (EXPORTS / SYSTEMS[word]).read_text(encoding="utf-8")
    path = tmp_path / SYSTEMS[word]
    path.write_text(f"{text}{row}\n", encoding="utf-8")
    log = read(path)
    last = log.rejected.row(-1, named=True)
    assert (last["row"], last["reason"]) == (text.count("\n") + 1, reason)
    assert log.events.equals(good.events)


@pytest.mark.parametrize("word", ["ga4", "google_retail", "metarank"])
def test_a_broken_line_of_an_export_costs_itself_alone(word, tmp_path):
    good = read(EXPORTS / SYSTEMS[word])
    text = (EXPORTS / SYSTEMS[word]).read_text(encoding="utf-8")
    path = tmp_path / SYSTEMS[word]
    path.write_text(text + '{"event": \n', encoding="utf-8")
    log = read(path)
    assert log.events.equals(good.events)
    assert str(log.items) == str(good.items)
    assert log.rejected["reason"].to_list()[0].startswith("broken line: no JSON")


@pytest.mark.parametrize("word", SYSTEMS)
def test_an_export_of_another_system_is_refused_by_the_columns_it_lacks(word):
    other = "gorse.csv" if word != "gorse" else "ga4.jsonl"
    with pytest.raises(SchemaError, match=rf"{other} is not .*: it has no .*leave it out"):
        read(EXPORTS / other, format=word)


def test_a_format_that_nobody_knows_lists_those_that_are_known():
    with pytest.raises(ConfigError, match=r"There is no format ga5; Endcap knows .*ga4, .*gorse"):
        read(EXPORTS / "ga4.jsonl", format="ga5")


def test_a_format_beside_another_word_on_it_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="--format and --shop both say how the log is written"):
        read(EXPORTS / "ga4.jsonl", format="ga4", shop=ShopConfig())
    path = tmp_path / "ga4.jsonl"
    path.write_bytes((EXPORTS / "ga4.jsonl").read_bytes())
    path.with_name("shop.toml").write_text("")
    with pytest.raises(ConfigError, match=r"shop\.toml says already how .*leave --format out"):
        read(path, format="ga4")


def test_a_second_currency_in_an_export_is_refused(tmp_path):
    path = tmp_path / "ga4.jsonl"
    text = (EXPORTS / "ga4.jsonl").read_text(encoding="utf-8")
    path.write_text(text.replace('"EUR"', '"USD"', 1), encoding="utf-8")
    with pytest.raises(LogError, match="A shop has one currency, but this log has EUR and USD"):
        read(path)


def test_days_of_an_export_in_one_folder_are_one_log(tmp_path):
    lines = (EXPORTS / "ga4.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "events_20260501.jsonl").write_text("".join(lines[:3]), encoding="utf-8")
    (tmp_path / "events_20260502.jsonl").write_text("".join(lines[3:]), encoding="utf-8")
    assert read(tmp_path).events.height == 7
