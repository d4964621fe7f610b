import numpy as np
import pytest
import torch
from msgspec import structs

from endcap.errors import ConfigError
from endcap.features import gap_bucket
from endcap.model import ModelConfig
from endcap.train import TrainConfig, fit
from endcap.train.augment import Augmentation, perturbation
from endcap.train.loop import Trainer
from endcap.train.losses import batch_losses

CONFIG = TrainConfig(
    model=ModelConfig(dim=8, max_history=6, hidden=8, num_blocks=1, dropout=0.0, encoder="gru"),
    epochs=2,
    batch_size=128,
    weight_decay=0.1,
    crop=0.5,
    mask=0.2,
    adversarial=0.05,
)


def generator(seed=0):
    return np.random.default_rng(seed)


def test_a_cropped_window_keeps_its_latest_events():
    length = np.arange(1_000) % 21
    kept = Augmentation(crop=0.5).cropped(length, generator())
    assert (kept <= length).all()
    assert (kept[length > 0] >= 1).all()
    share = (kept < length)[length > 1].mean()
    # Half are cropped, and of those one in `length` keeps all.
    assert share == pytest.approx(0.5 * (1 - 1 / length[length > 1]).mean(), abs=0.05)


def test_a_mask_hides_about_its_share_of_items():
    item = np.arange(6_000).reshape(60, 100)
    masked = Augmentation(mask=0.2).masked(item, generator())
    assert (masked == -1).mean() == pytest.approx(0.2, abs=0.02)
    assert (masked[masked != -1] == item[masked != -1]).all()


def test_a_varied_batch_reads_the_latest_events_with_their_own_ages(fitted):
    batcher, examples = fitted.batcher, fitted.examples
    asking = np.flatnonzero((batcher.num_candidates > 0) & (batcher.length > 3))[:40]
    plain = batcher.lay_out(asking, generator())
    batcher.augmentation = Augmentation(crop=1.0, mask=0.3)
    try:
        varied = batcher.lay_out(asking, generator())
        unvaried = batcher.lay_out(asking)
    finally:
        batcher.augmentation = Augmentation()
    assert torch.equal(plain.history.item, unvaried.history.item)
    events = fitted.dataset.histories.events
    window = varied.question.window.numpy()
    lengths = varied.history.length.numpy()[window]
    assert (lengths < batcher.length[asking]).any()
    for k, (row, length) in enumerate(zip(asking, lengths, strict=True)):
        seen = slice(examples.visible[row] - length, examples.visible[row])
        found = varied.history.item[window[k], :length].numpy()
        is_told = found >= 0
        np.testing.assert_array_equal(found[is_told], events["item"][seen][is_told])
        ages = gap_bucket(examples.at_us[row] - events["timestamp_us"][seen])
        np.testing.assert_array_equal(varied.candidates.age[k, :length].numpy(), ages)
    assert (varied.history.item == -1).sum() > (plain.history.item == -1).sum() - lengths.sum()


def test_a_perturbation_has_its_length_and_leaves_rows_without_gradient():
    gradient = torch.tensor([[3.0, 4.0], [0.0, 0.0], [-1e-8, 0.0]])
    moved = perturbation(gradient, 0.5)
    torch.testing.assert_close(moved, torch.tensor([[0.3, 0.4], [0.0, 0.0], [-0.5, 0.0]]))


def trainer_of(fitted, **changes):
    return Trainer(
        network=fitted.network,
        batcher=fitted.batcher,
        config=structs.replace(CONFIG, **changes),
        train_rows=np.arange(600),
        validation_rows=np.arange(10),
        scales={task.name: 1.0 for task in fitted.tasks},
        rates={task.name: 100.0 for task in fitted.tasks},
        weights={task.name: 1.0 for task in fitted.tasks},
        ridge={},
    )


def scaled(trainer, batch, vectors):
    return trainer._scaled(batch_losses(trainer.network, batch, vectors))


@pytest.fixture(scope="module")
def short(dataset):
    return fit(dataset, config=structs.replace(CONFIG, epochs=1, adversarial=0.0))


def test_moved_vectors_raise_the_loss_more_than_any_other_step_of_that_length(short):
    trainer = trainer_of(short, adversarial=0.01)
    short.network.train()
    short.network.items.id_dropout = 0.0
    batch = short.batcher.lay_out(np.arange(200))
    vectors = short.network.items()
    loss = scaled(trainer, batch, vectors)
    raised = float((trainer._perturbed_loss(batch, vectors, loss) - loss).detach())
    torch.manual_seed(0)
    for _ in range(5):
        other = vectors + perturbation(torch.randn_like(vectors), 0.01)
        assert raised > float((scaled(trainer, batch, other) - loss).detach())
    assert raised > 0


def test_an_adversarial_step_takes_half_of_its_gradient_from_the_moved_vectors(short):
    trainer = trainer_of(short, adversarial=0.01)
    short.network.train()
    short.network.items.id_dropout = 0.0
    rows = np.arange(200)
    batch, vectors = short.batcher.lay_out(rows), short.network.items()
    loss = scaled(trainer, batch, vectors)
    expected = (loss + trainer._perturbed_loss(batch, vectors, loss)) / 2
    assert trainer._step(rows)[0] == pytest.approx(float(expected.detach()), rel=1e-5)


def test_weight_decay_shrinks_matrices_and_nothing_else(dataset, short):
    """A step without a gradient: decoupled decay alone is left."""
    network = short.network
    trainer = trainer_of(short, weight_decay=0.1, learning_rate=0.01)
    optimiser = trainer.optimisers[0]
    for group in optimiser.param_groups:
        for weights in group["params"]:
            weights.grad = torch.zeros_like(weights)
    before = {name: weights.detach().clone() for name, weights in network.named_parameters()}
    rate = optimiser.param_groups[0]["lr"]
    optimiser.step()
    still = (network.examination, network.effects, network.plain, network.profiles)
    own = {weights for part in still for weights in part.parameters()}
    for name, weights in network.named_parameters():
        shrinks = weights.ndim > 1 and not any(weights is each for each in own)
        expected = before[name] * (1 - 0.1 * rate if shrinks else 1.0)
        torch.testing.assert_close(weights.detach(), expected, rtol=1e-6, atol=0, msg=name)


def test_with_every_option_one_seed_gives_the_same_weights_killed_or_not(dataset, tmp_path):
    class Killed(Exception):
        pass

    def kill(what, done, total):
        if what.startswith("epoch 2 ") and done == 2:
            raise Killed

    whole = fit(dataset, config=CONFIG).network.state_dict()
    with pytest.raises(Killed):
        fit(dataset, config=CONFIG, run_folder=tmp_path, report=kill)
    resumed = fit(dataset, config=CONFIG, run_folder=tmp_path).network.state_dict()
    plain = structs.replace(CONFIG, weight_decay=0.0, crop=0.0, mask=0.0, adversarial=0.0)
    other = fit(dataset, config=plain).network.state_dict()
    for name, weights in whole.items():
        assert torch.equal(weights, resumed[name]), name
    assert not torch.equal(whole["items.ids"], other["items.ids"])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"crop": 1.5}, "crop is a chance and must lie in 0 to 1, got 1.5"),
        ({"mask": -0.1}, "mask is a chance and must lie in 0 to 1, got -0.1"),
        ({"weight_decay": -1.0}, "weight_decay must be 0 or more, got -1.0"),
        ({"adversarial": float("nan")}, "adversarial must be 0 or more, got nan"),
    ],
)
def test_a_setting_out_of_range_is_refused(setting, message):
    with pytest.raises(ConfigError, match=message):
        TrainConfig(**setting)
