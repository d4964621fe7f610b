from dataclasses import replace

import numpy as np
import pytest

from endcap.features import CounterHistory, Mix
from endcap.schema import Action
from endcap.train.graph import relate
from endcap.train.remembering import remember, remember_again

VIEW = Action.VIEW
DAY = 86_400_000_000
WEIGHED = (Mix(memory=5.0), Mix())


def twice(user, day, before, after):
    return [(user, day * DAY, before, VIEW), (user, day * DAY + 1_000_000, after, VIEW)]


@pytest.fixture
def log(make_log):
    """Items 0 and 1 on training days, 2 and 3 on validation days, 4 and 5 on test days."""
    rows = [*twice(0, 1, 0, 1), *twice(1, 12, 2, 3), *twice(2, 22, 4, 5)]
    return make_log(rows, num_items=6)


@pytest.fixture
def remembered(log):
    return remember(log, relate(log)[1], CounterHistory(log))


def pairs_of(memory):
    before = np.repeat(np.arange(memory.num_items), np.diff(memory.indptr))
    return list(zip(before.tolist(), memory.indices.tolist(), strict=True))


def test_weights_are_chosen_by_what_training_days_told(remembered):
    assert pairs_of(remembered.memories["memory"]) == [(0, 1)]


def test_what_serves_knows_validation_days_and_no_test_day(log, remembered):
    again = remember_again(log, remembered, WEIGHED)
    assert pairs_of(again.memories["memory"]) == [(0, 1), (2, 3)]
    assert {item for pair in pairs_of(again.memories["linear"]) for item in pair} == {0, 1, 2, 3}


@pytest.mark.parametrize("mixes", [(Mix(linear=3.0), Mix()), (Mix(), Mix(linear=3.0))])
def test_either_list_and_either_memory_is_reason_enough(log, remembered, mixes):
    assert pairs_of(remember_again(log, remembered, mixes).memories["memory"]) == [(0, 1), (2, 3)]


def test_memories_that_weigh_nothing_stay(log, remembered):
    assert remember_again(log, remembered, (Mix(repeat=2.0), Mix(popularity=1.0))) is remembered


def test_where_last_events_are_kept_aside_nothing_of_them_is_remembered(log, remembered):
    by_place = replace(log, train_end_us=log.end_us, validation_end_us=log.end_us)
    assert remember_again(by_place, remembered, WEIGHED) is remembered
