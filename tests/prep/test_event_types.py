import polars as pl
import pytest

from endcap.errors import ConfigError
from endcap.prep.event_types import action_codes, check_declared, read_event_types
from endcap.schema import DEFAULT_TASKS, Action, Binary, ShopConfig, translate


def test_common_words_are_ours():
    assert [translate(kind, {}) for kind in ("pv", "Add-To-Cart", "buy", "fav", "zoom")] == [
        "view", "add_to_cart", "purchase", "favorite", "zoom"]  # fmt: skip


def test_the_shops_own_words_come_first():
    assert translate("cart", {"cart": "favorite"}) == "favorite"


def test_the_longest_beginning_that_fits_names_the_kind():
    declared = {"*": "purchase", "C*": "refund", "CX*": "adjustment"}
    assert [translate(kind, declared) for kind in ("536365", "C1", "CX2")] == [
        "purchase", "refund", "adjustment"]  # fmt: skip


def test_a_column_is_translated_and_missing_stays_missing():
    kinds = read_event_types(pl.Series(["0", None, "1"]), {"0": "click", "1": "purchase"})
    assert kinds.to_list() == ["click", None, "purchase"]


def test_actions_have_their_numbers_and_the_rest_is_the_shops_own():
    lend = Binary(name="lend", event_type="lend")
    shop = ShopConfig(tasks=(*DEFAULT_TASKS, lend))
    kinds = pl.lit(pl.Series(["click", "zoom", "padding", "lend"]))
    codes = pl.select(action_codes(kinds, shop)).to_series()
    assert codes.to_list() == [Action.CLICK, Action.OWN, Action.OWN, Action.OWN + 1]


def test_a_kind_mapped_to_nothing_is_an_error():
    with pytest.raises(ConfigError, match=r"event_types\.0 in shop\.toml must name an event type"):
        check_declared({"0": "impression+"})
