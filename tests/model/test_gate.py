import numpy as np
import pytest
import torch

from endcap.errors import ConfigError
from endcap.model import ModelConfig
from endcap.model.gate import CountGate


@pytest.mark.parametrize("half", [0.1, 1.0, 5.0, 100.0])
def test_the_gate_rises_with_the_count_and_is_shut_for_what_was_never_met(half):
    gate = CountGate(np.array([0, 1, 2, 5, 100]), half=half)
    found = gate().detach()
    assert found[0] == 0
    assert (found.diff() > 0).all() and found[-1] < 1
    torch.testing.assert_close(gate(torch.tensor([3])).detach(), found[3:4])


def test_the_gate_is_half_open_at_the_count_that_is_learned():
    gate = CountGate(np.array([4, 8]), half=4.0)
    torch.testing.assert_close(gate().detach(), torch.tensor([0.5, 2 / 3]))
    gate().sum().backward()
    assert gate.log_half.grad.item() < 0  # fewer events needed, and the gates open


def test_without_a_gate_every_item_that_was_met_has_its_whole_id():
    gate = CountGate(np.array([0, 1, 50]), half=0.0)
    assert gate().tolist() == [0, 1, 1]
    assert not list(gate.parameters())


def test_a_gate_below_zero_is_refused():
    with pytest.raises(ConfigError, match=r"ModelConfig.gate must be 0 or more, got -1"):
        ModelConfig(gate=-1.0)
