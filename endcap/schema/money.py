"""Money is whole micros of the shop's one currency: a millionth, as ad systems do."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from endcap.errors import SchemaError

MICROS = 1_000_000

MOST = 1_000_000_000_000
"""Amounts of currency from here on are a mistake; in micros they would near the end of an int64."""

MOST_DIGITS = 12
"""Further digits are too many whatever they are; a decimal may have a million."""


def to_micros(amount: str | float | int | Decimal, *, field: str = "price") -> int:
    """Turn a decimal amount of currency into micros, rounding half to even.

    Raises:
        SchemaError: the text is no number, or is out of all bounds; the message names `field`.
    """
    try:
        value = Decimal(str(amount).strip())
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite():
        raise SchemaError(
            f"{field} must be a decimal amount such as 12.50, got {str(amount)!r}; "
            f"write it without a currency sign or thousands separators."
        )
    if value and (value.adjusted() > MOST_DIGITS or abs(value) >= MOST):
        raise SchemaError(f"{field} must be below {MOST:,}, got {str(amount)!r}.")
    return int((value * MICROS).to_integral_value(rounding=ROUND_HALF_EVEN))


def format_micros(micros: int, currency: str = "") -> str:
    """Write micros for people: `1_500_000` becomes `1.50`, halves of a cent go to the even one."""
    text = f"{Decimal(micros) / MICROS:z,.2f}"
    return f"{text} {currency}".strip()
