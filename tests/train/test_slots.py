"""Slots on validation days: a planted world where the fourth is looked at less than was learned."""

import pytest
import torch

from endcap.train.slots import ShownRows, fit_shown, held

PRIORS = (1.0, 0.5)
TRUE_E = (1.0, 0.8, 0.6, 0.25)


def shown(e, *, count=40_000, shift=0.0, seed=0, devices=3):
    """Show each slot of one placement equally often; a click needs a look."""
    random = torch.Generator().manual_seed(seed)
    logit = torch.randn(count, generator=random) - 1.0
    slot = torch.arange(count) % len(e)
    device = torch.randint(devices, (count,), generator=random)
    chance = torch.tensor(e)[slot] * torch.sigmoid(logit + shift)
    label = torch.bernoulli(chance, generator=random)
    cell = device * len(e) + slot
    return ShownRows(logit=logit, label=label, cell=cell, priors=PRIORS)


def trained(*e, devices=3):
    return torch.tensor(e).log().expand(1, devices, -1)


def test_a_slot_that_is_looked_at_less_than_was_learned_is_found():
    found = fit_shown({"click": shown(TRUE_E)}, trained(1.0, 0.8, 0.6, 0.5))
    e = found.log_e.exp()[0]
    for device in range(3):
        assert e[device].tolist() == pytest.approx(TRUE_E, abs=0.05)
    slope, shift = found.lines["click"]
    assert slope == pytest.approx(1.0, abs=0.1) and shift == pytest.approx(0.0, abs=0.1)


def test_few_rows_leave_a_slot_about_where_it_was():
    found = fit_shown({"click": shown(TRUE_E, count=200)}, trained(1.0, 0.8, 0.6, 0.5))
    assert found.log_e.exp()[0, 0].tolist() == pytest.approx((1.0, 0.8, 0.6, 0.5), abs=0.1)


def test_what_all_slots_have_in_common_goes_into_the_shift_of_q():
    found = fit_shown({"click": shown((1.0, 0.8, 0.6, 0.5), shift=-0.7)}, trained(1, 0.8, 0.6, 0.5))
    assert found.lines["click"][1] == pytest.approx(-0.7, abs=0.08)
    assert found.log_e.exp()[0, 0].tolist() == pytest.approx((1.0, 0.8, 0.6, 0.5), abs=0.05)


def test_tasks_share_their_slots_and_keep_lines_of_their_own():
    tasks = {"click": shown(TRUE_E), "ad_click": shown(TRUE_E, shift=0.9, seed=1)}
    found = fit_shown(tasks, trained(1.0, 0.8, 0.6, 0.5))
    assert found.log_e.exp()[0, 0].tolist() == pytest.approx(TRUE_E, abs=0.04)
    assert found.lines["click"][1] == pytest.approx(0.0, abs=0.1)
    assert found.lines["ad_click"][1] == pytest.approx(0.9, abs=0.1)


def test_a_shop_of_one_slot_is_left_as_it_is():
    found = fit_shown({"click": shown((0.4,))}, trained(1.0))
    assert torch.equal(found.log_e, torch.zeros(1, 3, 1, dtype=torch.float64))


def test_no_slot_is_looked_at_more_than_an_earlier_one_and_the_best_is_the_measure():
    log_e = torch.tensor([[[0.1, -0.5, -0.2]], [[-0.4, -0.6, -0.9]]])
    expected = torch.tensor([[[0.0, -0.6, -0.6]], [[-0.5, -0.7, -1.0]]])
    torch.testing.assert_close(held(log_e), expected)
    found = fit_shown({"click": shown((1.0, 0.5, 0.9), devices=1)}, trained(1, 0.7, 0.6, devices=1))
    e = found.log_e.exp()[0, 0].tolist()
    assert e[1] == pytest.approx(e[2]) and 0.6 < e[1] < 0.8
