import pytest
import torch

from endcap.schema import Binary
from endcap.train.batches import TargetBatch
from endcap.train.calibration import PLAIN_PRIORS, SHIFT_PRIOR, SLOPE_PRIOR, Collected, _fit

CART = Binary(name="cart", event_type="add_to_cart", space="clicks")
FREE = (SLOPE_PRIOR, SHIFT_PRIOR)


def fitted(outputs, labels, priors):
    count = len(labels)
    target = TargetBatch(place=torch.arange(count), label=torch.tensor(labels, dtype=torch.float32))
    nothing = torch.zeros(count)
    logits = torch.tensor(outputs, dtype=torch.float32)[:, None]
    rows = Collected(outputs=logits, target=target, cell=nothing.long(), log_offset=nothing)
    return _fit(CART, rows, priors=priors)


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
