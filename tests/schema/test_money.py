"""Money in and out of micros, by hand."""

from decimal import Decimal

import pytest

from endcap.errors import SchemaError
from endcap.schema import MICROS, format_micros, to_micros


@pytest.mark.parametrize(
    ("amount", "micros"),
    [
        ("12.50", 12_500_000),
        (" 3 ", 3_000_000),
        (0.1, 100_000),  # by its decimal text, not by its binary value
        (0.1 + 0.2, 300_000),
        (7, 7 * MICROS),
        (Decimal("-1.000001"), -1_000_001),
        ("1e3", 1_000_000_000),
        ("0.0000005", 0),  # halves go to the even micro
        ("0.0000015", 2),
        ("0.0000025", 2),
        ("999999999999.999999", 999_999_999_999_999_999),
    ],
)
def test_an_amount_is_a_whole_number_of_micros(amount, micros):
    assert to_micros(amount) == micros


@pytest.mark.parametrize("amount", ["1,000.00", "€5", "12,50", "", "nan", "inf", "None"])
def test_what_is_no_amount_names_the_field_and_the_remedy(amount):
    with pytest.raises(SchemaError) as caught:
        to_micros(amount, field="unit_cost")
    assert str(caught.value) == (
        f"unit_cost must be a decimal amount such as 12.50, got {amount!r}; "
        f"write it without a currency sign or thousands separators."
    )


@pytest.mark.parametrize("amount", ["1e12", "-1e400"])
def test_an_amount_out_of_all_bounds_is_refused(amount):
    with pytest.raises(
        SchemaError, match=rf"price must be below 1,000,000,000,000, got '{amount}'"
    ):
        to_micros(amount)


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (1_500_000, "1.50"),
        (1_234_567_890_000, "1,234,567.89"),
        (15_000, "0.02"),
        (25_000, "0.02"),
        (-1, "0.00"),
        (-1_500_000, "-1.50"),
    ],
)
def test_micros_are_written_for_people(micros, text):
    assert format_micros(micros) == text
    assert format_micros(micros, "EUR") == f"{text} EUR"
