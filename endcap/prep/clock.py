"""Read instants: epochs of any unit, RFC 3339, dates; all end as whole UTC microseconds.

A time without an offset is read in the shop's zone. At day resolution a row stands at midnight
UTC of its local calendar day, so that each day is one instant in every zone.
"""

from datetime import datetime, timedelta

import polars as pl

from endcap.schema.shop import RESOLUTION_US, Resolution

EPOCH = datetime.fromisoformat("1970-01-01T00:00:00")
DAY_US = RESOLUTION_US["day"]
LATEST_US = 7_258_118_400_000_000
"""1 January 2200; a later instant is a mistake."""

UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}

FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y%m%d",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
)
MONTH_FIRST = ("%m-%d-%Y %H:%M:%S", "%m-%d-%Y %H:%M", "%m-%d-%Y")
DAY_FIRST = ("%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%d-%m-%Y")

OFFSET = r"(?i)(z|utc|[+-]\d{2}:?\d{2})$"
OFFSET_AND_NAME = r"([+-]\d{4}) [A-Za-z]{2,5}$"
"""As Go writes it: `+0200 CEST`."""


def read_instants(values: pl.Series, *, zone: str, name: str = "") -> pl.Series:
    """Return whole UTC microseconds; what is no time is null.

    Args:
        name: the file's name of the column; one that ends in `_us`, `_ms` or `_s` tells the unit
            of an epoch, otherwise its size does.
    """
    if values.dtype in (pl.Datetime, pl.Date):
        return _of_datetime(values, zone)
    if values.dtype.is_numeric():
        return _of_number(values.cast(pl.Float64), values, name)
    text = values.cast(pl.String, strict=False).str.strip_chars()
    text = text.set(text == "", None)
    numbers = text.cast(pl.Float64, strict=False)
    is_number = numbers.is_not_null()
    if not is_number.any():
        return _of_text(text, zone)
    whole = text.cast(pl.Int64, strict=False)
    exact = whole if whole.null_count() == numbers.null_count() else numbers
    epochs = _of_number(numbers, exact, name)
    if numbers.null_count() == text.null_count():
        return epochs
    return epochs.zip_with(is_number, _of_text(text.set(is_number, None), zone))


def to_local_days(instants: pl.Series, zone: str) -> pl.Series:
    """Move each instant to midnight UTC of its calendar day in the zone."""
    local = _as_utc(instants).dt.convert_time_zone(zone).dt.replace_time_zone(None)
    return local.dt.truncate("1d").dt.epoch("us")


def count_order(values: pl.Series) -> pl.Series:
    """Number the places of an order 0, 1, 2, ...; equal values share a place."""
    number = values.cast(pl.Float64, strict=False).fill_nan(None)
    return (number.rank("dense").cast(pl.Int64) - 1).alias(values.name)


def resolution_of(instants: pl.Series, zone: str) -> Resolution:
    """Find the longest instant that all times are whole multiples of."""
    present = instants.drop_nulls()
    if present.is_empty():
        return "second"
    local = _as_utc(present).dt.convert_time_zone(zone).dt.replace_time_zone(None).dt.epoch("us")
    if (local % DAY_US == 0).all() or (present % DAY_US == 0).all():
        return "day"
    longest: tuple[Resolution, ...] = ("hour", "minute", "second", "millisecond")
    return next(
        (name for name in longest if (present % RESOLUTION_US[name] == 0).all()), "microsecond"
    )


def instant_of(text: str, zone: str) -> int | None:
    """Read one RFC 3339 instant or date; without an offset it is the zone's."""
    return read_instants(pl.Series([text], dtype=pl.String), zone=zone).item()  # type: ignore[no-any-return]


def write_instant(instant_us: int) -> str:
    """Write an instant as RFC 3339 in UTC."""
    return f"{(EPOCH + timedelta(microseconds=instant_us)).isoformat()}Z"


def _as_utc(instants: pl.Series) -> pl.Series:
    return instants.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _of_datetime(values: pl.Series, zone: str) -> pl.Series:
    if isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone:
        return values.dt.epoch("us")
    return _to_utc(values.cast(pl.Datetime("us")), zone)


def _to_utc(naive: pl.Series, zone: str) -> pl.Series:
    """Read local times; one that occurs twice is the earlier, one that never does an hour later."""
    if zone == "UTC":
        return naive.dt.epoch("us")
    local = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    if local.null_count() > naive.null_count():
        later = naive.dt.offset_by("1h").dt.replace_time_zone(
            zone, ambiguous="earliest", non_existent="null"
        )
        local = local.zip_with(local.is_not_null(), later)
    return local.dt.epoch("us")


def _of_number(numbers: pl.Series, exact: pl.Series, name: str) -> pl.Series:
    """Read epochs; `exact` is the same as integers where they are, since floats lose digits."""
    finite = _finite(numbers)
    unit = _unit_of(finite, name)
    if unit == "date":
        dates = finite.cast(pl.Int64).cast(pl.String).str.to_date("%Y%m%d", strict=False)
        return dates.cast(pl.Datetime("us")).dt.epoch("us")
    if unit == "ns":
        return (finite / 1000).round().cast(pl.Int64, strict=False)
    return _scale(finite, exact, UNITS[unit])


def _finite(numbers: pl.Series) -> pl.Series:
    return numbers.set(~numbers.is_finite().fill_null(False), None)


def _unit_of(finite: pl.Series, name: str) -> str:
    """Tell the unit of epochs by the column's name, or else by their size; `date` is 20260301."""
    unit = name.rsplit("_", 1)[-1].lower() if "_" in name else ""
    if unit in UNITS:
        return unit
    size = finite.filter(finite != 0).abs().median()
    typical = float(size) if isinstance(size, int | float) else 0.0
    if 19_000_101 <= typical <= 22_001_231:
        dates = finite.cast(pl.Int64).cast(pl.String).str.to_date("%Y%m%d", strict=False)
        if dates.null_count() == finite.null_count():
            return "date"
    limits = {"s": 1e11, "ms": 1e14, "us": 1e17}
    return next((unit for unit, limit in limits.items() if typical < limit), "ns")


def habits_of(values: pl.Series, name: str = "") -> dict[str, object]:
    """Say what `read_instants` takes from a column as a whole; None is what it does not tell."""
    if values.dtype in (pl.Datetime, pl.Date):
        return {}
    if values.dtype.is_numeric():
        return {"unit": _unit_of(_finite(values.cast(pl.Float64)), name)}
    text = values.cast(pl.String, strict=False).str.strip_chars()
    text = text.set(text == "", None)
    numbers = text.cast(pl.Float64, strict=False)
    if numbers.null_count() == numbers.len():
        days = _is_day_first(text.str.replace_all("/", "-", literal=True))
        return {"day first": days if text.null_count() < text.len() else None}
    whole = text.cast(pl.Int64, strict=False).null_count() == numbers.null_count()
    return {"unit": _unit_of(_finite(numbers), name), "whole": whole}


def _scale(finite: pl.Series, exact: pl.Series, factor: int) -> pl.Series:
    if exact.dtype.is_integer():
        in_range = finite.abs() < LATEST_US / factor * 2
        return exact.cast(pl.Int64, strict=False).set(~in_range.fill_null(False), None) * factor
    micros = (finite * factor).round()
    return micros.set(micros.abs() > 2 * LATEST_US, None).cast(pl.Int64, strict=False)


def _of_text(text: pl.Series, zone: str) -> pl.Series:
    tidy = text.str.replace_all("/", "-", literal=True).str.replace(r"(\d)[Tt](\d)", "${1} ${2}")
    tidy = tidy.str.replace(OFFSET_AND_NAME, "${1}")
    has_clock = tidy.str.contains(":", literal=True).fill_null(False)
    offset = tidy.str.extract(OFFSET).set(~has_clock, None).str.to_lowercase()
    naive = _parse(tidy.str.replace(OFFSET, "").zip_with(has_clock, tidy).str.strip_chars())
    local = _to_utc(naive.set(offset.is_not_null(), None), zone)
    if not offset.is_not_null().any():
        return local
    return local.zip_with(offset.is_null(), naive.dt.epoch("us") - _offset_us(offset))


def _offset_us(offset: pl.Series) -> pl.Series:
    sign = offset.str.starts_with("-").fill_null(False).cast(pl.Int64) * -2 + 1
    hours = offset.str.slice(1, 2).cast(pl.Int64, strict=False).fill_null(0)
    minutes = offset.str.slice(-2).cast(pl.Int64, strict=False).fill_null(0)
    return sign * (hours * 60 + minutes) * 60_000_000


def _parse(text: pl.Series) -> pl.Series:
    """Try one format after another until every text is read."""
    parsed = pl.Series(text.name, [None], pl.Datetime("us")).new_from_index(0, text.len())
    for layout in (*FORMATS, *(DAY_FIRST if _is_day_first(text) else MONTH_FIRST)):
        if parsed.null_count() == text.null_count():
            break
        attempt = text.str.to_datetime(layout, time_unit="us", strict=False)
        parsed = parsed.zip_with(parsed.is_not_null(), attempt)
    return parsed


def _is_day_first(text: pl.Series) -> bool:
    first = text.str.extract(r"^(\d{1,2})-\d{1,2}-\d{4}").cast(pl.Int64, strict=False).max()
    return isinstance(first, int) and first > 12
