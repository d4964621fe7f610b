import numpy as np
import pytest
import scipy.sparse as sp

from endcap.schema import Action
from endcap.train import graph as graph_module
from endcap.train.graph import (
    co_occurrence,
    item_memory,
    largest_per_row,
    neighbour_graph,
    relate,
    seen_events,
)

VIEW, BUY = Action.VIEW, Action.PURCHASE
SECOND, DAY = 1_000_000, 86_400_000_000


@pytest.fixture
def counted(make_log):
    rows = [(0, 1 * SECOND, 0, VIEW), (0, 2 * SECOND, 1, VIEW), (0, 3 * SECOND, 2, VIEW)]
    rows += [(1, 1 * SECOND, 0, BUY), (1, 1 * SECOND + 7, 1, BUY), (1, 9 * SECOND, 2, BUY)]
    rows += [(2, 1 * SECOND, 2, VIEW), (2, 11 * DAY, 0, VIEW)]  # the last is of validation
    return co_occurrence(seen_events(make_log(rows, num_items=4)))


def test_pairs_before_and_after_by_hand(counted):
    near, forward, counts = counted
    expected = np.zeros((4, 4))
    expected[0, 1], expected[1, 2], expected[0, 2] = 1, 1 + 1, 1 / 2 + 1 / 2
    np.testing.assert_allclose(near.toarray(), expected)
    expected[0, 2] = 2 * 2**-0.5
    np.testing.assert_allclose(forward.toarray(), expected, rtol=1e-6)
    assert counts.tolist() == [2, 2, 3, 0]


def test_a_basket_says_nothing_about_itself(make_log):
    baskets = [(u, DAY, i, BUY) for u in range(5) for i in (0, 1)]
    near, forward, _ = co_occurrence(seen_events(make_log(baskets)))
    assert near.nnz == forward.nnz == 0


def test_neighbours_look_both_ways_and_add_up_to_one(counted):
    graph = neighbour_graph(counted[0])
    found = sp.csr_matrix((graph.weights, graph.indices, graph.indptr), shape=(4, 4)).toarray()
    thirds = [[0, 1 / 2, 1 / 2, 0], [1 / 3, 0, 2 / 3, 0], [1 / 3, 2 / 3, 0, 0], [0] * 4]
    np.testing.assert_allclose(found, thirds, rtol=1e-6)


def test_memory_discounts_items_that_are_everywhere(counted):
    memory = item_memory(counted[1], counted[2]).toarray()
    assert memory[0, 1] == pytest.approx(1 / 2)
    assert memory[1, 2] == pytest.approx(2 / np.sqrt(2 * 3))
    assert memory[2].sum() == 0


def test_the_largest_of_a_row_stay_and_ties_go_to_the_smaller_column():
    matrix = sp.csr_matrix(np.array([[1.0, 3, 1, 2], [0, 0, 0, 0], [5, 5, 5, 5]]))
    assert largest_per_row(matrix, 2).toarray().tolist() == [[0, 3, 0, 2], [0] * 4, [5, 5, 0, 0]]


def test_a_log_of_one_event_has_no_pairs(make_log):
    near, _, counts = co_occurrence(seen_events(make_log([(0, 0, 3, VIEW)])))
    assert near.nnz == 0
    assert counts.sum() == 1


def test_counting_a_range_of_items_at_a_time_gives_the_same_to_the_bit(make_log, monkeypatch):
    random = np.random.default_rng(0)
    users, items = random.integers(40, size=2_000), random.integers(30, size=2_000)
    rows = [(int(u), at * SECOND, int(i), VIEW) for at, (u, i) in
            enumerate(zip(users, items, strict=True))]  # fmt: skip
    log = make_log(rows, num_items=33)
    graph, memory = relate(log)
    monkeypatch.setattr(graph_module, "MAX_PAIRS", 9_000)
    calls = []
    counted = graph_module._of_range
    monkeypatch.setattr(
        graph_module, "_of_range", lambda *given: calls.append(given[1:]) or counted(*given)
    )
    by_range, memory_by_range = relate(log)
    assert len(calls) > 3
    for name in ("indptr", "indices", "weights"):
        np.testing.assert_array_equal(getattr(graph, name), getattr(by_range, name))
    assert (memory != memory_by_range).nnz == 0
