import pytest
import torch

from endcap.schema import NUM_CONTEXT


def answers_of(network, constants):
    """Answer about nothing at all: what stands there are the constants."""
    network.start_at(constants)
    return network.leans(network.plain(torch.zeros(1, 1, NUM_CONTEXT), None))[0, 0]


def test_rarer_tasks_lean_on_tasks_like_them(make_network):
    network = make_network()
    names = {slice_.start: name for name, slice_ in network.slices.items()}
    leans = [(names[child], names[parent]) for child, parent in network.leans.pairs]
    assert leans == [
        ("ad_click", "click"),
        ("buy", "cart"),
        ("ad_buy", "cart"),
        ("ad_buy", "buy"),
    ]


def test_constant_answers_hold_for_tasks_that_lean(make_network):
    network = make_network()
    constants = {"click": [-2.0], "cart": [-1.0], "ad_click": [-3.0]}
    for name, level in (("buy", -4.0), ("ad_buy", -5.0)):
        constants[name] = [level] * (network.slices[name].stop - network.slices[name].start)
    found = answers_of(network, constants)
    for name, values in constants.items():
        assert found[network.slices[name].start].item() == pytest.approx(values[0]), name
