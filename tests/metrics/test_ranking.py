import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from endcap import metrics

SCORES = np.array([[4.0, 3.0, 2.0, 1.0], [1.0, 1.0, 1.0, -np.inf]])


def ranks(rank, user, num_users=2):
    return metrics.TargetRanks(rank=np.array(rank), user=np.array(user), num_users=num_users)


def test_the_four_formulas_by_hand():
    found = ranks([1, 3, metrics.MISS, 5], [0, 0, 0, 1])
    np.testing.assert_allclose(metrics.recall(found, 3), [2 / 3, 0])
    np.testing.assert_allclose(metrics.hit_rate(found, 3), [1, 0])
    np.testing.assert_allclose(metrics.reciprocal_rank(found, 5), [1, 1 / 5])
    ideal = 1 + 1 / np.log2(3) + 1 / 2
    np.testing.assert_allclose(metrics.ndcg(found, 3), [(1 + 1 / 2) / ideal, 0])


def test_recall_divides_by_all_targets_and_ndcg_by_what_fits_the_list():
    found = ranks([1, metrics.MISS, metrics.MISS], [0, 0, 0], num_users=1)
    assert metrics.recall(found, 1) == pytest.approx(1 / 3)
    assert metrics.ndcg(found, 1) == pytest.approx(1)


def test_ties_count_against_the_model_unless_an_order_is_given():
    user, item = np.array([1, 1]), np.array([0, 2])
    assert list(metrics.ranks_in_scores(SCORES, user, item).rank) == [3, 3]
    assert list(metrics.ranks_in_scores(SCORES, user, item, ties="optimistic").rank) == [1, 1]
    order = np.array([2, 1, 0, 3])
    assert list(metrics.ranks_in_scores(SCORES, user, item, tie_order=order).rank) == [3, 1]


def test_what_is_filtered_or_outside_the_catalogue_is_a_miss():
    found = metrics.ranks_in_scores(SCORES, np.array([1, 0, 0]), np.array([3, -1, 4]))
    assert (found.rank == metrics.MISS).all()
    assert (metrics.recall(found, 4) == 0).all()


def test_a_list_and_its_scores_agree_on_every_rank():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 5, size=(20, 30)).astype(float)
    order = rng.permutation(30)
    user, item = np.repeat(np.arange(20), 3), rng.integers(0, 30, size=60)
    whole = metrics.ranks_in_scores(scores, user, item, tie_order=order)
    listed = metrics.ranks_in_lists(metrics.top_items(scores, 10, tie_order=order), user, item)
    np.testing.assert_array_equal(np.where(whole.rank <= 10, whole.rank, metrics.MISS), listed.rank)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_ndcg_agrees_with_scikit_learn_where_nothing_ties(seed, k):
    rng = np.random.default_rng(seed)
    scores = np.stack([rng.permutation(12) for _ in range(4)]).astype(float)
    truth = rng.random((4, 12)) < 0.3
    truth[:, 0] = True
    user, item = np.nonzero(truth)
    ours = metrics.ndcg(metrics.ranks_in_scores(scores, user, item), k)
    assert ours.mean() == pytest.approx(ndcg_score(truth.astype(float), scores, k=k))


def test_lists_are_filled_with_minus_one_and_coverage_ignores_it():
    lists = metrics.top_items(SCORES, 4)
    assert list(lists[1]) == [0, 1, 2, -1]
    assert metrics.coverage(lists[1:], 4) == 0.75


def test_large_tasks_are_compared_in_blocks(monkeypatch):
    rng = np.random.default_rng(1)
    scores, user = rng.random((9, 7)), np.arange(9)
    item = rng.integers(0, 7, size=9)
    whole = metrics.ranks_in_scores(scores, user, item).rank
    monkeypatch.setattr("endcap.metrics.ranking._BLOCK", 8)
    np.testing.assert_array_equal(metrics.ranks_in_scores(scores, user, item).rank, whole)
