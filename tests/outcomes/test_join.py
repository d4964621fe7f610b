from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.outcomes import NextEvent, join_outcomes
from endcap.schema import (
    IMPRESSION,
    Action,
    Campaigns,
    Catalogue,
    Dataset,
    Flag,
    Histories,
    ShopConfig,
    make_events,
)

MINUTE = 60_000_000


def log(shown, events, decisions=None):
    """Make a log of one user from (at, decision, item, slot) and (at, item, action) rows."""
    rows = np.zeros(len(shown), dtype=IMPRESSION)
    for row, (at, decision, item, slot) in zip(rows, shown, strict=True):
        row["timestamp_us"], row["decision"], row["item"], row["slot"] = at, decision, item, slot
        row["campaign"] = -1
    at, item, action = zip(*events, strict=True) if events else ((), (), ())
    made = make_events(timestamp_us=list(at), item=list(item), action=list(action))
    return Dataset(
        shop=ShopConfig(),
        user_ids=["u"],
        catalogue=Catalogue.of_ids(["a", "b", "c"]),
        campaigns=Campaigns(),
        histories=Histories(events=made, offsets=np.array([0, len(made)])),
        event_split=np.zeros(len(made), dtype=np.uint8),
        impressions=rows,
        impression_split=np.zeros(len(rows), dtype=np.uint8),
        event_decision=np.array(
            [-1] * len(made) if decisions is None else decisions, dtype=np.int64
        ),
        train_end_us=100 * MINUTE,
        validation_end_us=200 * MINUTE,
        end_us=300 * MINUTE,
    )


triples = st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 6))


@settings(max_examples=150, deadline=None)
@given(st.lists(triples, max_size=12), st.lists(triples, min_size=1, max_size=8), st.booleans())
def test_the_next_event_is_that_of_a_search_row_by_row(events, asked, strictly):
    user, item, at = np.array(events, dtype=np.int64).reshape(-1, 3).T
    index = NextEvent(user.astype(np.int32), item.astype(np.int32), at)
    who, what, when = np.array(asked, dtype=np.int64).T
    found = index.after(who.astype(np.int32), what.astype(np.int32), when, strictly=strictly)
    for (u, i, t), row in zip(asked, found, strict=True):
        later = [e for e in events if e[:2] == (u, i) and (e[2] > t if strictly else e[2] >= t)]
        assert (events[row] if row >= 0 else None) == min(later, default=None)


def test_an_item_beyond_the_index_is_never_found():
    index = NextEvent(np.zeros(2, np.int32), np.array([0, 1], np.int32), np.array([5, 6]))
    # Item 2 of user 0 must not be read as item 0 of user 1.
    found = index.after(np.zeros(2, np.int32), np.array([2, -1], np.int32), np.zeros(2, np.int64))
    assert found.tolist() == [-1, -1]


def test_a_click_belongs_to_the_slot_of_its_decision():
    shown = [(0, 7, 0, 0), (0, 7, 1, 1), (1, 8, 0, 0)]
    events = [(2, 0, Action.CLICK), (3, 1, Action.CLICK), (4, 2, Action.CLICK)]
    found = join_outcomes(log(shown, events, decisions=[8, 7, 7]))
    assert found.clicked.tolist() == [False, True, True]
    assert found.click_us.tolist() == [-1, 3, 2]


def test_an_item_shown_twice_on_a_page_is_clicked_once():
    shown = [(0, 7, 0, 0), (0, 7, 0, 3)]
    found = join_outcomes(log(shown, [(2, 0, Action.CLICK)], decisions=[7]))
    assert found.clicked.tolist() == [True, False]


def test_an_item_shown_twice_was_clicked_where_the_click_says():
    made = log([(0, 7, 0, 0), (0, 7, 0, 3)], [(2, 0, Action.CLICK)], decisions=[7])
    made.histories.events["slot"] = 3
    assert join_outcomes(made).clicked.tolist() == [False, True]


def test_the_first_of_two_clicks_counts_and_a_click_goes_before_a_view():
    events = [(2, 0, Action.VIEW), (3, 0, Action.CLICK), (9, 0, Action.CLICK)]
    found = join_outcomes(log([(0, 7, 0, 0)], events, decisions=[7, 7, 7]))
    assert found.click_us.tolist() == [3]


def test_without_decisions_a_click_belongs_to_the_latest_showing():
    shown = [(0, -1, 0, 0), (MINUTE, -1, 0, 0), (2 * MINUTE, -1, 1, 0), (5 * MINUTE, -1, 0, 0)]
    found = join_outcomes(log(shown, [(3 * MINUTE, 0, Action.CLICK)]))
    assert found.clicked.tolist() == [False, True, False, False]


def test_a_click_counts_within_half_an_hour_to_the_microsecond():
    shown, last = [(0, -1, 0, 0)], 30 * MINUTE
    assert join_outcomes(log(shown, [(last, 0, Action.CLICK)])).clicked.all()
    assert not join_outcomes(log(shown, [(last + 1, 0, Action.CLICK)])).clicked.any()


def test_two_clicks_on_one_showing_are_one_click():
    events = [(1, 0, Action.CLICK), (2, 0, Action.CLICK)]
    found = join_outcomes(log([(0, -1, 0, 0)], events))
    assert found.click_us.tolist() == [1]


def test_a_purchase_is_no_click():
    assert not join_outcomes(log([(0, -1, 0, 0)], [(1, 0, Action.PURCHASE)])).clicked.any()


def test_a_dwell_keeps_its_censoring_and_a_row_its_last_day():
    made = log([(0, -1, 0, 0), (0, -1, 1, 1)], [(1, 0, Action.CLICK)])
    made.histories.events["dwell_ms"] = 900
    made.histories.events["flags"] = Flag.CENSORED
    found = join_outcomes(replace(made, impression_split=np.array([0, 2], dtype=np.uint8)))
    assert found.dwell_ms.tolist() == [900, -1]
    assert found.dwell_censored.tolist() == [True, False]
    assert found.censored_us.tolist() == [100 * MINUTE, 300 * MINUTE]


@pytest.mark.parametrize("shown", [[], [(0, 7, 0, 0)]])
@pytest.mark.parametrize("events", [[], [(1, 0, Action.PURCHASE)]])
def test_a_log_without_clicks_has_no_outcomes(shown, events):
    found = join_outcomes(log(shown, events))
    assert found.clicked.tolist() == [False] * len(shown)
    assert found.click_us.tolist() == found.dwell_ms.tolist() == [-1] * len(shown)


def test_in_a_whole_shop_every_click_counts_once(dataset):
    found = join_outcomes(dataset)
    clicks = int((dataset.histories.events["action"] == Action.CLICK).sum())
    assert found.clicked.sum() == clicks
    without = replace(dataset, event_decision=np.full_like(dataset.event_decision, -1))
    by_time = join_outcomes(replace(without, impressions=_forget(dataset.impressions)))
    np.testing.assert_array_equal(by_time.click_us, found.click_us)


def _forget(impressions):
    copy = impressions.copy()
    copy["decision"] = -1
    return copy
