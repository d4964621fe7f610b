import numpy as np
import pytest

from endcap.errors import ConfigError
from endcap.prep.split import plan_split, split_by_place, split_by_time
from endcap.schema import Histories, LogConfig, ShopConfig, SplitConfig, make_events

DAY = 86_400_000_000


def shop(resolution="day", zone="UTC", **split):
    return ShopConfig(zone=zone, log=LogConfig(resolution=resolution), split=SplitConfig(**split))


def test_shares_are_whole_days_of_the_span_in_a_log_of_days():
    cuts = plan_split(shop(validation_share=0.1, test_share=0.2), 100 * DAY, 109 * DAY)
    assert cuts.train_end_us == 107 * DAY  # 10 days: 7 for training, 1 for validation, 2 for test
    assert cuts.validation_end_us == 108 * DAY
    assert cuts.end_us == 110 * DAY


def test_no_part_is_empty_of_instants():
    cuts = plan_split(shop(), 0, 2 * DAY)
    assert (cuts.train_end_us, cuts.validation_end_us, cuts.end_us) == (DAY, 2 * DAY, 3 * DAY)


def test_rows_of_one_instant_fall_on_one_side():
    config = shop(resolution="second", validation_share=0.3, test_share=0.3)
    cuts = plan_split(config, 0, 9_999_999)
    times = np.arange(0, 10_000_000, 250_000)
    parts = split_by_time(times, cuts)
    assert all(len(set(parts[times // 1_000_000 == second])) == 1 for second in range(10))
    assert parts.tolist() == [0] * 16 + [1] * 12 + [2] * 12


def test_declared_ends_override_the_shares_and_are_read_in_the_zone():
    config = shop("second", "Europe/Berlin", train_end="1970-01-03", validation_end="1970-01-05")
    cuts = plan_split(config, 0, 9 * DAY)
    assert cuts.train_end_us == 2 * DAY - 3_600_000_000
    assert cuts.validation_end_us == 4 * DAY - 3_600_000_000


def test_declared_days_are_days_whatever_the_zone():
    cuts = plan_split(shop("day", "Europe/Berlin", train_end="1970-01-03"), 0, 9 * DAY)
    assert cuts.train_end_us == 2 * DAY


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (
            {"train_end": "soon"},
            r"split\.train_end must be an RFC 3339 time or a date.* got 'soon'",
        ),
        ({"train_end": "1999-01-01"}, r"both inside the log, which runs from 1970-01-01T00:00:00Z"),
        (
            {"train_end": "1970-01-08", "validation_end": "1970-01-04"},
            r"split\.train_end must come before split\.validation_end",
        ),
    ],
)
def test_ends_that_cannot_be_say_why(split, message):
    with pytest.raises(ConfigError, match=message):
        plan_split(shop(**split), 0, 9 * DAY)


def test_a_log_without_time_keeps_last_events_aside_and_says_so():
    cuts = plan_split(shop(resolution="order"), 0, 9)
    assert (cuts.kind, cuts.train_end_us, cuts.end_us) == ("leave_one_out", 10, 10)
    assert cuts.note.startswith("A log without time cannot be split by time")
    assert plan_split(shop(resolution="order", kind="leave_one_out"), 0, 9).note == ""


def test_a_log_of_two_instants_is_not_split_by_time():
    assert plan_split(shop(), 0, DAY).kind == "leave_one_out"


def test_each_users_last_instant_is_test_and_the_one_before_validation():
    times = [0, 1, 2, 3, 0, 1, 5, 6, 6]  # users of 4, 2 and 3 events
    histories = Histories(
        events=make_events(timestamp_us=times), offsets=np.array([0, 4, 6, 9, 9], dtype=np.int64)
    )
    parts, begins = split_by_place(histories, 1)
    assert parts.tolist() == [0, 0, 1, 2, 0, 0, 0, 0, 0]  # the third user has two instants only
    assert begins[0].tolist() == [2, 3]


def test_events_of_the_last_instant_are_kept_aside_together():
    histories = Histories(
        events=make_events(timestamp_us=[1, 2, 2, 3, 3]), offsets=np.array([0, 5], dtype=np.int64)
    )
    assert split_by_place(histories, 1)[0].tolist() == [0, 1, 1, 2, 2]
