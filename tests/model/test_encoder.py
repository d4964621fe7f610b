import pytest
import torch

from endcap.errors import ConfigError
from endcap.model import ModelConfig
from endcap.model.encoder import low_pass_kernel
from endcap.model.network import last_state


def read(network, length, width=6, seed=1, change=None):
    """Encode one window of random events; `change` turns the item at one place round."""
    torch.manual_seed(seed)
    item = torch.randn(1, 6, 8)
    columns = [torch.randint(1, 4, (1, 6)) for _ in range(3)] + [
        torch.zeros(1, 6, dtype=torch.long)
    ]
    clock = torch.randn(1, 6, 4)
    if change is not None:
        item[0, change] *= -1
    cut = [column[:, :width] for column in (item, *columns, clock)]
    return network.encoder(*cut, torch.tensor([length]))


KINDS = pytest.mark.parametrize("encoder", ["transformer", "lstm", "gru"])


@KINDS
def test_padding_never_changes_a_state(make_network, encoder):
    network = make_network(encoder=encoder)
    narrow, wide = read(network, 3, width=3), read(network, 3, width=6)
    torch.testing.assert_close(narrow[:, :3], wide[:, :3])
    assert wide[:, 3:].abs().sum() == 0
    changed = read(network, 3, width=6, change=4)
    torch.testing.assert_close(wide, changed, rtol=0, atol=0)


@KINDS
def test_a_later_event_never_changes_an_earlier_state(make_network, encoder):
    causal = make_network(low_pass=0.0, encoder=encoder)
    before, after = read(causal, 6), read(causal, 6, change=4)
    torch.testing.assert_close(before[:, :4], after[:, :4], rtol=0, atol=0)
    assert (before[:, 4:] - after[:, 4:]).abs().amax(-1).min() > 1e-4


def test_each_kind_reads_in_its_own_way(make_network):
    kinds = {
        kind: type(make_network(encoder=kind).encoder.blocks[0].cell) for kind in ("lstm", "gru")
    }
    assert kinds == {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def test_the_low_pass_looks_both_ways_in_a_window_that_ended_before_the_question(make_network):
    both = make_network(low_pass=0.7)
    difference = (read(both, 6) - read(both, 6, change=4)).abs().amax(-1)[0]
    assert (difference > 1e-6).all()


def test_the_kernel_is_the_sum_of_the_lowest_frequencies():
    kernel = low_pass_kernel(60)
    assert kernel[0, 0] == pytest.approx(5 / 50)
    assert kernel[3, 28] == pytest.approx((1 - 2 + 2) / 50)  # half the circle away
    assert kernel[3, 29] == 0
    torch.testing.assert_close(kernel, kernel.T)


def test_the_last_state_of_an_empty_history_is_zero(make_network):
    assert last_state(read(make_network(), 0), torch.tensor([0])).abs().sum() == 0
    states = read(make_network(), 4)
    torch.testing.assert_close(last_state(states, torch.tensor([4])), states[:, 3])


def test_places_count_from_the_end(make_network):
    network = make_network(low_pass=0.0)
    with torch.no_grad():
        network.encoder.place.weight[3:] += 5  # places that a window of three never reaches
    short = read(network, 3, width=3)
    with torch.no_grad():
        network.encoder.place.weight[3:] -= 5
    torch.testing.assert_close(short, read(network, 3, width=3))


def test_width_that_does_not_divide_names_the_remedy():
    with pytest.raises(ConfigError, match=r"multiple of num_heads=2, got 65; the nearest is 64"):
        ModelConfig(dim=65)


def test_an_unknown_encoder_names_those_there_are():
    with pytest.raises(ConfigError, match=r"one of transformer, lstm, gru, got 'rnn'"):
        ModelConfig(encoder="rnn")


def test_a_model_that_reads_nothing_is_refused():
    with pytest.raises(ConfigError, match=r"max_history must be 1 or more, got 0"):
        ModelConfig(max_history=0)


def test_a_wrong_shape_is_told_as_it_runs(make_network):
    with pytest.raises(TypeError, match="Type-check error"):
        make_network().next(torch.randn(2, 8), torch.randn(3, 8), torch.ones(2, dtype=torch.long))
