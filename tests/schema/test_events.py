"""Events as bytes: sizes and offsets that stored histories depend on, and groups by hand."""

import numpy as np
import pytest

from endcap.schema import (
    EVENT,
    IMPRESSION,
    NO_CAMPAIGN,
    NO_ITEM,
    NO_SLOT,
    NUM_ACTIONS,
    NUM_OWN,
    UNKNOWN,
    Action,
    Flag,
    Histories,
    empty_events,
    group_starts,
    make_events,
)

SECOND_US, DAY_US = 1_000_000, 86_400_000_000


def test_an_event_is_32_bytes_at_fixed_places():
    """A stored history is these bytes: moving a field would misread every blob."""
    assert EVENT.itemsize == 32
    assert {name: int(EVENT.fields[name][1]) for name in EVENT.names} == {
        "timestamp_us": 0,
        "price_micros": 8,
        "item": 16,
        "campaign": 20,
        "dwell_ms": 24,
        "action": 28,
        "placement": 29,
        "slot": 30,
        "flags": 31,
    }


def test_an_impression_is_40_bytes_at_fixed_places():
    assert IMPRESSION.itemsize == 40
    assert {name: int(IMPRESSION.fields[name][1]) for name in IMPRESSION.names} == {
        "timestamp_us": 0,
        "decision": 8,
        "user": 16,
        "item": 20,
        "campaign": 24,
        "propensity": 28,
        "placement": 32,
        "slot": 33,
        "device": 34,
        "flags": 35,
        "dwell_ms": 36,
    }


def test_bytes_are_little_endian_on_every_machine():
    event = make_events(timestamp_us=[1], item=[2], action=[Action.CLICK])
    raw = event.tobytes()
    assert raw[:8] == b"\x01" + 7 * b"\0"
    assert raw[16:20] == b"\x02\0\0\0"
    assert np.array_equal(np.frombuffer(raw, dtype=EVENT), event)


def test_what_is_not_given_is_unknown():
    (event,) = make_events(timestamp_us=[5])
    told = tuple(event[name].item() for name in EVENT.names)
    assert told == (5, UNKNOWN, NO_ITEM, NO_CAMPAIGN, UNKNOWN, Action.PADDING, 0, NO_SLOT, 0)
    assert len(make_events()) == len(empty_events()) == 0


def test_actions_keep_their_numbers():
    """They stand in logs and in fitted weights."""
    assert [action.name for action in Action] == [
        "PADDING", "IMPRESSION", "VIEW", "CLICK", "ADD_TO_CART", "REMOVE_FROM_CART", "FAVORITE",
        "PURCHASE", "REFUND", "RATING", "NOT_INTERESTED", "SEARCH", "OWN",
    ]  # fmt: skip
    assert [int(action) for action in Action] == list(range(13))
    assert (NUM_OWN, NUM_ACTIONS) == (8, 21)
    assert Flag.CENSORED == 1


@pytest.mark.parametrize(
    ("event_type", "action"),
    [
        ("click", Action.CLICK),
        ("Add_To_Cart", Action.ADD_TO_CART),
        ("lend", Action.OWN),
        ("padding", Action.OWN),
        ("", Action.OWN),
    ],
)
def test_an_unknown_kind_is_the_shops_own(event_type, action):
    assert Action.of(event_type) is action


def test_a_groups_start_is_the_number_of_events_before_its_instant():
    """Seconds 0 0 1 1 1 3: what is asked in second 1 may read the two events of second 0."""
    times = np.array([0, 999_999, 1_000_000, 1_500_000, 1_999_999, 3_000_000])
    assert group_starts(times, SECOND_US).tolist() == [0, 0, 2, 2, 2, 5]
    assert group_starts(times, 1).tolist() == [0, 1, 2, 3, 4, 5]
    assert group_starts(times, DAY_US).tolist() == [0] * 6


def test_groups_follow_instants_not_gaps():
    """One microsecond apart, yet on two days; and a second before 1970 is an instant of its own."""
    assert group_starts(np.array([DAY_US - 1, DAY_US]), DAY_US).tolist() == [0, 1]
    assert group_starts(np.array([-1, 0, 1]), SECOND_US).tolist() == [0, 1, 1]
    assert group_starts(np.array([], dtype=np.int64), SECOND_US).tolist() == []


def test_histories_are_one_array_and_offsets():
    events = make_events(timestamp_us=[1, 2, 3], item=[7, 8, 9])
    histories = Histories(events=events, offsets=np.array([0, 2, 2, 3]))
    assert histories.num_users == 3
    assert [histories.of(user)["item"].tolist() for user in range(3)] == [[7, 8], [], [9]]
    assert histories.user_of_event().tolist() == [0, 0, 2]
    assert np.shares_memory(histories.of(0), events)
