import pytest
import torch

from endcap.model import Answers
from endcap.schema import Binary, NextCategory
from endcap.train.batch import TargetBatch
from endcap.train.calibration import PLAIN_PRIORS, SHIFT_PRIOR, SLOPE_PRIOR, Collected, _fit

CART = Binary(name="cart", event_type="add_to_cart", space="clicks")
FREE = (SLOPE_PRIOR, SHIFT_PRIOR)
NOWHERE = torch.zeros(1, 1, 1)


def judged(plain, deep, labels):
    """Lay answers [N, K] and labels side by side as calibration collects them."""
    count = len(labels)
    target = TargetBatch(place=torch.arange(count), label=labels)
    answers = Answers(plain=plain.double(), deep=deep.double())
    nothing = torch.zeros(count, dtype=torch.float64)
    return Collected(answers=answers, target=target, cell=nothing.long(), log_offset=nothing)


def fitted(outputs, labels, priors):
    logits = torch.tensor(outputs, dtype=torch.float32)[:, None]
    parts = judged(logits, logits, torch.tensor(labels, dtype=torch.float32))
    return _fit(CART, parts, NOWHERE, priors=priors)[1]


def test_many_events_find_slope_and_shift_under_either_prior():
    torch.manual_seed(0)
    outputs = torch.randn(60_000)
    labels = torch.bernoulli(torch.sigmoid(0.5 * outputs - 0.3)).tolist()
    for priors in (FREE, PLAIN_PRIORS):
        found = fitted(outputs.tolist(), labels, priors)
        assert found.slope == pytest.approx(0.5, abs=0.05)
        assert found.shift == pytest.approx(-0.3, abs=0.05)


def test_few_events_move_a_plain_task_little():
    outputs, labels = [-2.0] * 60, [1.0] * 14 + [0.0] * 46  # foretold: 7
    free, plain = (fitted(outputs, labels, priors).shift for priors in (FREE, PLAIN_PRIORS))
    assert free > 0.6  # 14 of 60 are log-odds of -1.19
    assert 0.05 < plain < 0.25


@pytest.mark.parametrize("truth", [0.0, 0.3, 1.0])
def test_many_events_find_how_far_to_trust_the_deep_answer(truth):
    torch.manual_seed(1)
    plain, deep = torch.randn(60_000, 1) - 1.0, 2 * torch.randn(60_000, 1)
    labels = torch.bernoulli(torch.sigmoid(plain + truth * (deep - plain)))[:, 0]
    trust, found = _fit(CART, judged(plain, deep, labels), NOWHERE, priors=FREE)
    assert trust == pytest.approx(truth, abs=0.04)
    assert found.slope == pytest.approx(1.0, abs=0.06)


def test_a_few_events_do_not_decide_for_one_answer():
    plain, deep = torch.full((20, 1), -1.0), torch.full((20, 1), 0.0)
    labels = torch.tensor([1.0] * 10 + [0.0] * 10)  # just as the deep answer says
    assert 0.5 < _fit(CART, judged(plain, deep, labels), NOWHERE, priors=FREE)[0] < 0.75


def test_a_task_of_kinds_learns_its_trust_and_nothing_else():
    torch.manual_seed(2)
    task = NextCategory(name="next_category", categories=("a", "b", "c"))
    plain, deep = torch.randn(20_000, 3), torch.randn(20_000, 3)
    labels = torch.distributions.Categorical(logits=plain + 0.8 * (deep - plain)).sample()
    trust, found = _fit(task, judged(plain, deep, labels), NOWHERE, priors=FREE)
    assert trust == pytest.approx(0.8, abs=0.04)
    assert (found.slope, found.shift) == (1.0, 0.0)
