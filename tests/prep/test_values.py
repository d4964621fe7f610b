import polars as pl
import pytest

from endcap.prep.values import read_flag, read_money, read_number, read_share, read_text, read_whole


def told(read):
    values, reasons = read
    return values.to_list(), reasons.to_list()


def test_whole_floats_and_blank_texts_are_tidied():
    assert read_text(pl.Series([17850.0, None])).to_list() == ["17850", None]
    assert read_text(pl.Series(["17850.0", "", "3.0"])).to_list() == ["17850", None, "3"]
    assert read_text(pl.Series(["1.50", " a ", "007"])).to_list() == ["1.50", "a", "007"]


def test_a_number_that_is_absent_has_no_reason():
    assert told(read_number(pl.Series(["", None, "nan", "2"]), "rating")) == (
        [None, None, None, 2.0], [None] * 4)  # fmt: skip


def test_text_and_infinity_are_no_numbers():
    _, reasons = told(read_number(pl.Series(["x", "inf", "-inf"]), "rating"))
    assert reasons == ["rating is not a number", "rating is infinite", "rating is infinite"]


def test_infinity_in_a_table_of_numbers_is_found():
    _, reasons = told(read_money(pl.Series([1.0, float("inf"), float("nan"), -1.0]), "price"))
    assert reasons == [None, "price is infinite", None, "negative price"]


@pytest.mark.parametrize(("text", "micros"), [("19.99", 19_990_000), ("0.000001", 1), ("0", 0)])
def test_money_is_rounded_to_whole_micros(text, micros):
    assert told(read_money(pl.Series([text]), "price")) == ([micros], [None])


def test_money_that_does_not_fit_is_named():
    assert told(read_money(pl.Series(["1e13"]), "price")) == ([None], ["price is out of range"])


def test_whole_numbers_have_bounds():
    read = read_whole(pl.Series([1.4, -1.0, 300.0]), "dwell_ms", most=255)
    assert told(read) == ([1, None, None], [None, "negative dwell_ms", "dwell_ms is out of range"])


def test_a_chance_of_what_happened_is_above_zero_and_at_most_one():
    _, reasons = told(read_share(pl.Series([1.0, 0.0, 1.2]), "propensity"))
    assert reasons == [None, "propensity is not in (0, 1]", "propensity is not in (0, 1]"]


def test_yes_and_no_are_read_as_tables_spell_them():
    flags, reasons = told(read_flag(pl.Series(["Yes", "0", "maybe", None]), "censored"))
    assert flags == [True, False, None, None]
    assert reasons == [None, None, "censored is neither true nor false", None]
