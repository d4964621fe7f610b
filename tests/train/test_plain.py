import numpy as np
import pytest
import torch

from endcap.schema import NUM_CONTEXT, ContextColumn, Device, Split
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


def late_purchases(trainer, split, seed):
    """Plant purchases of one chance and one delay; the later the click, the shorter the watch."""
    random = np.random.default_rng(seed)
    examples, target = trainer.batcher.examples, trainer.batcher.targets["buy"]
    rows = np.flatnonzero(target.asked & (split == Split.TRAIN))
    age = np.linspace(0, 1, len(rows))
    examples.candidates.context[rows] = 0
    examples.candidates.context[rows, ContextColumn.TENURE] = age
    watched = np.where(age < 0.5, 11, 2)
    bins = random.integers(0, 12, size=len(rows))
    target.bin[rows], target.limit_bin[rows], target.limit_share[rows] = bins, watched, 1.0
    target.observed[rows] = (random.random(len(rows)) < 0.4) & (bins <= watched)
    return rows


def test_clicks_that_were_watched_for_hours_do_not_tell_of_longer_delays(make_dataset):
    prepared = prepare(make_dataset(num_users=400, num_days=12))
    split = prepared.asked.plan.facts.split
    told = []
    for seed in range(4):
        trainer = make_trainer(prepared, prepared.recipe())
        rows = late_purchases(trainer, split, seed)
        network = trainer.network
        solve_plain(network, trainer.batcher, split)
        context = torch.from_numpy(trainer.batcher.examples.candidates.context[rows])
        answers = network.plain(context, None)[:, network.slices["buy"]]
        soon = answers[:, 1:].softmax(-1)[:, :3].sum(-1)
        told.append(float(soon[-1] / soon[0]))
    assert told == pytest.approx([1.0] * 4, abs=0.05)


def test_a_rare_task_stays_near_what_it_leans_on(planted):
    trainer, split = planted
    network, weight = trainer.network, trainer.network.plain.linear.weight
    target = trainer.batcher.targets["ad_click"]
    # A thousand clicks that no column tells of, against a click that the popularity tells of.
    target.label[:] = np.random.default_rng(2).random(len(target.label)) < 0.3
    solve_plain(network, trainer.batcher, split)
    assert float(weight[network.slices["ad_click"]].abs().max()) < 0.2


def test_the_moment_moves_what_is_asked_of_shoppers_and_hardly_what_is_asked_of_items(planted):
    trainer, split = planted
    network, weight = trainer.network, trainer.network.plain.linear.weight
    context = trainer.batcher.examples.candidates.context
    context[:] = 0
    left = context[:, ContextColumn.LAST_PURCHASE] = np.arange(len(context)) % 2
    trainer.batcher.targets["click"].label[:] = left == 0
    back = trainer.batcher.targets["return"]
    back.bin[:], back.limit_bin[:], back.limit_share[:] = np.where(left, 9, 1), 11, 1.0
    back.observed[:] = True
    solve_plain(network, trainer.batcher, split)
    of_click, of_return = (
        weight[network.slices[name]][:, ContextColumn.LAST_PURCHASE] for name in ("click", "return")
    )
    assert float(of_click.abs().max()) < 0.3
    assert float(of_return[1 + 9] - of_return[1 + 1]) > 1.0


def test_the_solver_finds_what_the_kinds_of_a_window_tell(planted):
    trainer, split = planted
    network, batcher, random = trainer.network, trainer.batcher, np.random.default_rng(5)
    target, kinds = batcher.targets["next_category"], network.kinds[:, 0]
    place = network.slices["next_category"]
    asked = np.flatnonzero(target.asked)
    question = batcher.examples.candidates.question[asked]
    windows = kinds[torch.from_numpy(batcher.items_of(question)) + 1]
    told = network.profiles.told(windows, place.stop - place.start)
    chance = (told @ torch.tensor([0.8, -1.5])).softmax(-1).numpy()
    target.category[asked] = [random.choice(len(row), p=row / row.sum()) for row in chance]
    solve_plain(network, batcher, split)
    assert network.profiles.weight[0].tolist() == pytest.approx([0.8, -1.5], abs=0.15)


def test_windows_end_where_the_question_is_asked(planted):
    trainer, _ = planted
    batcher, rows = trainer.batcher, np.arange(40, 60)
    windows = batcher.items_of(rows)
    for row, window in zip(rows, windows, strict=True):
        of_one = batcher.lay_out(np.array([row])).history.item[0]
        assert window[window >= 0].tolist() == of_one[of_one >= 0].tolist()
        assert (window >= 0).sum() == batcher.length[row]
