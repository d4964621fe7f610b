import numpy as np
import pytest

from endcap.predict.hazards import (
    chance,
    chance_within,
    expected_time,
    quantile_time,
    sigmoid,
    softmax,
)

EDGES = np.array([0.0, 1.0, 4.0, 24.0])
OUTPUTS = np.array([[0.4, 0.1, -0.2, 0.8], [-2.0, 1.0, 1.0, 1.0]])


def test_the_full_horizon_is_the_chance_that_it_ever_comes():
    found = chance_within(OUTPUTS, 24.0, EDGES, (1.0, 0.0))
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-OUTPUTS[:, 0])))


def test_a_longer_horizon_is_never_less_likely():
    hours = np.linspace(0, 30, 61)
    found = np.array([chance_within(OUTPUTS, h, EDGES, (1.3, -0.2)) for h in hours])
    assert (np.diff(found, axis=0) >= 0).all()
    assert not found[0].any()
    np.testing.assert_array_equal(found[-1], chance(OUTPUTS[:, 0], (1.3, -0.2)))


def test_part_of_a_bin_counts_in_part():
    pi = sigmoid(np.array([-2.0]))
    found = chance_within(OUTPUTS[1:], 2.5, EDGES, (1.0, 0.0))  # a whole third, and half of one
    np.testing.assert_allclose(found, pi * 0.5)


def test_calibration_moves_the_logit():
    assert chance(np.array([2.0]), (0.5, -1.0))[0] == pytest.approx(0.5)


def test_expected_time_by_hand():
    logits = np.log([[0.2, 0.3, 0.5]])
    assert expected_time(logits, np.array([1.0, 10.0, 100.0]))[0] == pytest.approx(53.2)


def test_large_outputs_do_not_overflow():
    assert sigmoid(np.array([-1e4, 1e4])).tolist() == [0, 1]
    np.testing.assert_allclose(softmax(np.array([[1e4, 1e4]])), [[0.5, 0.5]])


def test_each_candidate_may_have_its_own_time():
    outputs = np.random.default_rng(0).normal(size=(3, 5))
    edges, hours = np.array([0.0, 1.0, 4.0, 9.0, 24.0]), np.array([0.5, 4.0, 24.0])
    alone = [chance_within(outputs[[k]], hours[k], edges, (1.0, 0.0))[0] for k in range(3)]
    np.testing.assert_allclose(chance_within(outputs, hours, edges, (1.0, 0.0)), alone)


def test_a_quantile_of_time_by_hand():
    logits = np.log([[0.2, 0.6, 0.2], [0.5, 0.3, 0.2]])
    edges, means = np.array([0.0, 10.0, 40.0]), np.array([5.0, 25.0, 60.0])
    # Half of 0.3 / 0.6 through the second bin; at the very end of the first.
    np.testing.assert_allclose(quantile_time(logits, edges, means, 0.5), [25.0, 10.0])
    # The open bin is exponential: half of its mass lies below 40 + ln 2 x 20.
    beyond = quantile_time(logits, edges, means, 0.9)
    np.testing.assert_allclose(beyond, 40 + 20 * np.log(2), rtol=1e-9)


def test_a_larger_share_is_never_sooner():
    logits = np.array([[0.3, -1.0, 0.2, 2.0]])
    edges, means = np.array([0.0, 1.0, 5.0, 20.0]), np.array([0.4, 3.0, 9.0, 50.0])
    shares = np.linspace(0.01, 0.99, 50)
    found = [quantile_time(logits, edges, means, share)[0] for share in shares]
    assert (np.diff(found) > 0).all()
