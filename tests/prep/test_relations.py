import polars as pl
import pytest

from endcap.errors import ConfigError, SchemaError
from endcap.prep import encode, read
from endcap.schema import ItemsConfig, ShopConfig

DAY = 86_400


def shop_of(tmp_path, relations=None, shop="", **items):
    times = [1_780_000_000 + day * DAY for day in range(12)]
    pl.DataFrame(
        {"user_id": ["u1", "u2"] * 6, "item_id": ["a", "b", "d"] * 4, "timestamp": times}
    ).write_csv(tmp_path / "events.csv")
    if items:
        pl.DataFrame(items).write_parquet(tmp_path / "items.parquet")
    if relations is not None:
        names = ["item_id", "relation", "other_item_id"]
        pl.DataFrame(relations, schema=names, orient="row").write_csv(tmp_path / "relations.csv")
    (tmp_path / "shop.toml").write_text(shop)
    return read(tmp_path)


def related(log):
    catalogue = encode(log).catalogue
    return dict(zip(catalogue.item_ids, catalogue.relations, strict=True))


def test_a_file_beside_the_log_says_what_items_are_to_one_another(tmp_path):
    log = shop_of(tmp_path, [("a", "same_series", "b"), ("a", "accessory_of", "d")], item_id=["a"])
    assert related(log) == {"a": ("same_series=b", "accessory_of=d"), "b": (), "d": ()}
    assert "relations.csv" in log.report.files


def test_columns_of_the_catalogue_may_list_the_related_items(tmp_path):
    shop = '[items.relations]\nsame_series = "series"\naccessory_of = "fits"\n'
    columns = {"item_id": ["a", "b"], "series": ["b|d", None], "fits": [[], ["a"]]}
    log = shop_of(tmp_path, shop=shop, **columns)
    assert related(log) == {
        "a": ("same_series=b", "same_series=d"),
        "b": ("accessory_of=a",),
        "d": (),
    }


def test_a_relation_to_an_unknown_item_is_left_out_and_named(tmp_path):
    log = shop_of(tmp_path, [("a", "same_series", "b"), ("a", "same_series", "z")])
    assert related(log)["a"] == ("same_series=b",)
    reason = "a relation to an item that neither the catalogue nor the log holds"
    assert log.rejected.rows() == [("relations.csv", 3, reason, "a same_series z")]
    assert log.report.notes[-1] == f"Left out, {reason}: a same_series z (relations.csv:3)."


def test_relations_of_which_none_is_known_are_refused(tmp_path):
    told = (
        r"None of the 2 relations is between known items: A same B \(relations.csv:2\) and 1 more"
    )
    with pytest.raises(SchemaError, match=told):
        shop_of(tmp_path, [("A", "same", "B"), ("B", "same", "A")])


def test_a_file_of_relations_names_what_it_lacks(tmp_path):
    pl.DataFrame({"item_id": ["a"], "relation": ["same"]}).write_csv(tmp_path / "relations.csv")
    with pytest.raises(SchemaError, match=r"relations.csv needs .* add other_item_id\."):
        shop_of(tmp_path)


def test_a_declared_column_of_relations_must_be_there(tmp_path):
    told = r"items.relations in shop.toml reads same from twins, but items.parquet has the columns"
    with pytest.raises(SchemaError, match=told):
        shop_of(tmp_path, shop='[items.relations]\nsame = "twins"\n', item_id=["a"])


def test_a_kind_of_relation_may_not_hold_an_equals_sign():
    with pytest.raises(ConfigError, match=r"kinds of relation such as same_series, without ="):
        ShopConfig(items=ItemsConfig(relations={"a=b": "fits"}))


def test_relations_change_no_row_and_repeat_once(tmp_path):
    told = [("d", "same", "a"), ("d", "same", "a"), ("d", "", "a")]
    log = shop_of(tmp_path, told, item_id=["b"])
    assert list(related(log)) == ["b", "a", "d"]
    assert related(log)["d"] == ("same=a",)
    assert log.rejected["reason"].to_list() == [
        "a relation needs item_id, relation and other_item_id"
    ]
