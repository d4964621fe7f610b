import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from endcap import metrics
from endcap.errors import LogError


def drawn(seed, n=60, digits=1):
    rng = np.random.default_rng(seed)
    labels = rng.random(n) < 0.4
    labels[:2] = True, False
    return labels, np.round(rng.random(n), digits), rng.integers(0, 4, size=n)


def test_auc_by_hand_counts_half_a_win_for_a_tie():
    assert metrics.auc(np.array([0, 1, 1, 0]), np.array([0.1, 0.1, 0.9, 0.5])) == 2.5 / 4


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_auc_and_log_loss_agree_with_scikit_learn_with_ties_and_weights(seed):
    labels, p, weights = drawn(seed)
    weights[:2] = 1
    assert metrics.auc(labels, p) == pytest.approx(roc_auc_score(labels, p))
    expected = roc_auc_score(labels, p, sample_weight=weights)
    assert metrics.auc(labels, p, weights) == pytest.approx(expected)
    clipped = np.clip(p, 1e-6, 1 - 1e-6)
    assert metrics.log_loss(labels, p) == pytest.approx(log_loss(labels, clipped))
    expected = log_loss(labels, clipped, sample_weight=weights)
    assert metrics.log_loss(labels, p, weights) == pytest.approx(expected)


def test_one_kind_of_label_has_no_auc():
    with pytest.raises(LogError, match="one positive and one negative label"):
        metrics.auc(np.ones(3), np.arange(3.0))


def test_a_sure_mistake_costs_the_clip():
    assert metrics.log_loss(np.array([1]), np.array([0.0])) == pytest.approx(-np.log(1e-6))


def test_calibration_error_by_hand():
    labels = np.array([0, 1] * 10)
    p = np.where(np.arange(20) < 10, 0.25, 0.75)  # each half happens with chance 1/2
    assert metrics.expected_calibration_error(labels, p) == pytest.approx(0.25)


def test_a_constant_prediction_has_one_bin():
    labels = np.array([0, 0, 0, 1])
    assert metrics.expected_calibration_error(labels, np.full(4, 0.3)) == pytest.approx(0.05)


def test_calibrated_labels_come_near_the_floor_and_shifted_ones_do_not():
    rng = np.random.default_rng(3)
    p = rng.random(20_000)
    floor = metrics.expected_calibration_floor(p)
    assert 0.001 < floor < 0.01
    assert metrics.expected_calibration_error(rng.random(20_000) < p, p) < 2 * floor
    assert metrics.expected_calibration_error(rng.random(20_000) < p * 0.8, p) > 5 * floor


def test_the_calibration_line_is_the_logistic_fit_and_knows_what_was_drawn():
    rng = np.random.default_rng(4)
    logit = rng.normal(size=4000)
    labels = rng.random(4000) < 1 / (1 + np.exp(-(0.5 + 2.0 * logit)))
    p = 1 / (1 + np.exp(-logit))
    intercept, slope = metrics.calibration_line(labels, p)
    oracle = LogisticRegression(C=np.inf, tol=1e-10).fit(logit[:, None], labels)
    assert (intercept, slope) == pytest.approx((oracle.intercept_[0], oracle.coef_[0, 0]), abs=1e-5)
    assert slope == pytest.approx(2.0, abs=0.2)


def test_total_ratio_and_intercept_shift():
    labels, p = np.array([0, 0, 0, 1]), np.array([0.2, 0.4, 0.6, 0.8])
    assert metrics.pcoc(labels, p) == pytest.approx(2.0)
    shifted = metrics.shift_intercept(labels, p)
    assert metrics.pcoc(labels, shifted) == pytest.approx(1.0)
    assert (np.diff(shifted) > 0).all()
    with pytest.raises(LogError, match="none among the labels"):
        metrics.pcoc(np.zeros(3), np.ones(3))
    with pytest.raises(LogError, match="labels of both kinds"):
        metrics.shift_intercept(np.zeros(3), np.ones(3))


def test_ten_deciles_make_ten_bins_and_errors_within_one_cancel():
    p = np.repeat((np.arange(10) + 0.5) / 10, 2) + np.tile([-0.01, 0.01], 10)
    labels = np.tile([0, 1], 10)  # each bin: one of two, so |p - 1/2|
    expected = np.abs((np.arange(10) + 0.5) / 10 - 0.5).mean()
    assert metrics.expected_calibration_error(labels, p) == pytest.approx(expected)
