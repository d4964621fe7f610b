import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from endcap import metrics
from endcap.errors import LogError


def pairwise(duration, predicted, observed):
    """Count Harrell's pairs one by one."""
    won = total = 0.0
    for i in range(len(duration)):
        for j in range(len(duration)):
            later = duration[j] > duration[i] or (duration[j] == duration[i] and not observed[j])
            if observed[i] and later and i != j:
                total += 1
                won += (predicted[j] > predicted[i]) + 0.5 * (predicted[j] == predicted[i])
    return won / total


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.integers(3, 40))
def test_concordance_equals_the_count_of_pairs(seed, n):
    rng = np.random.default_rng(seed)
    duration, predicted = rng.integers(0, 8, size=n), rng.integers(0, 6, size=n)
    observed = rng.random(n) < 0.6
    observed[0], duration[0], duration[1] = True, -1, 9
    expected = pairwise(duration, predicted, observed)
    assert metrics.concordance(duration, predicted, observed) == pytest.approx(expected)


def test_xauc_agrees_with_kendall_where_nothing_ties():
    rng = np.random.default_rng(0)
    dwell, predicted = rng.random(500), rng.random(500)
    expected = (1 + kendalltau(dwell, predicted).statistic) / 2
    assert metrics.xauc(dwell, predicted) == pytest.approx(expected)
    assert metrics.xauc(dwell, np.zeros(500)) == 0.5


def test_a_row_drawn_twice_is_no_pair_with_itself():
    dwell, predicted = np.array([1, 2, 3]), np.array([1, 3, 2])
    counts = np.array([2, 1, 0])
    assert metrics.xauc(dwell, predicted, counts) == 1.0
    assert metrics.xauc(dwell, predicted) == pytest.approx(2 / 3)


def test_equal_durations_leave_nothing_to_order():
    with pytest.raises(LogError, match="No two rows can be ordered"):
        metrics.xauc(np.ones(3), np.arange(3))


def test_absolute_error_by_hand_with_weights():
    assert metrics.mean_absolute_error(np.array([1.0, 5.0]), np.array([2.0, 2.0])) == 2.0
    weights = np.array([3, 1])
    assert metrics.mean_absolute_error(np.array([1.0, 5.0]), np.array([2.0, 2.0]), weights) == 1.5


def test_hazard_likelihood_by_hand():
    hazard = np.array([[0.5, 0.25], [0.5, 0.25]])
    got = metrics.hazard_log_likelihood(hazard, np.array([1, 1]), np.array([True, False]))
    assert got == pytest.approx((np.log(0.5 * 0.25) + np.log(0.5)) / 2)


def test_hazard_chances_of_all_ends_add_up_to_one():
    hazard = np.array([[0.2, 0.7, 1.0]])
    ends = [
        np.exp(metrics.hazard_log_likelihood(hazard, np.array([b]), np.array([True])))
        for b in range(3)
    ]
    assert sum(ends) == pytest.approx(1.0)
