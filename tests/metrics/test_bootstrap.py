import numpy as np
import pytest
from scipy.stats import bootstrap

from endcap import metrics
from endcap.errors import LogError


def test_an_interval_agrees_with_scipy():
    values = np.random.default_rng(0).exponential(size=400)
    ours = metrics.interval(values, resamples=4000)
    theirs = bootstrap((values,), np.mean, method="percentile", n_resamples=4000, rng=1)
    assert ours.value == pytest.approx(values.mean())
    assert ours.n == 400
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.01)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.01)


def test_an_interval_covers_the_truth_as_often_as_it_claims():
    rng = np.random.default_rng(1)
    hits = 0
    for trial in range(300):
        found = metrics.interval(rng.exponential(size=100), resamples=300, seed=trial)
        hits += found.low <= 1.0 <= found.high
    assert 0.88 < hits / 300 < 0.98


def test_a_seed_gives_the_same_interval_and_blocks_do_not_matter(monkeypatch):
    values = np.arange(50.0)
    whole = metrics.interval(values, resamples=64, seed=5)
    assert metrics.interval(values, resamples=64, seed=5) == whole
    monkeypatch.setattr("endcap.metrics.bootstrap._BLOCK", 100)
    assert metrics.interval(values, resamples=64, seed=5) == whole


def test_the_paired_interval_is_narrow_where_users_differ_more_than_models():
    users = np.random.default_rng(2).normal(0, 10, size=200)
    found = metrics.paired_interval(users + 1, users)
    assert (found.low, found.value, found.high) == pytest.approx((1, 1, 1))
    with pytest.raises(LogError, match="same users twice, got 200 and 3"):
        metrics.paired_interval(users, np.ones(3))


def test_whole_users_are_drawn():
    labels, predicted = np.tile([0, 1], 30), np.tile([0.2, 0.7], 30)
    users = np.repeat(np.arange(30), 2)
    found = metrics.cluster_interval(metrics.auc_statistic(labels, predicted), users, resamples=50)
    assert (found.low, found.high, found.n) == (1.0, 1.0, 30)
    counts = next(metrics.resample_counts(30, resamples=7))
    assert counts.shape == (7, 30)
    assert (counts.sum(axis=1) == 30).all()


def test_clusters_widen_the_interval_of_repeated_rows():
    values = np.repeat(np.random.default_rng(3).normal(size=50), 10)
    rows = metrics.interval(values)
    users = metrics.cluster_interval(
        lambda weight: float(np.average(values, weights=weight)), np.repeat(np.arange(50), 10)
    )
    assert users.high - users.low > 2 * (rows.high - rows.low)


def test_no_users_is_an_error_and_an_interval_prints_itself():
    with pytest.raises(LogError, match="at least one user"):
        metrics.interval(np.array([]))
    assert str(metrics.interval(np.ones(3))) == "1.0000 [1.0000, 1.0000]"


def test_a_difference_of_ratios_is_paired_and_counts_rows_not_users():
    # A user of ten rows weighs ten times one of a single row.
    found = metrics.paired_ratio_interval([20.0, 1.0], [10.0, 1.0], [10.0, 1.0])
    assert found.value == pytest.approx(10 / 11)
    assert (found.low, found.high) == (0.0, 1.0)
    with pytest.raises(LogError, match="the same users each time, got 2, 1 and 2"):
        metrics.paired_ratio_interval([1.0, 2.0], [1.0], [1.0, 1.0])
