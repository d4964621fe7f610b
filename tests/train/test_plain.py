import numpy as np
import pytest
import torch

from endcap.schema import NUM_CONTEXT, ContextColumn, Device
from endcap.train import prepare
from endcap.train.fit import make_trainer
from endcap.train.plain import solve_plain

WEIGHT, SLOPE = 1.2, 0.6
"""Of the popularity, and what an item that was met adds to it, in the planted log-odds."""


@pytest.fixture
def planted(make_dataset):
    """Return a trainer whose clicks come by known log-odds and slots, and their split."""
    prepared = prepare(make_dataset(num_users=400, num_days=12))
    trainer = make_trainer(prepared, prepared.recipe())
    examples, target = prepared.asked.examples, prepared.asked.plan.targets["click"]
    random = np.random.default_rng(4)
    context, table = examples.candidates.context, examples.candidates
    context[:] = 0
    context[:, ContextColumn.POPULARITY] = random.normal(size=len(context))
    context[:, ContextColumn.SAME_ITEM_CLICKS] = random.random(len(context)) < 0.5
    met = context[:, ContextColumn.SAME_ITEM_CLICKS]
    logit = (WEIGHT + SLOPE * met) * context[:, ContextColumn.POPULARITY] + 0.5 * met
    chance = 0.7**table.slot / (1 + np.exp(-logit))
    target.label[:] = random.random(len(context)) < chance
    return trainer, prepared.asked.plan.facts.split


def test_the_solver_finds_planted_weights_and_slots(planted):
    trainer, split = planted
    network = trainer.network
    solve_plain(network, trainer.batcher, split)
    row = network.plain.linear.weight[network.slices["click"]][0]
    again = NUM_CONTEXT + 1
    assert row[ContextColumn.POPULARITY] == pytest.approx(WEIGHT, abs=0.15)
    assert row[again + ContextColumn.POPULARITY] == pytest.approx(SLOPE, abs=0.2)
    log_e = network.examination.log()[0, Device.MOBILE].detach()
    torch.testing.assert_close(log_e[:3], torch.arange(3) * np.log(0.7), atol=0.15, rtol=0)
