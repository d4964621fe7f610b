from datetime import UTC, datetime

import polars as pl
import pytest
from msgspec import structs

from endcap.errors import SchemaError
from endcap.prep import encode, read
from endcap.prep.published import mappings_by_word
from endcap.schema import Hazard, ItemsConfig, ShopConfig


def write(tmp_path, **columns):
    path = tmp_path / "log.parquet"
    pl.DataFrame(columns).write_parquet(path)
    return path


def kinds(log):
    return log.events["event_type"].to_list()


def test_every_mapping_reads_or_says_why_not():
    mappings = mappings_by_word().values()
    titles = [mapping.title for mapping in mappings]
    assert len(titles) == len(set(titles)) == 12
    assert all(mapping.note or mapping.refuse for mapping in mappings)


def test_tmall_brands_are_items_of_days_in_2014(tmp_path):
    log = read(
        write(
            tmp_path,
            user_id=[1, 1, 1, 2, 2],
            brand_id=[5, 5, 6, 5, 6],
            type=[0, 0, 1, 2, 3],
            visit_datetime=["6-4", "6-4", "6-5", "8-15", "8-15"],
            month=[6, 6, 6, 8, 8],
            day=[4, 4, 5, 15, 15],
        )
    )
    assert kinds(log) == ["click", "purchase", "favorite", "add_to_cart"]
    assert log.report.first_at == "2014-06-04T00:00:00Z"
    assert log.report.resolution == "day"
    assert log.rejected["reason"].to_list() == ["repeats an earlier row to the letter"]


def test_amazon_reviews_are_purchases_in_order(tmp_path):
    path = write(tmp_path, user_id=[1, 1, 1, 2], item_id=[7, 8, 9, 7], pos=[0, 1, 2, 0])
    items = tmp_path / "item_attributes.parquet"
    pl.DataFrame({"item_id": [9, 7, 8], "attributes": [[1, 2], [], None]}).write_parquet(items)
    log = read(path, items=items)
    assert set(kinds(log)) == {"purchase"}
    dataset = encode(log)
    assert dataset.catalogue.item_ids.tolist() == ["9", "7", "8"]
    assert dataset.catalogue.attributes.tolist() == [("attribute=1", "attribute=2"), (), ()]
    assert dataset.event_split.tolist() == [0, 1, 2, 0]


def test_online_retail_lines_are_purchases_and_refunds(tmp_path):
    at = datetime(2011, 7, 1, 8, 26)
    log = read(
        write(
            tmp_path,
            InvoiceNo=["536365", "C536366", "536367", "536365", "536368"],
            StockCode=["85123A", "85123A", "POST", "85123A", "22"],
            Description=["LAMP", "LAMP", "POSTAGE", "LAMP", None],
            Quantity=[6, -6, 1, 6, -1],
            InvoiceDate=[at] * 5,
            UnitPrice=[2.55, 2.55, 1.0, 2.55, 0.0],
            CustomerID=[17850, 17850, 3, 17850, None],
            Country=["UK"] * 5,
        )
    )
    assert kinds(log) == ["purchase", "refund", "purchase"]
    assert log.events["quantity"].to_list() == [6, 6, 1]
    assert log.events["price_micros"][0] == 2_550_000
    assert log.report.first_at == "2011-07-01T07:26:00Z"  # London in summer
    assert log.items.select("item_id", "title").rows() == [("85123A", "LAMP"), ("POST", "POSTAGE")]
    assert log.rejected["reason"].to_list() == [
        "repeats an earlier row to the letter",
        "no user_id",
    ]


def test_a_kuairand_row_is_an_impression_and_a_click_is_one_more(tmp_path):
    log = read(
        write(
            tmp_path,
            user_id=[1, 2],
            video_id=[7, 8],
            time_ms=[1649581149287, 1649581149288],
            is_click=[1, 0],
            play_time_ms=[46186, 5],
            duration_ms=[45916, 0],
        )
    )
    assert kinds(log) == ["impression", "click", "impression"]
    dataset = encode(log)
    assert dataset.histories.events["dwell_ms"].tolist() == [46186]
    assert dataset.event_decision.tolist() == [0]
    assert dataset.impressions["decision"].tolist() == [0, 1]
    assert dataset.impressions["dwell_ms"].tolist() == [46186, 5]
    assert dataset.catalogue.attributes.tolist() == [("duration_ms=45916",), ("duration_ms=0",)]
    assert [task.name for task in dataset.shop.tasks] == ["click", "dwell"]


def test_open_bandit_slots_count_from_zero_and_the_missing_user_is_told(tmp_path):
    at = [datetime(2019, 11, 24, 0, 0, second, tzinfo=UTC) for second in (1, 2)]
    features = {f"user_feature_{k}": ["a", "b"] for k in range(4)}
    log = read(
        write(
            tmp_path,
            timestamp=at,
            item_id=[1, 2],
            position=[1, 3],
            click=[0, 1],
            propensity_score=[0.5, 0.25],
            **features,
        )
    )
    assert log.events["slot"].to_list() == [0, 2, 2]
    assert log.events["user_id"].to_list() == ["a-a-a-a", "b-b-b-b", "b-b-b-b"]
    assert "The log has no user id" in log.report.notes[0]
    assert encode(log).impressions["propensity"].tolist() == [0.5, 0.25]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            ["campaign_id", "episode", "click", "market_price", "pctr"],
            "has auctions and neither users",
        ),
        (
            ["Administrative", "ProductRelated", "PageValues", "VisitorType", "Revenue"],
            "has one row per visit and neither users nor items",
        ),
    ],
)
def test_a_published_table_that_is_no_log_says_so(tmp_path, columns, message):
    with pytest.raises(SchemaError, match=message):
        read(write(tmp_path, **{name: [1, 2] for name in columns}))


def test_a_log_of_a_feed_says_what_teaches_its_dwell_or_what_is_missing(tmp_path):
    columns = {
        "user_id": ["a", "b"],
        "item_id": ["x", "y"],
        "timestamp": [1649581149287, 1649581149288],
        "event_type": ["impression", "impression"],
    }
    task = Hazard(name="dwell", measures="dwell", space="impressions")
    shop = ShopConfig(tasks=(task,))
    told = read(write(tmp_path, **columns, dwell_ms=[5, None]), shop=shop)
    assert told.report.tasks[0].reason == "1 impressions with dwell_ms"
    untold = read(write(tmp_path, **columns), shop=shop)
    assert untold.report.tasks[0].reason == "no dwell_ms on impressions"
    missing = structs.replace(shop, items=ItemsConfig(numbers=("length",)))
    message = r"items.numbers in shop.toml names length, but the log has the columns user_id"
    with pytest.raises(SchemaError, match=message):
        read(write(tmp_path, **columns), shop=missing)
