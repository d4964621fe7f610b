"""What brings shoppers back is learned from days of training, and from nothing later."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from endcap.features import RETURN_PRIOR, CounterHistory, ReturnColumn
from endcap.schema import Action
from endcap.train import returns
from endcap.train.returns import learn_returns

VIEW = Action.VIEW
DAY = 86_400_000_000
C = ReturnColumn


def learned(log, seed=0):
    return np.array(learn_returns(log, CounterHistory(log), seed=seed))


@pytest.fixture
def habits():
    """Shoppers who meet item 0 often long ago and item 1 lately, and come back to the latter."""
    rows = []
    for user in range(60):
        rows += [(user, hour * 1_000, 0, VIEW) for hour in range(4)]
        rows += [(user, 8 * DAY, 1, VIEW), (user, 9 * DAY + user, 1, VIEW)]
        rows += [(user, 12 * DAY, 2, VIEW), (user, 22 * DAY, 2, VIEW)]
    return rows


@pytest.fixture
def few_are_enough(monkeypatch):
    monkeypatch.setattr(returns, "LEAST_SHOPPERS", 1)


@pytest.fixture
def one_cut(monkeypatch, few_are_enough):
    monkeypatch.setattr(returns, "_cuts", lambda _: [(9 * DAY, 10 * DAY)])


def test_a_shop_of_late_returns_learns_that_lately_counts(make_log, habits, one_cut):
    weights = learned(make_log(habits, num_items=5))
    assert weights[C.SINCE] < -0.3
    assert weights[C.EVENTS] < 0 < weights[C.DAYS_7]


def test_shoppers_who_only_try_new_things_are_told_from_those_who_return(make_log, habits, one_cut):
    new = [(u, at, 3 if at == 9 * DAY + u else item, kind) for u, at, item, kind in habits]
    returning, trying = (learned(make_log(rows, num_items=5)) for rows in (habits, new))
    assert trying[C.MET] < 0 < returning[C.MET]


def test_validation_and_test_days_say_nothing(make_log, habits, few_are_enough):
    later = [(u, at, 1 if at > 11 * DAY else item, kind) for u, at, item, kind in habits]
    logs = (make_log(rows, num_items=5) for rows in (habits, later))
    one, other = (
        learned(replace(log, validation_end_us=log.train_end_us + 2 * DAY)) for log in logs
    )
    assert tuple(one) != RETURN_PRIOR
    np.testing.assert_array_equal(one, other)


def test_cuts_lie_on_training_days_one_validation_apart(make_log, habits):
    log = make_log(habits, num_items=5)
    cuts = returns._cuts(log)
    assert cuts[0] == (2 * log.train_end_us - log.validation_end_us, log.train_end_us)
    assert all(later[0] == earlier[1] for later, earlier in pairwise(cuts))


def test_one_shopper_leaves_the_prior_nearly_as_it_is(make_log, habits, one_cut):
    weights = learned(make_log(habits[:8], num_items=5))
    assert 0 < np.abs(weights - RETURN_PRIOR).max() < 0.3


def test_few_shoppers_leave_the_prior_however_often_they_are_asked(
    make_log, habits, one_cut, monkeypatch
):
    log = make_log(habits, num_items=5)
    monkeypatch.setattr(returns, "LEAST_SHOPPERS", 61)
    monkeypatch.setattr(returns, "_cuts", lambda _: [(9 * DAY, 10 * DAY)] * 3)
    assert tuple(learned(log)) == RETURN_PRIOR
    monkeypatch.setattr(returns, "LEAST_SHOPPERS", 60)
    assert tuple(learned(log)) != RETURN_PRIOR


def test_of_many_shoppers_a_sample_is_asked_by_the_seed(make_log, habits, one_cut, monkeypatch):
    log = make_log(habits, num_items=5)
    monkeypatch.setattr(returns, "MAX_ASKED", 10)
    np.testing.assert_array_equal(learned(log), learned(log))
    counters, asked = CounterHistory(log), []
    for seed in (0, 1):
        found = list(returns._ask(log, counters, (9 * DAY, 10 * DAY), seed))
        asked.append({one.user for one in found})
    assert [len(users) for users in asked] == [10, 10]
    assert asked[0] != asked[1]


def test_without_days_to_ask_at_the_prior_stays(make_log, few_are_enough):
    log = make_log([(0, 1, 0, VIEW), (0, 2, 1, VIEW)], num_items=3)
    assert tuple(learned(log)) == RETURN_PRIOR
