import numpy as np

from endcap.features import (
    NUM_COUNTERS,
    CounterColumn,
    ItemMemory,
    Mix,
    Remembered,
    ReturnColumn,
    mixed_parts,
)
from endcap.schema import Action, make_events

# After item 0 came 1 (.5) and 2 (.25); after item 1 came 2 (1); nothing came after 2.
MEMORY = ItemMemory(
    indptr=np.array([0, 2, 3, 3]),
    indices=np.array([1, 2, 2]),
    weights=np.array([0.5, 0.25, 1.0], dtype=np.float32),
)
MET = make_events(timestamp_us=[0, 10], item=[0, 1], action=[Action.VIEW, Action.VIEW])
COUNTERS = np.zeros((3, NUM_COUNTERS), dtype=np.float32)  # item 3 came after they were counted
COUNTERS[1, CounterColumn.CLICKS] = 1


def parts(returns=None, **weights):
    remembered = Remembered(memories={"memory": MEMORY, "linear": MEMORY}, resolution_us=10)
    if returns is not None:
        remembered = Remembered(memories={}, resolution_us=10, returns=returns)
    return mixed_parts(MET, 20, Mix(decay=0.5, **weights), remembered, COUNTERS, num_items=4)


def test_parts_are_the_columns_times_their_weights_and_none_of_no_weight():
    assert parts() == {}
    found = parts(memory=2.0, linear=-1.0, repeat=3.0, popularity=4.0)
    np.testing.assert_allclose(found["memory"], [0, 0.5, 2 * 1.125, 0])
    np.testing.assert_allclose(found["linear"], [0, -0.25, -1.125, 0])
    np.testing.assert_allclose(found["repeat"], 3 * np.log([2, 2, 1, 1]), rtol=1e-6)
    np.testing.assert_allclose(found["popularity"], [0, 4 * np.log(2), 0, 0], rtol=1e-6)


def test_repeats_read_the_popularity_of_what_was_met_with_and_without_a_weight_of_its_own():
    by_popularity = [float(column == ReturnColumn.POPULARITY) for column in ReturnColumn]
    alone = parts(by_popularity, repeat=1.0)["repeat"]
    np.testing.assert_allclose(alone, [0.01, np.log(2), 0, 0], rtol=1e-6)
    np.testing.assert_array_equal(parts(by_popularity, repeat=1.0, popularity=1.0)["repeat"], alone)
