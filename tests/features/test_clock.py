from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from endcap.features import DAY_US, HOUR_US, delay_edges_hours, gap_bucket, local_us, phases
from endcap.features.clock import dwell_bucket
from endcap.schema import NUM_GAPS

UTC, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")
SECOND = 1_000_000


def instant(text):
    return np.array([int(datetime.fromisoformat(text).timestamp()) * SECOND])


def test_phases_by_hand_at_six_on_a_thursday():
    # The first of January 1970 was a Thursday: 3.25 of 7 days after Monday's midnight.
    week = 2 * np.pi * 3.25 / 7
    found = phases(np.array([6 * HOUR_US]), UTC)
    np.testing.assert_allclose(found, [[1, 0, np.sin(week), np.cos(week)]], atol=1e-6)


def test_a_second_of_our_days_is_told_from_the_next():
    now = 20_000 * DAY_US
    found = phases(np.array([now, now + SECOND, now + 60 * SECOND]), UTC)
    assert len(np.unique(found[:, 0])) == 3
    np.testing.assert_allclose(found[2, 0], np.sin(2 * np.pi / 1440), rtol=1e-6)


def test_wall_clock_follows_summer_time():
    before, after = instant("2026-03-29T00:59:59+00:00"), instant("2026-03-29T01:00:00+00:00")
    assert (local_us(before, BERLIN) - before).item() == HOUR_US
    assert (local_us(after, BERLIN) - after).item() == 2 * HOUR_US
    noon = phases(instant("2026-07-01T12:00:00+02:00"), BERLIN)
    np.testing.assert_allclose(noon[0, :2], [0, -1], atol=1e-6)


def test_a_batch_of_instants_keeps_its_shape():
    instants = np.arange(6, dtype=np.int64).reshape(2, 3) * DAY_US
    assert phases(instants, BERLIN).shape == (2, 3, 4)


def test_gap_buckets_by_hand():
    gaps = [-1, 0, 1, SECOND - 1, SECOND, 3 * SECOND - 1, 3 * SECOND, 7 * SECOND, 2**62]
    assert gap_bucket(np.array(gaps)).tolist() == [0, 1, 1, 1, 2, 2, 3, 4, NUM_GAPS - 1]


def test_dwell_buckets_by_hand():
    dwell = np.array([-1, 0, 99, 100, 299, 300, 2**31 - 1], dtype=np.int32)
    assert dwell_bucket(dwell).tolist() == [0, 1, 1, 2, 2, 3, 16]


@pytest.mark.parametrize(
    ("hours", "first"), [(168.0, 1.0), (12.0, 1.0), (6.0, 0.5), (0.5, 0.5 / 12)]
)
def test_edges_of_delays_rise_to_the_horizon(hours, first):
    edges = delay_edges_hours(hours, 12)
    assert len(edges) == 13
    assert (np.diff(edges) > 0).all()
    assert edges[[0, 1, -1]].tolist() == pytest.approx([0.0, first, hours])
