from datetime import UTC, date, datetime

import polars as pl
import pytest

from endcap.prep.clock import (
    count_order,
    instant_of,
    read_instants,
    resolution_of,
    to_local_days,
    write_instant,
)

NOON = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()) * 1_000_000
HOUR = 3_600_000_000


def one(value, *, zone="UTC", name=""):
    return read_instants(pl.Series([value]), zone=zone, name=name).item()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T12:00:00Z", NOON),
        ("2026-03-01 12:00:00.5", NOON + 500_000),
        ("2026-03-01T13:00:00+01:00", NOON),
        ("2026-03-01T06:30:00-0530", NOON),
        ("2026-03-01 12:00 UTC", NOON),
        ("2026/3/1 12:00", NOON),
        ("3/1/2026 12:00", NOON),
        ("01.03.2026 12:00", NOON),
        ("2026-03-01", NOON - 12 * HOUR),
        ("20260301", NOON - 12 * HOUR),
        (str(NOON // 1_000_000), NOON),
        ("2026-02-30", None),
        ("soon", None),
    ],
)
def test_texts_are_read_as_times(text, expected):
    assert one(text) == expected


def test_day_first_dates_are_known_by_a_day_above_twelve():
    days = read_instants(pl.Series(["1/3/2026", "13/3/2026"]), zone="UTC")
    assert [write_instant(day)[:10] for day in days] == ["2026-03-01", "2026-03-13"]


@pytest.mark.parametrize("factor", [1_000_000, 1_000, 1])
def test_epochs_of_any_unit_are_known_by_their_size(factor):
    assert one(NOON // factor) == NOON
    assert one(float(NOON // factor)) == NOON


def test_epochs_and_texts_may_stand_in_one_column():
    mixed = pl.Series([str(NOON // 1_000_000), "2026-03-01T12:00:00Z", None, "soon"])
    assert read_instants(mixed, zone="UTC").to_list() == [NOON, NOON, None, None]


def test_a_columns_name_tells_the_unit_of_small_numbers():
    assert one(5, name="timestamp_us") == 5
    assert one(5, name="time_ms") == 5_000
    assert one(5, name="time") == 5_000_000


def test_microseconds_are_exact():
    assert one(1_772_366_400_123_457) == 1_772_366_400_123_457


def test_a_time_without_an_offset_is_the_zones():
    assert one("2026-03-01 13:00", zone="Europe/Berlin") == NOON
    assert one(datetime(2026, 3, 1, 13), zone="Europe/Berlin") == NOON
    assert one("2026-03-01T12:00:00Z", zone="Europe/Berlin") == NOON


def test_an_hour_that_never_was_is_an_hour_later_and_one_that_was_twice_the_earlier():
    assert write_instant(one("2026-03-29 02:30", zone="Europe/Berlin")) == "2026-03-29T01:30:00Z"
    assert write_instant(one("2026-10-25 02:30", zone="Europe/Berlin")) == "2026-10-25T00:30:00Z"


def test_days_of_a_zone_stay_apart_when_clocks_change():
    days = pl.Series([date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30)])
    local = to_local_days(read_instants(days, zone="Europe/London"), "Europe/London")
    assert [write_instant(day) for day in local] == [f"2026-03-{d}T00:00:00Z" for d in (28, 29, 30)]


def test_an_order_counts_up_by_one():
    assert count_order(pl.Series([10, 30, 20, 30])).to_list() == [0, 2, 1, 2]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2026-03-01", "2026-03-02"], "day"),
        (["2026-03-01 10:00", "2026-03-02 11:00"], "hour"),
        (["2026-03-01 10:00", "2026-03-02 11:01"], "minute"),
        (["2026-03-01 10:00:01"], "second"),
        (["2026-03-01 10:00:01.250"], "millisecond"),
        (["2026-03-01 10:00:01.250001"], "microsecond"),
    ],
)
def test_the_resolution_is_the_longest_instant_all_times_fit(texts, expected):
    assert resolution_of(read_instants(pl.Series(texts), zone="UTC"), "UTC") == expected


def test_one_instant_is_read_and_written():
    assert instant_of("2026-03-01T12:00:00Z", "UTC") == NOON
    assert write_instant(NOON) == "2026-03-01T12:00:00Z"
    assert instant_of("never", "UTC") is None


def test_a_time_as_go_writes_it_is_read_with_its_offset():
    texts = ["2026-05-01 12:00:00.000000001 +0200 CEST", "2026-05-01 10:00:00 +0000 UTC"]
    read = read_instants(pl.Series(texts), zone="Europe/Berlin")
    assert read.to_list() == [1_777_629_600_000_000] * 2
