from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch

from endcap.errors import LogError
from endcap.model import ModelConfig
from endcap.schema import Action, Hazard, NextCategory, NextItem, Split
from endcap.train import TrainConfig, choose_recipe, fit
from endcap.train.checkpoint import Progress
from endcap.train.loop import Trainer

CONFIG = TrainConfig(
    model=ModelConfig(dim=8, max_history=6, hidden=8, num_blocks=1, dropout=0.2),
    epochs=3,
    batch_size=128,
    averaged_steps=5.0,
    patience=3,
)


@pytest.fixture(scope="module")
def shop(dataset):
    return dataset


@pytest.fixture(scope="module")
def whole(shop):
    return fit(shop, config=CONFIG)


def weights(fitted):
    return {name: t.clone() for name, t in fitted.network.state_dict().items()}


def assert_same_weights(one, two):
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, two[name]), name


def test_one_seed_gives_the_same_weights(shop, whole):
    assert_same_weights(weights(fit(shop, config=CONFIG)), weights(whole))


def test_another_seed_gives_other_weights(shop, whole):
    other = fit(shop, config=msgspec.structs.replace(CONFIG, seed=1, epochs=1))
    assert not torch.equal(other.network.items.ids, whole.network.items.ids)


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_a_killed_fit_goes_on_to_the_same_weights(shop, whole, tmp_path, epoch):
    class Killed(Exception):
        pass

    def kill(what, done, total):
        if what.startswith(f"epoch {epoch} ") and done == 2:
            raise Killed

    with pytest.raises(Killed):
        fit(shop, config=CONFIG, run_folder=tmp_path, report=kill)
    asked = []
    resumed = fit(
        shop, config=CONFIG, run_folder=tmp_path, report=lambda what, *_: asked.append(what)
    )
    first = next(what for what in asked if what.startswith("epoch"))
    assert first == f"epoch {epoch} of 3"
    assert_same_weights(weights(resumed), weights(whole))
    assert resumed.calibration == whole.calibration
    assert resumed.mix == whole.mix


def test_a_finished_fit_started_again_trains_no_more(shop, whole, tmp_path):
    fit(shop, config=CONFIG, run_folder=tmp_path)
    asked = []
    again = fit(shop, config=CONFIG, run_folder=tmp_path, report=lambda *a: asked.append(a[0]))
    assert not [what for what in asked if what.startswith("epoch")]
    assert_same_weights(weights(again), weights(whole))


def test_early_stopping_keeps_the_weights_of_the_best_epoch(shop, whole, monkeypatch):
    totals = iter([3.0, 1.0, 2.0, 2.5])
    kept = []

    def losses(trainer):
        kept.append({k: v.clone() for k, v in trainer.network.state_dict().items()})
        return {"next": 0.0}

    monkeypatch.setattr(Trainer, "validation_losses", losses)
    monkeypatch.setattr(Trainer, "combined", lambda trainer, found: next(totals))
    config = msgspec.structs.replace(CONFIG, epochs=9, patience=2)
    fitted = fit(shop, config=config)
    assert len(kept) == 4  # two epochs without a better one end it
    assert (fitted.progress.best_epoch, fitted.progress.best_loss) == (1, 1.0)
    calibrated = {name: tensor for name, tensor in weights(fitted).items() if name != "trust"}
    assert_same_weights(calibrated, {name: kept[1][name] for name in calibrated})


def test_training_lowers_the_loss(whole):
    losses = [epoch.objective for epoch in whole.progress.history]
    assert losses[-1] < losses[0]


def test_left_out_tasks_tell_their_reason(shop):
    goal = Hazard(name="save", measures="delay", space="all", event_type="favorite")
    tasks = (*shop.shop.tasks, goal)
    made = replace(shop, shop=msgspec.structs.replace(shop.shop, tasks=tasks))
    made = replace(
        made, impressions=made.impressions[:0], impression_split=made.impression_split[:0]
    )
    plan = fit(made, config=msgspec.structs.replace(CONFIG, epochs=1)).plan
    assert [task.name for task in plan.tasks] == [
        "next", "purchase", "any_purchase", "return", "next_category"
    ]  # fmt: skip
    assert plan.left_out["clicks"].startswith("needs 30 shoppers' instants with such an event")
    assert (
        plan.left_out["click"]
        == "needs 30 events of type click on shown slots on training days, found 0"
    )
    assert plan.left_out["ad_click"].startswith(
        "needs 30 events of type click on shown slots of ads"
    )
    assert plan.left_out["buy"].startswith("needs 30 events after a click on a shown slot")
    assert plan.left_out["save"].startswith(
        "one task of the space 'all' is sampled, and that is pur"
    )


def test_the_next_price_band_is_a_task_by_three_lines(make_dataset):
    """A shopper likes every third item, and here each third costs the same."""
    made = make_dataset(num_users=120)
    made.catalogue.price_micros[:] = [
        10_000_000 * (1 + k % 3) for k in range(made.catalogue.num_items)
    ]
    tasks = (
        NextItem(),
        NextCategory(name="next_price", of="price"),
        NextCategory(name="x", of="y"),
    )
    made = replace(made, shop=msgspec.structs.replace(made.shop, tasks=tasks))
    found = fit(made, config=msgspec.structs.replace(CONFIG, epochs=6))
    assert found.plan.left_out == {
        "x": "needs 2 to 128 values of y among the items of training days"
    }
    (_, task), target = found.tasks, found.plan.targets["next_price"]
    assert task.categories == ("up to 10", "10 to 20", "20 to 30")
    asked = target.asked & (found.plan.facts.split == Split.VALIDATION)
    likes = found.plan.facts.user[asked] % 3
    assert (target.category[asked] == likes).mean() > 0.6  # they click on others as well
    losses = found.progress.history[-1].validation
    assert losses["next_price"] < np.log(3) - 0.1


def test_a_log_that_teaches_nothing_says_what_it_lacks(make_log):
    rows = [(u, 86_400_000_000, 0, Action.VIEW) for u in range(3)]
    lacks = r"teaches no task: next needs 30 shoppers' next events on training days, found 0; click"
    with pytest.raises(LogError, match=lacks):
        fit(make_log(rows), config=CONFIG)


def test_an_empty_log_says_what_it_lacks(make_log):
    with pytest.raises(LogError, match="The log teaches no task"):
        fit(make_log([]), config=CONFIG)


def test_examination_was_learned_where_positions_varied(whole, shop):
    table = whole.item_arrays()["examination"]
    assert table.shape == (1, 3, 5)
    assert (np.diff(table, axis=-1) <= 0).all()


def test_a_bins_mean_lies_in_the_bin(whole):
    edges, means = np.array(whole.plan.dwell_edges_ms), np.array(whole.dwell_means_ms())
    assert ((means >= edges[:-1]) & (means <= edges[1:])).all()


def test_a_sparse_log_takes_the_short_recipe():
    sparse = choose_recipe(num_questions=9, num_candidates=0, median_history=4.0, seed=3)
    assert (sparse.model.max_history, sparse.seed) == (20, 3)
    rich = choose_recipe(num_questions=9_000, num_candidates=9, median_history=60.0)
    assert rich.model.max_history == 100


def test_progress_starts_before_the_first_epoch():
    assert (Progress().epoch, Progress().best_epoch) == (0, -1)


def trainer_of(fitted, averaged_steps):
    return Trainer(
        network=fitted.network,
        batcher=fitted.batcher,
        config=msgspec.structs.replace(CONFIG, averaged_steps=averaged_steps),
        train_rows=np.arange(600),
        validation_rows=np.arange(10),
        scales={task.name: 1.0 for task in fitted.tasks},
        rates={task.name: 100.0 for task in fitted.tasks},
        weights={task.name: 1.0 for task in fitted.tasks},
        ridge={},
    )


@pytest.mark.parametrize(("averaged_steps", "shares"), [(1.0, [0, 0, 1]), (2.0, [0.25, 0.25, 0.5])])
def test_what_is_served_is_the_average_of_the_last_steps(shop, averaged_steps, shares):
    fitted = fit(shop, config=msgspec.structs.replace(CONFIG, epochs=1))
    trainer, seen = trainer_of(fitted, averaged_steps), []
    fitted.network.train()
    for step in range(3):
        trainer._step(np.arange(step * 200, step * 200 + 200))
        seen.append(fitted.network.items.ids.detach().clone())
    assert not torch.equal(seen[0], seen[2])
    with pytest.raises(KeyError), trainer.averaged.serving():
        served = fitted.network.items.ids.detach().clone()
        raise KeyError
    expected = sum(share * ids for share, ids in zip(shares, seen, strict=True))
    torch.testing.assert_close(served, expected)
    assert torch.equal(fitted.network.items.ids, seen[2])  # and training goes on from the last step


def test_what_is_asked_of_a_history_stays_deep_and_what_follows_few_clicks_is_plain(whole):
    plain = whole.network.is_deep == 0
    for task in whole.tasks:
        if task.name in whole.plan.targets:
            of_page = getattr(task, "space", "") == "clicks" or getattr(task, "ads", False)
            expected = of_page or task.name in ("any_purchase", "return", "clicks")
            assert bool(plain[whole.network.slices[task.name]].any()) == expected, task.name
    assert {"click", "cart", "purchase"} <= set(whole.plan.targets)
