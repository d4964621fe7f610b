import numpy as np
import polars as pl
import pytest

from endcap.errors import SchemaError
from endcap.prep.catalogue import read_items
from endcap.prep.item_arrays import to_catalogue
from endcap.prep.tables import read_table
from endcap.schema import ItemsConfig, ShopConfig


def items_of(tmp_path, shop=None, **columns):
    path = tmp_path / "items.parquet"
    pl.DataFrame(columns).write_parquet(path)
    return read_items(read_table(path), shop or ShopConfig(), file=path.name)


def test_a_catalogue_becomes_columns_and_what_is_absent_is_unknown(tmp_path):
    items = items_of(
        tmp_path,
        sku=["a", "b"],
        name=["Shoe", None],
        price=["19.99", ""],
        category=["Shoes > Running", None],
        created_at=["2026-03-01", None],
        stock=[3, None],
        in_stock=["yes", None],
    )
    catalogue = to_catalogue(items.frame, ["c"])
    assert catalogue.item_ids.tolist() == ["a", "b", "c"]
    assert catalogue.titles.tolist() == ["Shoe", "", ""]
    assert catalogue.categories.tolist() == ["Shoes > Running", "", ""]
    assert catalogue.price_micros.tolist() == [19_990_000, -1, -1]
    assert catalogue.unit_cost_micros.tolist() == [-1, -1, -1]
    assert catalogue.stock.tolist() == [3, -1, -1]
    assert catalogue.available.tolist() == [True, True, True]
    assert catalogue.created_at_us.tolist() == [1_772_323_200_000_000, 0, 0]


def test_tags_lists_and_named_columns_become_attributes(tmp_path):
    shop = ShopConfig(items=ItemsConfig(attributes=("colour",)))
    items = items_of(
        tmp_path,
        shop,
        item_id=["a", "b"],
        tags=["new|sale", None],
        attributes=[["size=4", "soft"], []],
        colour=["red", None],
    )
    assert to_catalogue(items.frame, []).attributes.tolist() == [
        ("tag=new", "tag=sale", "size=4", "attribute=soft", "colour=red"),
        (),
    ]


def test_a_structs_fields_name_their_values(tmp_path):
    items = items_of(tmp_path, item_id=["a"], attributes=[{"size": "4", "colour": None}])
    assert items.frame["attributes"].to_list() == [["size=4"]]


def test_lists_of_categories_are_paths_side_by_side(tmp_path):
    items = items_of(tmp_path, item_id=["a"], categories=[["Shoes > Running", "Sale"]])
    assert items.frame["categories"].to_list() == ["Shoes > Running|Sale"]


def test_items_that_repeat_or_have_no_id_are_rejected_and_bad_values_unknown(tmp_path):
    items = items_of(tmp_path, item_id=["a", "a", None], price=["1", "2", "dear"])
    assert items.frame["item_id"].to_list() == ["a"]
    assert items.rejected.select("row", "reason").rows() == [
        (3, "price is not a number, read as unknown"),
        (2, "item_id occurs twice"),
        (3, "no item_id"),
    ]


def test_a_catalogue_without_ids_names_its_columns(tmp_path):
    with pytest.raises(
        SchemaError, match=r"items\.parquet needs a column for item_id, but has only x"
    ):
        items_of(tmp_path, x=["a"])


def test_an_attribute_column_that_is_missing_is_named(tmp_path):
    shop = ShopConfig(items=ItemsConfig(attributes=("colour",)))
    with pytest.raises(SchemaError, match=r"items\.attributes in shop\.toml names colour"):
        items_of(tmp_path, shop, item_id=["a"])


def test_the_words_of_googles_product_data_say_what_can_be_ordered(tmp_path):
    words = ["IN_STOCK", "OUT_OF_STOCK", "PREORDER", "BACKORDER"]
    items = items_of(tmp_path, item_id=["a", "b", "c", "d"], available=words)
    assert items.frame["available"].to_list() == [True, False, True, True]


def test_a_column_of_amounts_becomes_attributes_and_a_missing_one_is_named(tmp_path):
    shop = ShopConfig(items=ItemsConfig(numbers=("weight",)))
    items = items_of(tmp_path, shop, item_id=["a", "b"], weight=[1.5, None])
    assert to_catalogue(items.frame, []).attributes.tolist() == [("weight=1.5",), ()]
    message = r"items.numbers in shop.toml names weight, but items.parquet has the columns item_id"
    with pytest.raises(SchemaError, match=message):
        items_of(tmp_path, shop, item_id=["a", "b"])


def test_a_shops_own_vectors_stand_side_by_side_and_may_be_missing(tmp_path):
    items = items_of(
        tmp_path,
        ShopConfig(items=ItemsConfig(embeddings=("picture",))),
        item_id=["a", "b", "c"],
        embedding=[[1.0, 2.0], None, [3.0, 4.0]],
        picture=["[0.5, 1e-1]", "", "7 8"],
    )
    found = to_catalogue(items.frame, ["d"]).embeddings
    none = [np.nan] * 4
    expected = [[1, 2, 0.5, 0.1], none, [3, 4, 7, 8], none]
    np.testing.assert_allclose(found, np.array(expected, dtype=np.float32))


@pytest.mark.parametrize(
    "vectors",
    [["[1, 2]", "[1, x]"], [[1.0, 2.0], [1.0, None]], [[1.0, 2.0], [1.0, float("inf")]]],
)
def test_a_vector_that_is_none_is_unknown_and_listed(tmp_path, vectors):
    items = items_of(tmp_path, item_id=["a", "b"], embedding=vectors)
    assert items.frame["embedding"].to_list() == [[1, 2], None]
    assert items.rejected.select("row", "reason").rows()[0][1] == (
        "embedding is no list of numbers, read as unknown"
    )


def test_vectors_of_different_lengths_name_items_and_lengths(tmp_path):
    told = (
        r"items.parquet has vectors of different lengths in embedding: 2 numbers for item a, "
        r"3 for item c; give every item a vector of one length, or leave it empty\."
    )
    with pytest.raises(SchemaError, match=told):
        items_of(tmp_path, item_id=["a", "b", "c"], embedding=[[1.0, 2.0], None, [1.0, 2.0, 3.0]])


def test_a_column_of_vectors_that_is_declared_must_be_there(tmp_path):
    shop = ShopConfig(items=ItemsConfig(embeddings=("picture",)))
    with pytest.raises(SchemaError, match=r"items.embeddings in shop.toml names picture, but"):
        items_of(tmp_path, shop, item_id=["a"])


def test_a_category_path_that_goes_round_is_cut_and_listed(tmp_path):
    paths = ["Shoes > Running > Shoes|Sale", "Shoes > Running", "Sale > Sale"]
    items = items_of(tmp_path, item_id=["a", "b", "c"], categories=paths)
    assert items.frame["categories"].to_list() == [
        "Shoes > Running|Sale",
        "Shoes > Running",
        "Sale",
    ]
    reason = "a category path goes round, read up to the level that comes again"
    assert items.rejected.rows() == [
        ("items.parquet", 1, reason, paths[0]),
        ("items.parquet", 3, reason, paths[2]),
    ]
