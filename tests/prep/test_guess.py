import pytest

from endcap.prep import guess_shop, read, write_shop
from endcap.schema import load_shop


def guess(tmp_path, text):
    path = tmp_path / "log.csv"
    path.write_text(text, encoding="utf-8")
    return guess_shop(path)


def test_columns_and_kinds_are_written_down(tmp_path):
    shop = guess(tmp_path, "visitorid,itemid,event,timestamp\n"
                 "1,7,addtocart,1433221332117\n2,8,transaction,1433223236124\n")  # fmt: skip
    assert shop.log.columns == {
        "visitor_id": "visitorid",
        "item_id": "itemid",
        "event_type": "event",
    }
    assert shop.log.event_types == {"addtocart": "add_to_cart", "transaction": "purchase"}
    assert shop.log.resolution == "millisecond"


@pytest.mark.parametrize(
    ("header", "value", "resolution"),
    [
        ("date", "2026-03-01", "day"),
        ("when_it_was", "2026-03-01T10:00:01Z", "second"),
        ("when_it_was", "1772359201", "second"),
        ("time_ms", "1772359201001", "millisecond"),
    ],
)
def test_time_is_found_by_name_or_by_content(tmp_path, header, value, resolution):
    shop = guess(tmp_path, f"user_id,item_id,{header}\nu1,i1,{value}\nu2,i2,{value}\n")
    assert shop.log.columns == {"timestamp": header}
    assert shop.log.resolution == resolution


def test_a_count_of_each_users_rows_is_an_order(tmp_path):
    shop = guess(tmp_path, "user_id,item_id,pos,x\nu1,i1,0,a\nu1,i2,1,a\nu2,i1,0,a\n")
    assert shop.log.columns == {"timestamp": "pos"}
    assert shop.log.resolution == "order"


def test_a_day_of_the_month_is_no_time(tmp_path):
    shop = guess(tmp_path, "user_id,item_id,day\nu1,i1,30\nu2,i2,4\nu1,i2,30\n")
    assert shop.log.resolution == "order"
    assert shop.log.columns == {"timestamp": ""}
    log = read(tmp_path / "log.csv", shop=shop)
    assert log.events["timestamp_us"].to_list() == [0, 1, 2]
    assert "the order of the rows is taken" in log.report.notes[0]


def test_a_column_that_holds_something_else_than_its_name_says_is_left_unread(tmp_path):
    text = "user_id,item_id,date,position\nu1,i1,2026-03-01,top\nu2,i2,2026-03-02,left\n"
    assert guess(tmp_path, text).log.columns == {"slot": "", "timestamp": "date"}
    assert read(tmp_path / "log.csv").report.unused_columns == ("position",)


def test_a_log_without_kinds_is_of_purchases_where_it_counts_units(tmp_path):
    assert (
        guess(tmp_path, "user,sku,qty,date\na,b,1,2026-03-01\n").log.default_event_type
        == "purchase"
    )
    assert (
        guess(tmp_path, "user,sku,stars,date\na,b,1,2026-03-01\n").log.default_event_type
        == "rating"
    )
    assert guess(tmp_path, "user,sku,date\na,b,2026-03-01\n").log.default_event_type == "view"


def test_the_currency_of_the_log_is_written_down(tmp_path):
    text = "user_id,item_id,price,currency,date\nu1,i1,1,EUR,2026-03-01\n"
    assert guess(tmp_path, text).currency == "EUR"


def test_titles_in_the_log_serve_as_the_catalogue(tmp_path):
    text = "user_id,item_id,date,product_name,brand\n" \
           "u1,i1,2026-03-02,Late,B\nu2,i1,2026-03-01,Early,\nu2,i2,2026-03-03,Two,C\n"  # fmt: skip
    shop = guess(tmp_path, text)
    assert shop.items.columns == {"title": "product_name", "brand": "brand"}
    items = read(tmp_path / "log.csv").items
    assert items.select("item_id", "title", "brand").rows() == [
        ("i1", "Early", "B"),
        ("i2", "Two", "C"),
    ]


def test_a_guess_that_is_written_reads_the_log_alike(tmp_path):
    guess(tmp_path, "user,sku,type,date\na,b,pv,2026-03-01\nc,d,buy,2026-03-02\n")
    before = read(tmp_path / "log.csv")
    write_shop(guess_shop(tmp_path / "log.csv"), tmp_path / "shop.toml")
    after = read(tmp_path / "log.csv")
    assert after.shop == load_shop(tmp_path / "shop.toml")
    assert after.events.equals(before.events)
    assert "shop.toml" in after.report.files
