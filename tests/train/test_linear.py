import numpy as np

from endcap.schema import Action
from endcap.train import linear
from endcap.train.linear import linear_memory

VIEW, IGNORED = Action.VIEW, Action.REMOVE_FROM_CART
DAY = 86_400_000_000


def rows_of(baskets, day=1):
    return [
        (user, day * DAY + at, item, VIEW)
        for user, items in enumerate(baskets)
        for at, item in enumerate(items)
    ]


def test_items_that_shoppers_meet_together_speak_for_one_another(make_log, monkeypatch):
    monkeypatch.setattr(linear, "RIDGE", 1.0)
    found = linear_memory(make_log(rows_of([(0, 1)] * 5 + [(2,)] * 5), num_items=4)).toarray()
    assert found[0, 1] > 0.5
    assert found[1, 0] > 0.5
    assert abs(found[0, 2]) < 1e-6
    assert not found[3].any()  # nobody met it


def test_times_met_do_not_count_and_later_days_and_other_events_say_nothing(make_log):
    rows = rows_of([(0, 1), (1, 2), (2,)])
    plain = linear_memory(make_log(rows, num_items=4)).toarray()
    again = [*rows, *rows_of([(0, 1, 0)], day=2), (1, 3 * DAY, 0, IGNORED)]
    later = [*again, (2, 12 * DAY, 0, VIEW), (2, 22 * DAY, 1, VIEW)]  # validation and test
    np.testing.assert_array_equal(linear_memory(make_log(later, num_items=4)).toarray(), plain)


def test_of_many_items_those_that_most_shoppers_met_are_kept(make_log, monkeypatch):
    monkeypatch.setattr(linear, "MAX_ITEMS", 3)
    monkeypatch.setattr(linear, "NUM_KEPT", 1)
    log = make_log(rows_of([(0, 1, 2), (0, 1), (1, 2, 3), (2, 4)]), num_items=5)
    found = linear_memory(log)
    assert set(found.nonzero()[0]) <= {0, 1, 2}
    assert np.diff(found.indptr).max() == 1


def test_a_log_in_which_nothing_was_met_remembers_nothing(make_log):
    log = make_log([(0, DAY, 0, IGNORED)], num_items=3)
    assert linear_memory(log).nnz == 0
