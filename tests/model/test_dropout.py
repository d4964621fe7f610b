import pytest
import torch

from endcap.model.dropout import Dropout


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_numbers_go_at_the_rate_and_the_mean_stays(rate):
    torch.manual_seed(0)
    dropped = Dropout(rate)(torch.ones(1_000, 1_001))
    assert (dropped == 0).float().mean() == pytest.approx(rate, abs=0.003)
    assert dropped.mean() == pytest.approx(1.0, abs=0.01)


def test_every_place_is_dropped_alike():
    torch.manual_seed(0)
    shares = (Dropout(0.5)(torch.ones(100_000, 16)) == 0).float().mean(0)
    torch.testing.assert_close(shares, torch.full((16,), 0.5), atol=0.01, rtol=0)


def test_the_same_seed_drops_the_same_and_the_gradient_goes_where_the_number_stayed():
    x = torch.ones(7, 13, requires_grad=True)
    torch.manual_seed(3)
    first = Dropout(0.5)(x)
    torch.manual_seed(3)
    torch.testing.assert_close(first, Dropout(0.5)(x))
    first.sum().backward()
    torch.testing.assert_close(x.grad, first.detach())


def test_nothing_is_dropped_in_evaluation_or_at_rate_zero():
    x = torch.randn(5, 5)
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x
