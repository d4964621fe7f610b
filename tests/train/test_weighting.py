"""Tasks that weigh one another: by a learned uncertainty, and by their pull on what all read."""

import math
from dataclasses import replace

import msgspec
import pytest
import torch

from endcap.errors import ConfigError
from endcap.model import ModelConfig
from endcap.train import TrainConfig
from endcap.train.losses import batch_losses
from endcap.train.prepared import prepare
from endcap.train.starting import make_trainer
from endcap.train.weighting import MOST, TaskWeights

CONFIG = TrainConfig(
    model=ModelConfig(dim=8, max_history=6, hidden=8, num_blocks=1, dropout=0.2),
    epochs=2,
    batch_size=128,
)
ONE = {"a": 1.0, "b": 1.0}


def pulls(states, strength):
    """Return two losses, each of which moves a number of its own."""
    return {"a": 3 * states[0], "b": strength * 4 * states[1]}


def test_fixed_weights_are_the_declared_ones():
    losses = {"a": torch.tensor(2.0), "b": torch.tensor(3.0)}
    found = TaskWeights(["a", "b"]).combine(losses, {"a": 0.5, "b": 2.0})
    assert float(found) == 7.0


def test_uncertainty_settles_where_a_loss_weighs_one_half_over_itself():
    # L exp(-2 s) + s is least where exp(-2 s) = 1 / (2 L).
    weighting = TaskWeights(["a", "b"], "uncertainty")
    (optimiser,) = weighting.optimiser(2e-3)
    for _ in range(1_500):
        optimiser.zero_grad()
        losses = {"a": torch.tensor(0.5), "b": torch.tensor(50.0)}
        weighting.combine(losses, ONE).backward()
        optimiser.step()
    assert weighting.factors() == pytest.approx({"a": 1.0, "b": 0.01}, rel=0.05)


@pytest.mark.parametrize("strength", [1.0, 100.0])
def test_balanced_tasks_pull_alike_however_large_their_losses(strength):
    states = torch.ones(2, requires_grad=True)
    weighting = TaskWeights(["a", "b"], "balanced")
    weighting.measure(pulls(states, strength), states)
    total = weighting.combine(pulls(states, strength), ONE)
    (pull,) = torch.autograd.grad(total, states)
    assert float(pull[1] / pull[0]) == pytest.approx(1.0)
    assert float(pull[0]) == pytest.approx(math.sqrt(3 * 4 * strength))  # the geometric mean


def test_a_declared_lambda_still_counts_when_tasks_are_balanced():
    states = torch.ones(2, requires_grad=True)
    weighting = TaskWeights(["a", "b"], "balanced")
    weighting.measure(pulls(states, 1.0), states)
    total = weighting.combine(pulls(states, 1.0), {"a": 1.0, "b": 0.25})
    (pull,) = torch.autograd.grad(total, states)
    assert float(pull[1] / pull[0]) == pytest.approx(0.25)


def test_a_task_that_moves_nothing_shared_stays_as_declared():
    states, own = torch.ones(2, requires_grad=True), torch.ones(1, requires_grad=True)
    weighting = TaskWeights(["a", "b", "plain"], "balanced")
    weighting.measure(pulls(states, 1.0) | {"plain": own.sum()}, states)
    assert weighting.factors()["plain"] == 1.0


def test_a_gradient_of_almost_nothing_is_not_raised_without_end():
    states = torch.ones(2, requires_grad=True)
    weighting = TaskWeights(["a", "b"], "balanced")
    weighting.measure(pulls(states, 1e-8), states)
    assert weighting.factors()["b"] == MOST


@pytest.fixture(scope="module")
def prepared(dataset):
    return prepare(dataset)


def shared_pull(prepared, how, times):
    """Return by task the length of what moves the shared states, a click's loss `times` larger."""
    trainer = make_trainer(prepared, msgspec.structs.replace(CONFIG, weighting=how))
    torch.nn.init.normal_(trainer.network.candidates.answers.weight, std=0.1)
    trainer.scales["click"] /= times
    trainer._train_epoch(0)
    factors, meter = trainer.weighting.factors(), TaskWeights(list(trainer.scales), "balanced")
    batch = trainer.batcher.lay_out(trainer.train_rows[:512])
    read = trainer.network.read(vectors := trainer.network.items(), batch.history)
    meter.measure(trainer._means(batch_losses(trainer.network, batch, vectors, read=read)), read[0])
    return {
        name: float(norm) * factors[name]
        for name, norm in zip(meter.names, meter.norm, strict=True)
    }


def test_a_task_whose_loss_is_a_hundred_times_larger_dominates_unless_balanced(prepared):
    fixed = shared_pull(prepared, "fixed", 100.0)
    balanced = shared_pull(prepared, "balanced", 100.0)
    # Over five seeds the first is 9 to 14 times, the second .5 to 1.1 times.
    assert fixed["click"] > 6 * fixed["next"]
    assert balanced["click"] < 2 * balanced["next"]


def states_of(trainer):
    return trainer.weighting.state_dict()


@pytest.mark.parametrize("how", ["uncertainty", "balanced"])
def test_a_killed_fit_goes_on_to_the_same_weights_of_tasks(prepared, tmp_path, how):
    class Killed(Exception):
        pass

    def kill(what, done, total):
        if what.startswith("epoch 2 ") and done == 2:
            raise Killed

    config = msgspec.structs.replace(CONFIG, weighting=how)
    whole = make_trainer(prepared, config)
    whole.fit()
    with pytest.raises(Killed):
        make_trainer(prepared, config, run_folder=tmp_path, report=kill).fit()
    resumed = make_trainer(prepared, config, run_folder=tmp_path)
    resumed.fit()
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, resumed.network.state_dict()[name]), name
    for name, tensor in states_of(whole).items():
        assert torch.equal(tensor, states_of(resumed)[name]), name
    moved = states_of(whole)["log_sigma" if how == "uncertainty" else "norm"]
    assert (moved != 0).any()


def test_a_checkpoint_of_other_weights_of_tasks_is_refused(prepared, tmp_path):
    make_trainer(prepared, CONFIG, run_folder=tmp_path).fit()
    other = msgspec.structs.replace(CONFIG, weighting="balanced")
    with pytest.raises(ConfigError, match=r"weighting was fixed, now it is balanced"):
        make_trainer(prepared, other, run_folder=tmp_path).fit()


def test_a_weighting_that_is_not_there_is_told():
    with pytest.raises(ConfigError, match="fixed, uncertainty, balanced, got 'gradnorm'"):
        TrainConfig(weighting="gradnorm")


def test_the_shops_own_wish_reaches_its_recipe(dataset):
    train = msgspec.structs.replace(dataset.shop.train, weighting="balanced", value_weighted=True)
    wishing = replace(dataset, shop=msgspec.structs.replace(dataset.shop, train=train))
    recipe = prepare(wishing).recipe()
    assert (recipe.weighting, recipe.value_weighted) == ("balanced", True)
