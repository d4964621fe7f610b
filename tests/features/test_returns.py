import numpy as np
import pytest

from endcap.features import DAY_US, RETURN_PRIOR, ReturnColumn, repeat_scores, return_columns
from endcap.schema import Action, make_events

C = ReturnColumn
POPULARITY = np.array([0.0, 2.0, 3.0], dtype=np.float32)


def history(*rows):
    at, item, action = zip(*rows, strict=True)
    return make_events(timestamp_us=list(at), item=list(item), action=list(action))


def of_days(*rows):
    return history(*((day * DAY_US + hour, item, action) for day, hour, item, action in rows))


def test_the_prior_counts_instants_not_rows():
    events = history(
        (0, 1, Action.VIEW), (1, 1, Action.CLICK), (20, 1, Action.VIEW), (20, 2, Action.PURCHASE)
    )
    found = repeat_scores(events, 30, POPULARITY, resolution_us=10, num_items=4)
    np.testing.assert_allclose(found, [0, np.log(3), np.log(2), 0], rtol=1e-6)


def test_columns_by_hand():
    events = of_days(
        (1, 0, 1, Action.VIEW),
        (1, 9, 1, Action.VIEW),
        (8, 0, 1, Action.PURCHASE),
        (8, 5, 7, Action.CLICK),
        (9, 0, 2, Action.REMOVE_FROM_CART),
    )
    items, found = return_columns(events, 15 * DAY_US, POPULARITY, resolution_us=10)
    assert items.tolist() == [1, 7]  # what was put back was not met; 7 came after the counts
    expected = {
        C.INSTANTS: [2, 1],  # 0 and 9 are one instant of ten
        C.EVENTS: [3, 1],
        C.DAYS: [2, 1],
        C.DAYS_7: [0.25 + 0.5, 0.5],
        C.DAYS_30: [0.5 ** (14 / 30) + 0.5 ** (7 / 30), 0.5 ** (7 / 30)],
    }
    for column, counts in expected.items():
        np.testing.assert_allclose(found[:, column], np.log1p(counts), rtol=1e-6)
    np.testing.assert_allclose(found[:, C.SINCE], np.log(7.5), rtol=1e-6)
    np.testing.assert_array_equal(found[:, C.POPULARITY], [2.0, 0.0])
    np.testing.assert_array_equal(found[:, C.MET], 1.0)


def test_the_order_of_events_says_nothing():
    events = of_days((1, 0, 1, Action.VIEW), (3, 0, 2, Action.VIEW), (2, 0, 1, Action.CLICK))
    one = return_columns(events, 4 * DAY_US, POPULARITY, resolution_us=10)
    other = return_columns(events[::-1], 4 * DAY_US, POPULARITY, resolution_us=10)
    for ours, theirs in zip(one, other, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("weight", [-5.0, 0.0])
def test_what_was_met_stays_above_what_was_not(weight):
    weights = [weight * (column == C.MET) for column in C]
    events = of_days((1, 0, 1, Action.VIEW))
    found = repeat_scores(events, 2 * DAY_US, POPULARITY, weights, resolution_us=10, num_items=3)
    assert found[1] > 0
    assert found[0] == found[2] == 0


def test_a_stranger_comes_back_to_nothing():
    assert len(RETURN_PRIOR) == len(ReturnColumn)
    found = repeat_scores(make_events(), 0, POPULARITY, resolution_us=10, num_items=3)
    assert not found.any()
