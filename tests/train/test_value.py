"""The value-weighted objective: attention weighs rows, money weighs dwell against purchase."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch

from endcap.model import ModelConfig
from endcap.schema import Action, Hazard, Split
from endcap.train import TrainConfig
from endcap.train.losses import batch_losses
from endcap.train.prepared import prepare
from endcap.train.starting import make_trainer
from endcap.train.value import value_weights

CONFIG = TrainConfig(
    model=ModelConfig(dim=8, max_history=6, hidden=8, num_blocks=1, dropout=0.0),
    epochs=1,
    batch_size=128,
    value_weighted=True,
)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def prepared(dataset):
    return prepare(dataset)


@pytest.fixture(scope="module")
def trainer(prepared):
    return make_trainer(prepared, CONFIG)


def task_of(trainer, name):
    return next(task for task in trainer.network.tasks if task.name == name)


def rows_of(trainer, click_logits, seconds):
    """Return raw answers of rows with these log-odds of a click, held for about these seconds."""
    network, bins = trainer.network, trainer.value.bin_seconds
    answers = torch.zeros(len(click_logits), network.candidates.answers.out_features)
    answers[:, network.slices["click"].start] = torch.tensor(click_logits)
    place = [int((bins - each).abs().argmin()) for each in seconds]
    block = torch.full((len(seconds), len(bins)), -30.0)
    block[torch.arange(len(place)), place] = 30.0
    answers[:, network.slices["dwell"]] = block
    return answers, bins[place]


def test_a_rows_share_is_that_of_its_expected_attention(trainer):
    answers, held = rows_of(trainer, [0.0, 0.0, -30.0], [5.0, 40.0, 40.0])
    log_e = torch.log(torch.tensor([1.0, 0.5, 0.5]))
    alpha = trainer.value.attention(trainer.network, task_of(trainer, "dwell"), answers, log_e)
    # a = e (1 + q t); q is one half of a click's log-odds of 0.
    expected = torch.stack([1 + held[0] / 2, 0.5 * (1 + held[1] / 2), torch.tensor(0.5)])
    torch.testing.assert_close(alpha, 3 * expected / expected.sum())


def test_a_sampled_pair_is_taken_as_looked_at(trainer):
    answers, _ = rows_of(trainer, [0.0, 0.0], [5.0, 5.0])
    log_e = torch.log(torch.tensor([1.0, 0.1]))
    purchase = task_of(trainer, "purchase")
    alpha = trainer.value.attention(trainer.network, purchase, answers, log_e)
    assert alpha.tolist() == [1.0, 1.0]


def test_no_gradient_flows_through_attention(trainer):
    answers, _ = rows_of(trainer, [0.0, 1.0], [5.0, 40.0])
    answers.requires_grad_()
    alpha = trainer.value.attention(
        trainer.network, task_of(trainer, "dwell"), answers, torch.zeros(2)
    )
    assert not alpha.requires_grad


def losses_of(trainer, value):
    network = trainer.network.eval()
    batch = trainer.batcher.lay_out(trainer.train_rows[:600])
    found = batch_losses(network, batch, network.items(), value=value)
    return {name: float(part.total.detach()) for name, part in found.items()}


def test_rows_of_dwell_and_purchase_alone_are_weighed(trainer):
    trainer.network.examination.steps.data.normal_()  # so that slots differ
    plain, weighed = losses_of(trainer, None), losses_of(trainer, trainer.value)
    moved = {name for name in plain if plain[name] != pytest.approx(weighed[name], rel=1e-6)}
    assert {"dwell"} <= moved <= trainer.value.tasks
    assert "click" not in trainer.value.tasks
    assert "any_purchase" not in trainer.value.tasks


def test_dwell_and_purchase_share_their_lambdas_by_money(prepared):
    dataset, plan = prepared.dataset, prepared.asked.plan
    events = dataset.histories.events.copy()
    events["price_micros"] = np.where(events["action"] == Action.PURCHASE, 40_000_000, -1)
    priced = replace(dataset, histories=replace(dataset.histories, events=events))
    lambdas = {task.name: 0.5 for task in plan.tasks}
    found = value_weights(priced, plan, lambdas, CPU).lambdas

    def came(name):
        target = plan.targets[name]
        return target.asked & target.observed & (plan.facts.split == Split.TRAIN)

    worth = {"dwell": 5_000 * plan.targets["dwell"].seconds[came("dwell")].sum()}
    for task in plan.tasks:
        is_delay = isinstance(task, Hazard) and task.measures == "delay"
        if is_delay and task.event_type == "purchase" and task.space != "shoppers":
            worth[task.name] = 0.3 * 40_000_000 * came(task.name).sum()
    # Snapshots ask of one purchase again and again; it brings its money once.
    is_purchase = (events["action"] == Action.PURCHASE) & (dataset.event_split == Split.TRAIN)
    worth["purchase"] = 0.3 * 40_000_000 * is_purchase.sum()
    assert len(worth) > 1
    for name, micros in worth.items():
        share = micros / sum(worth.values())
        assert found[name] == pytest.approx(share * 0.5 * len(worth), rel=1e-5)
    others = found.keys() - worth.keys()
    assert {found[name] for name in others} == {0.5}


def test_a_log_without_prices_keeps_its_lambdas(prepared):
    dataset, plan = prepared.dataset, prepared.asked.plan
    events = dataset.histories.events.copy()
    events["price_micros"] = -1
    priceless = replace(dataset, histories=replace(dataset.histories, events=events))
    lambdas = {task.name: 0.5 for task in plan.tasks}
    assert value_weights(priceless, plan, lambdas, CPU).lambdas == lambdas


def test_it_is_off_by_default_and_validation_stays_as_it_is(prepared, trainer):
    plain = make_trainer(prepared, msgspec.structs.replace(CONFIG, value_weighted=False))
    assert plain.value is None
    fresh = make_trainer(prepared, CONFIG)
    assert fresh.validation_losses() == plain.validation_losses()
    assert fresh.weights == plain.weights
    assert TrainConfig().value_weighted is False
