"""Turn a file's values into ours, column by column; what cannot be turned says why.

Each function returns the values and, where a value was there but could not be read, a reason.
"""

import polars as pl

TRUE = ("true", "1", "yes", "y", "t", "in_stock", "preorder", "backorder")
FALSE = ("false", "0", "no", "n", "f", "out_of_stock")
"""The words for stock are those of Google's product data: what can be ordered is available."""
MAX_MONEY = 4_000_000_000_000
"""Above this, micros no longer fit in 64 bits."""

Read = tuple[pl.Series, pl.Series]
"""Values, and reasons (null where the value is fine or was absent)."""


def read_text(values: pl.Series) -> pl.Series:
    """Return tidy texts; blank is missing, and numbers that are whole lose their `.0`.

    A table that once held a missing id often holds `17850.0` for `17850`.
    """
    if values.dtype.is_float() and loses_point_zero(values) is not False:
        return values.fill_nan(None).cast(pl.Int64, strict=False).cast(pl.String)
    if values.dtype.is_nested():
        return pl.Series(values.name, [None if v is None else str(v) for v in values], pl.String)
    text = values.cast(pl.String).str.strip_chars()
    text = text.set(text == "", None) if text.dtype == pl.String else text
    return text.str.strip_suffix(".0") if loses_point_zero(text) else text


def loses_point_zero(values: pl.Series) -> bool | None:
    """Tell whether a column's numbers are all whole, as `17850.0` is; None where there is none.

    Args:
        values: texts are tidy.
    """
    present = values.drop_nulls()
    if values.dtype.is_float():
        present = present.drop_nans()
        is_whole = (present == present.round()) & (present.abs() < 2**53)
    elif values.dtype == pl.String:
        is_whole = present.str.contains(r"^-?\d+\.0$")
    else:
        return False
    return bool(is_whole.all()) if present.len() else None


def read_number(values: pl.Series, name: str) -> Read:
    """Read decimals; text where a number should be, and infinite numbers, are named."""
    if values.dtype.is_nested() or values.dtype.is_temporal():
        values = values.cast(pl.String, strict=False)
    if values.dtype == pl.String:
        text = values.str.strip_chars()
        values = text.set(text == "", None)
    number = values.cast(pl.Float64, strict=False).fill_nan(None)
    missing = values.is_null()
    if values.dtype == pl.String:
        missing |= (values.str.to_lowercase() == "nan").fill_null(False)
    elif values.dtype.is_float():
        missing |= values.is_nan().fill_null(False)
    reason = name_cases(
        number,
        (number.is_null() & ~missing, f"{name} is not a number"),
        (number.is_infinite(), f"{name} is infinite"),
    )
    return number, reason


def read_whole(values: pl.Series, name: str, *, least: int = 0, most: int = 2**53) -> Read:
    """Read whole numbers between two bounds, rounding what has a fraction."""
    number, reason = read_number(values, name)
    low = f"negative {name}" if least == 0 else f"{name} is less than {least}"
    reason = _first(reason, name_cases(
        number, (number < least, low), (number > most, f"{name} is out of range")))  # fmt: skip
    kept = number.set(reason.is_not_null() | number.is_null(), None)
    return kept.round().cast(pl.Int64, strict=False), reason


def read_money(values: pl.Series, name: str) -> Read:
    """Read decimal amounts of the shop's currency as whole micros."""
    number, reason = read_number(values, name)
    reason = _first(reason, name_cases(
        number,
        (number < 0, f"negative {name}"),
        (number > MAX_MONEY, f"{name} is out of range"),
    ))  # fmt: skip
    kept = number.set(reason.is_not_null() | number.is_null(), None)
    return (kept * 1_000_000).round().cast(pl.Int64, strict=False), reason


def read_share(values: pl.Series, name: str) -> Read:
    """Read chances; what is not in (0, 1] is no chance of something that happened."""
    number, reason = read_number(values, name)
    outside = (number <= 0) | (number > 1)
    return number, _first(reason, name_cases(number, (outside, f"{name} is not in (0, 1]")))


def read_flag(values: pl.Series, name: str) -> Read:
    """Read yes and no, however a table spells them."""
    if values.dtype == pl.Boolean:
        return values, no_reasons(values)
    text = read_text(values).str.to_lowercase()
    flag = text.is_in(list(TRUE))
    known = flag | text.is_in(list(FALSE))
    reason = name_cases(text, (~known, f"{name} is neither true nor false"))
    return flag.set(~known, None), reason


def no_reasons(values: pl.Series) -> pl.Series:
    """Find nothing wrong with any value."""
    return pl.Series("reason", [None], dtype=pl.String).new_from_index(0, values.len())


def name_cases(values: pl.Series, *cases: tuple[pl.Series, str]) -> pl.Series:
    """Name the first case that holds of each value."""
    reason = no_reasons(values)
    for holds, text in reversed(cases):
        reason = reason.set(holds.fill_null(False), text)
    return reason


def _first(reason: pl.Series, later: pl.Series) -> pl.Series:
    return reason.zip_with(reason.is_not_null(), later)
