"""Likelihoods against sums over all that could have happened."""

import numpy as np
import pytest
import torch
from scipy.stats import nbinom

from endcap.model import (
    click_loss,
    count_loss,
    delay_loss,
    dwell_loss,
    next_loss,
    squared_loss,
    squared_time_loss,
)

ONE = torch.ones(1)


def softmax(logits):
    weights = np.exp(np.array(logits))
    return weights / weights.sum()


def test_a_click_by_hand():
    e, q = 0.5, 1 / (1 + np.exp(-0.7))
    for label, chance in ((1.0, e * q), (0.0, 1 - e * q)):
        loss = click_loss(torch.tensor([0.7]), torch.tensor([np.log(e)]).float(), label * ONE)
        assert loss.item() == pytest.approx(-np.log(chance), rel=1e-5)


def test_a_certain_click_that_did_not_come_has_a_finite_loss():
    logit = torch.tensor([40.0], requires_grad=True)
    loss = click_loss(logit, torch.zeros(1), torch.zeros(1))
    loss.sum().backward()
    assert loss.isfinite().all()
    assert logit.grad.isfinite().all()


DWELL = [0.3, -0.5, 1.0, 0.1]


def dwell(bin_, observed, share):
    row = torch.tensor([DWELL])
    return dwell_loss(
        row, torch.tensor([bin_]), torch.tensor([observed]), torch.tensor([share])
    ).item()


def test_a_whole_dwell_and_a_cut_one_by_hand():
    f = softmax(DWELL)
    assert dwell(1, True, 0.4) == pytest.approx(-np.log(f[1]), rel=1e-5)
    assert dwell(1, False, 0.4) == pytest.approx(-np.log(0.6 * f[1] + f[2] + f[3]), rel=1e-5)
    assert dwell(0, False, 0.0) == pytest.approx(0, abs=1e-6)
    assert dwell(3, False, 0.0) == pytest.approx(-np.log(f[3]), rel=1e-5)


DELAY = [-0.4, 0.2, -0.3, 0.9]


def delay(bin_, observed, limit_bin, share, offset=0.0):
    return delay_loss(
        torch.tensor([DELAY]),
        torch.tensor([bin_]),
        torch.tensor([observed]),
        torch.tensor([limit_bin]),
        torch.tensor([share]),
        torch.tensor([offset]),
    ).item()


PI, F = 1 / (1 + np.exp(0.4)), softmax(DELAY[1:])


@pytest.mark.parametrize(("limit_bin", "share"), [(2, 1.0), (1, 0.25), (0, 0.5)])
def test_a_cure_model_by_enumeration(limit_bin, share):
    watched = PI * (F[:limit_bin].sum() + share * F[limit_bin])
    assert delay(0, False, limit_bin, share) == pytest.approx(-np.log(1 - watched), rel=1e-5)
    for bin_ in range(limit_bin + 1):
        assert delay(bin_, True, limit_bin, share) == pytest.approx(-np.log(PI * F[bin_]), rel=1e-5)


def test_chances_of_a_watched_horizon_add_up_to_one():
    ends = [np.exp(-delay(bin_, True, 2, 1.0)) for bin_ in range(3)]
    assert sum(ends) + np.exp(-delay(0, False, 2, 1.0)) == pytest.approx(1, rel=1e-5)


def test_sampled_odds_by_bayes_rule():
    buyers, others = 1.0, 0.1  # rates at which they are kept
    watched = PI * (F[0] + 0.5 * F[1])
    kept = watched * buyers + (1 - watched) * others
    offset = float(np.log(buyers / others))
    assert delay(0, False, 1, 0.5, offset) == pytest.approx(
        -np.log((1 - watched) * others / kept), rel=1e-5
    )
    seen_in_first = F[0] / (F[0] + 0.5 * F[1])
    assert delay(0, True, 1, 0.5, offset) == pytest.approx(
        -np.log(watched * buyers / kept * seen_in_first), rel=1e-5
    )


def test_sampled_rows_give_back_the_worlds_chance():
    random = np.random.default_rng(0)
    bought = random.random(40_000) < 0.05
    kept = bought | (random.random(40_000) < 0.1)
    label = torch.from_numpy(bought[kept])
    outputs = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    zero = torch.zeros(len(label), dtype=torch.long)
    one, offset = torch.ones(len(label)).double(), torch.full((len(label),), np.log(10.0)).double()
    optimizer = torch.optim.LBFGS([outputs], max_iter=30, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        rows = outputs.expand(len(label), -1)
        loss = delay_loss(rows, zero, label, zero + 1, one, offset).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert torch.sigmoid(outputs[0, 0]).item() == pytest.approx(bought.mean(), rel=0.05)


def test_a_group_of_next_items_by_hand():
    logits = torch.tensor([[1.0, 0.0, -1.0], [0.0, 0.0, 0.0]])
    log_p = np.log(softmax([1.0, 0.0, -1.0]))
    row, item = torch.tensor([0, 0, 1]), torch.tensor([0, 1, 2])
    found = next_loss(logits, row, item, torch.tensor([1.0, 1.0, 4.0])).item()
    group, alone = -(log_p[0] + log_p[1]) / 2, np.log(3)
    assert found == pytest.approx((group + 4 * alone) / 5, rel=1e-5)


def test_a_count_is_a_negative_binomial():
    mean, size = 2.5, 0.7
    outputs = torch.tensor([[np.log(mean), np.log(size)]] * 4).double()
    counts = torch.tensor([0, 1, 3, 40])
    wanted = -nbinom.logpmf(counts.numpy(), size, size / (size + mean))
    np.testing.assert_allclose(count_loss(outputs, counts), wanted, rtol=1e-6)


def test_a_squared_error_weighs_what_came():
    logit, log_e = torch.zeros(2), torch.tensor([0.5, 0.5]).log()
    found = squared_loss(logit, log_e, torch.tensor([1.0, 0.0]), 4.0)
    np.testing.assert_allclose(found, [4 * 0.75**2, 0.25**2], rtol=1e-6)


def test_a_squared_time_is_the_error_of_the_mean_and_one_sided_where_it_was_cut_off():
    logits = torch.tensor([[0.0, 0.0, -40.0]] * 4)  # one half at 10 s, one half at 20 s: 15 s
    bins = torch.tensor([10.0, 20.0, 90.0])
    seconds, observed = torch.tensor([10.0, 20.0, 12.0, 20.0]), torch.tensor([1, 1, 0, 0]) > 0
    found = squared_time_loss(logits, bins, seconds, observed)
    np.testing.assert_allclose(found, [25, 25, 0, 25], rtol=1e-5)
