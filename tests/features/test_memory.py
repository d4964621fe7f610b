import numpy as np

from endcap.features import (
    NUM_COUNTERS,
    CounterColumn,
    ItemMemory,
    memory_scores,
    popularity_scores,
)
from endcap.schema import Action, make_events

# After item 0 came 1 (.5) and 2 (.25); after item 1 came 2 (1); nothing came after 2.
MEMORY = ItemMemory(
    indptr=np.array([0, 2, 3, 3]),
    indices=np.array([1, 2, 2]),
    weights=np.array([0.5, 0.25, 1.0], dtype=np.float32),
)


def history(*rows):
    at, item, action = zip(*rows, strict=True)
    return make_events(timestamp_us=list(at), item=list(item), action=list(action))


def remember(events, decay=0.5, resolution_us=10):
    return memory_scores(events, MEMORY, decay=decay, resolution_us=resolution_us, num_items=4)


def test_an_older_instant_counts_less_by_hand():
    events = history((0, 0, Action.VIEW), (10, 1, Action.VIEW))
    np.testing.assert_allclose(remember(events), [0, 0.25, 0.125 + 1.0, 0])


def test_items_of_one_instant_count_alike_in_any_order():
    events = history((10, 0, Action.VIEW), (19, 1, Action.VIEW))  # one instant of ten
    np.testing.assert_allclose(remember(events), [0, 0.5, 1.25, 0])
    swapped = history((10, 1, Action.VIEW), (19, 0, Action.VIEW))
    np.testing.assert_array_equal(remember(swapped), remember(events))


def test_removals_and_items_without_a_row_say_nothing():
    events = history((0, 0, Action.REMOVE_FROM_CART), (1, -1, Action.SEARCH), (2, 3, Action.VIEW))
    assert not remember(events).any()
    assert not remember(make_events()).any()


def test_memory_reaches_fifty_instants():
    items = [0] + [2] * 50
    events = make_events(timestamp_us=np.arange(51) * 10, item=items, action=[Action.VIEW] * 51)
    assert not remember(events, decay=1.0).any()
    assert remember(events[:50], decay=1.0).any()


def test_popularity_counts_what_shoppers_did_and_not_what_was_shown():
    counters = np.zeros((2, NUM_COUNTERS), dtype=np.float32)
    counters[0, CounterColumn.IMPRESSIONS] = 1_000
    counters[1, [CounterColumn.CLICKS, CounterColumn.PURCHASES]] = [2, 1]
    np.testing.assert_allclose(popularity_scores(counters), [0, np.log(4)], rtol=1e-6)
