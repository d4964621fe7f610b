from zoneinfo import ZoneInfo

import numpy as np

from endcap.features import DAY_US, HOUR_US, gap_bucket, history_inputs, phases
from endcap.schema import Action, make_events

UTC = ZoneInfo("UTC")


def windows():
    first = make_events(
        timestamp_us=[DAY_US, DAY_US + HOUR_US, DAY_US + HOUR_US],
        item=[4, -1, 2],
        action=[Action.VIEW, Action.SEARCH, Action.CLICK],
        dwell_ms=[-1, -1, 150],
        campaign=[-1, -1, 0],
    )
    last = make_events(timestamp_us=[9 * DAY_US], item=[1], action=[Action.PURCHASE])
    return [first, make_events(), last]


def test_padding_stands_on_the_right():
    found = history_inputs(windows(), zone=UTC, has_clock=True)
    assert found.length.tolist() == [3, 0, 1]
    assert found.item.tolist() == [[4, -1, 2], [-1, -1, -1], [1, -1, -1]]
    assert found.action.tolist() == [[2, 11, 3], [0, 0, 0], [7, 0, 0]]
    assert found.dwell.tolist() == [[0, 0, 2], [0, 0, 0], [0, 0, 0]]
    assert found.is_ad.tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]


def test_the_first_event_of_a_window_has_no_gap():
    found = history_inputs(windows(), zone=UTC, has_clock=True)
    hour = int(gap_bucket(np.array([HOUR_US]))[0])
    assert found.gap.tolist() == [[0, hour, 1], [0, 0, 0], [0, 0, 0]]


def test_the_hour_of_each_event_is_its_own():
    found = history_inputs(windows(), zone=UTC, has_clock=True)
    np.testing.assert_array_equal(found.clock[0, 0], phases(np.array([DAY_US]), UTC)[0])
    assert not found.clock[1].any()


def test_an_order_has_no_gaps_and_no_hours():
    found = history_inputs(windows(), zone=UTC, has_clock=False)
    assert not found.gap.any()
    assert not found.clock.any()


def test_a_window_reads_the_same_alone_and_in_company():
    together = history_inputs(windows(), zone=UTC, has_clock=True)
    for row, window in enumerate(windows()):
        alone = history_inputs([window], zone=UTC, has_clock=True, pad_to=3)
        for name in ("item", "action", "gap", "dwell", "is_ad", "clock"):
            np.testing.assert_array_equal(getattr(together, name)[row], getattr(alone, name)[0])


def test_no_windows_at_all_are_no_rows():
    assert history_inputs([], zone=UTC, has_clock=True).item.shape == (0, 1)
