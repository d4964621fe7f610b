"""Many items: draws for all others, and an id table that is moved row by row."""

import numpy as np
import pytest
import torch
from msgspec import structs

from endcap.model import ModelConfig
from endcap.train import TrainConfig, fit, mixing
from endcap.train.losses import batch_losses
from endcap.train.negatives import NegativeSampler, needed_items
from endcap.train.optimisers import RowAdagrad, clip_gradients

CONFIG = TrainConfig(
    model=ModelConfig(dim=8, max_history=6, hidden=8, num_blocks=1, dropout=0.0, id_dropout=0.0),
    epochs=2,
    batch_size=128,
    many_items=10,
    negatives=64,
    averaged_steps=5.0,
)


def sampler(size=200_000):
    counts = np.array([0, 1, 4, 9, 16])
    is_known = np.array([True, True, True, False, True])
    torch.manual_seed(0)
    return NegativeSampler(counts, is_known, size=size, device=torch.device("cpu"))


def test_half_of_the_draws_are_uniform_and_half_by_the_root_of_popularity():
    drawn = sampler().draw()
    expected = np.array([1, 1, 1, 0, 1]) / 8 + np.array([0, 1, 2, 0, 4]) / 14
    share = np.bincount(drawn.item.numpy(), minlength=5) / 200_000
    np.testing.assert_allclose(share, expected, atol=0.004)
    assert share[3] == 0  # training never met it
    for item in (0, 1, 2, 4):
        told = drawn.log_expected[drawn.item == item]
        assert told.exp().mean() == pytest.approx(200_000 * expected[item], rel=1e-3)


def test_a_step_needs_the_items_that_it_reads(fitted):
    rows = np.flatnonzero(fitted.batcher.num_candidates > 0)[:5]
    batch, drawn = fitted.batcher.lay_out(rows), sampler(size=3).draw()
    found = set(needed_items(batch, drawn).tolist())
    read = (batch.history.item, batch.candidates.item, batch.next.item, drawn.item)
    assert found == {max(item, 0) for part in read for item in part.flatten().tolist()}


def test_a_batch_answers_the_same_from_its_own_rows_alone(fitted):
    network = fitted.network.eval()
    batch, drawn = fitted.batcher.lay_out(np.arange(100)), sampler(size=50).draw()
    few = network.items.only(needed_items(batch, drawn))
    of_all, of_few = (
        {
            name: float(loss.total.detach())
            for name, loss in batch_losses(network, batch, vectors, drawn).items()
        }
        for vectors in (network.items(), few)
    )
    assert of_few == pytest.approx(of_all, rel=1e-4)
    assert set(of_few) == {task.name for task in fitted.tasks}


def test_a_row_is_slowed_by_its_own_past_and_others_stay():
    table = torch.nn.Parameter(torch.zeros(3, 2))
    optimiser = RowAdagrad([table], lr=0.1)
    for _ in range(2):
        optimiser.zero_grad(set_to_none=True)
        table.grad = torch.sparse_coo_tensor([[1, 1]], [[1.0, 4.0], [2.0, 0.0]], (3, 2))
        optimiser.step()  # rows met twice add up to (3, 4), of mean square 12.5
    expected = -0.1 * torch.tensor([3.0, 4.0]) * (12.5**-0.5 + 25.0**-0.5)
    torch.testing.assert_close(table.detach()[1], expected)
    assert table.detach()[[0, 2]].abs().sum() == 0
    assert optimiser.state[table]["squares"].shape == (3,)


def test_decay_of_a_row_comes_with_its_steps():
    table = torch.nn.Parameter(torch.ones(2, 2))
    table.grad = torch.sparse_coo_tensor([[0]], [[0.0, 0.0]], (2, 2))
    RowAdagrad([table], lr=0.1, weight_decay=0.5).step()
    torch.testing.assert_close(table.detach(), torch.tensor([[0.95, 0.95], [1.0, 1.0]]))


def test_the_norm_is_that_of_dense_and_sparse_gradients_together():
    table, other = torch.nn.Parameter(torch.zeros(3, 2)), torch.nn.Parameter(torch.zeros(2))
    idle = torch.nn.Parameter(torch.zeros(1))
    table.grad = torch.sparse_coo_tensor([[1, 1]], [[1.0, 0.0], [2.0, 4.0]], (3, 2))
    other.grad = torch.tensor([0.0, 12.0])  # (3, 4) and 12: 13
    clip_gradients([table, other, idle], 6.5)
    torch.testing.assert_close(table.grad.to_dense()[1], torch.tensor([1.5, 2.0]))
    torch.testing.assert_close(other.grad, torch.tensor([0.0, 6.0]))
    clip_gradients([table, other], 100.0)
    torch.testing.assert_close(other.grad, torch.tensor([0.0, 6.0]))


@pytest.fixture(scope="module")
def whole(dataset):
    return fit(dataset, config=CONFIG)


def test_many_items_train_to_the_same_weights_killed_or_not(dataset, whole, tmp_path):
    class Killed(Exception):
        pass

    def kill(what, done, total):
        if what.startswith("epoch 2 ") and done == 2:
            raise Killed

    with pytest.raises(Killed):
        fit(dataset, config=CONFIG, run_folder=tmp_path, report=kill)
    resumed = fit(dataset, config=CONFIG, run_folder=tmp_path).network.state_dict()
    for name, weights in whole.network.state_dict().items():
        assert torch.equal(weights, resumed[name]), name


def test_draws_teach_nearly_what_all_items_teach(dataset):
    longer = structs.replace(CONFIG, epochs=6)
    few = fit(dataset, config=structs.replace(longer, many_items=1_000)).progress.history
    many = fit(dataset, config=longer).progress.history
    by_all, by_draws = ([epoch.validation["next"] for epoch in told] for told in (few, many))
    assert by_draws[-1] < by_draws[0]
    gained = by_all[0] - min(by_all)
    assert by_draws[-1] < by_all[0] - 0.5 * gained


def test_moved_vectors_work_on_the_rows_of_a_batch(dataset):
    config = structs.replace(CONFIG, epochs=1, adversarial=0.05)
    losses = fit(dataset, config=config).progress.history[0]
    assert all(np.isfinite(value) for value in losses.validation.values())


def test_a_large_catalogue_takes_fewer_users_to_choose_its_mix(dataset, monkeypatch):
    every, _ = mixing._validation_targets(dataset, seed=0)
    monkeypatch.setattr(mixing, "MAX_CELLS", 8 * dataset.catalogue.num_items)
    some, targets = mixing._validation_targets(dataset, seed=0)
    assert len(some) == len(targets) == 8 < len(every)
    assert set(some) <= set(every)
