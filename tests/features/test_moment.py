"""What the clock and a shopper's last events tell of the moment of a question."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from endcap.features import HOUR_US
from endcap.features.moment import tell_moment
from endcap.schema import NUM_CONTEXT, Action, make_events
from endcap.schema import ContextColumn as C

NOW = 20 * 24 * HOUR_US + 6 * HOUR_US  # a Wednesday, 06:00 UTC
SECOND = 1_000_000
OF_EVENTS = slice(C.SECONDS_SINCE_LAST, C.LAST_PURCHASE + 1)


def ask(ago_seconds, actions, zone="UTC"):
    context = np.zeros((2, NUM_CONTEXT), dtype=np.float32)
    times = NOW - SECOND * np.array(ago_seconds, dtype=np.int64)
    history = make_events(timestamp_us=times, action=np.array(actions, dtype=np.uint8))
    tell_moment(context, history, NOW, ZoneInfo(zone))
    np.testing.assert_array_equal(context[0], context[1])
    return context[0]


def test_the_clock_is_that_of_the_shops_zone():
    here, there = ask([], []), ask([], [], "Asia/Tokyo")  # 15:00 there
    np.testing.assert_allclose(here[[C.DAY_SINE, C.DAY_COSINE]], [1, 0], atol=1e-6)
    np.testing.assert_allclose(
        there[[C.DAY_SINE, C.DAY_COSINE]], [-(0.5**0.5), -(0.5**0.5)], atol=1e-6
    )
    assert here[C.WEEK_SINE] == pytest.approx(np.sin(2 * np.pi * 2.25 / 7))
    assert not here[OF_EVENTS].any()


def test_a_minute_of_silence_is_not_ten():
    one, ten = (ask([seconds], [Action.VIEW])[C.SECONDS_SINCE_LAST] for seconds in (60, 600))
    assert one == pytest.approx(np.log1p(60) / 5)
    assert ten == pytest.approx(np.log1p(600) / 5)


def test_a_visit_holds_the_events_of_half_an_hour_before_its_last():
    found = ask([4_000, 1_900, 1_000, 100], [Action.VIEW] * 4)
    assert found[C.VISIT_EVENTS] == pytest.approx(np.log1p(3))  # the first is 3,900 s before
    assert found[C.LAST_GAP] == pytest.approx(np.log1p(900) / 5)
    assert ask([100], [Action.VIEW])[C.LAST_GAP] == 0


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (Action.VIEW, [0, 0, 0]),
        (Action.CLICK, [1, 0, 0]),
        (Action.FAVORITE, [0, 1, 0]),
        (Action.PURCHASE, [0, 0, 1]),
    ],
)
def test_the_last_event_says_what_it_was(action, expected):
    found = ask([50, 5], [Action.PURCHASE, action])
    assert found[[C.LAST_CLICK, C.LAST_CART, C.LAST_PURCHASE]].tolist() == expected
