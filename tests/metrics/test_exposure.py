import numpy as np
import pytest

from endcap import metrics
from endcap.errors import LogError


def test_places_are_counted_and_fillers_are_not():
    lists = np.array([[0, 2], [2, -1]])
    np.testing.assert_array_equal(metrics.exposure(lists, 4), [1, 0, 2, 0])
    assert metrics.coverage(lists, 4) == 0.5


@pytest.mark.parametrize(
    "counts, expected", [([3, 3, 3, 3], 0.0), ([0, 0, 0, 8], 0.75), ([1, 3], 0.25)]
)
def test_inequality_is_0_when_even_and_nears_1_when_one_has_all(counts, expected):
    assert metrics.gini(np.array(counts)) == pytest.approx(expected)


def test_nothing_cannot_be_shared_out():
    with pytest.raises(LogError, match="all counts are 0"):
        metrics.gini(np.zeros(3))


def test_the_first_tenth_is_what_most_people_want():
    counts = np.arange(20)
    tenths = metrics.popularity_tenths(counts)
    np.testing.assert_array_equal(tenths[-2:], [1, 1])
    np.testing.assert_array_equal(tenths[:2], [10, 10])
    np.testing.assert_array_equal(metrics.popularity_tenths(np.array([5, 5, 9])), [4, 7, 1])


def test_a_ratio_weighs_users_by_what_they_were_asked():
    found = metrics.ratio_interval([1, 0, 0], [1, 3, 0])
    assert found.value == 0.25 and found.n == 2
    assert (found.low, found.high) == (0.0, 1.0)
    with pytest.raises(LogError, match="has nothing"):
        metrics.ratio_interval([0], [0])


def test_bins_say_what_was_promised_and_what_came():
    chance = np.repeat([0.1, 0.6], 10)
    label = np.array([0] * 9 + [1] + [1] * 5 + [0] * 5)
    bins = metrics.calibration_bins(label, chance)
    np.testing.assert_allclose(bins.predicted, [0.1, 0.6])
    np.testing.assert_allclose(bins.happened, [0.1, 0.5])
    np.testing.assert_array_equal(bins.count, [10, 10])
    error = metrics.expected_calibration_error(label, chance)
    gaps = np.abs(bins.predicted - bins.happened) * bins.count / 20
    assert error == pytest.approx(gaps.sum())


def test_the_best_are_those_of_a_whole_sort():
    random = np.random.default_rng(0)
    scores = random.integers(4, size=(30, 12)).astype(np.float64)
    scores[random.random(scores.shape) < 0.2] = -np.inf
    unknown = random.random(scores.shape) < 0.1
    tie_order = random.permutation(12)
    scores[unknown] = -np.inf
    for k in (1, 5, 12, 20):
        found = metrics.top_items(np.where(unknown, np.nan, scores), k, tie_order=tie_order)
        for row, best in zip(scores, found, strict=True):
            order = np.lexsort((tie_order, -row))[:k]
            np.testing.assert_array_equal(best, np.where(row[order] > -np.inf, order, -1))
