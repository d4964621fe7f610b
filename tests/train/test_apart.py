"""Each task alone against all together, and tasks that are answered by a network of their own."""

import numpy as np
import pytest
import torch
from msgspec import structs

from endcap.api.fitting import write_model
from endcap.artifact import load_artifact
from endcap.errors import ConfigError
from endcap.features import NUM_COUNTERS
from endcap.model import ModelConfig
from endcap.predict import NetworkPredictor
from endcap.schema import Split
from endcap.train import TrainConfig, fit, format_recipe, read_recipe
from endcap.train.comparing import TaskComparison, UserLosses, alone, compared, user_losses
from endcap.train.prepared import prepare
from endcap.train.starting import make_trainer

CONFIG = TrainConfig(
    model=ModelConfig(dim=8, max_history=6, hidden=8, num_blocks=1, dropout=0.2),
    epochs=2,
    batch_size=128,
)
APART = ("next", "click")


@pytest.fixture(scope="module")
def prepared(dataset):
    return prepare(dataset)


@pytest.fixture(scope="module")
def fitted(dataset):
    return fit(dataset, config=structs.replace(CONFIG, apart=APART))


@pytest.fixture(scope="module")
def served(fitted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fit") / "apart.model"
    write_model(fitted, folder, fingerprint="test", metrics=[])
    return NetworkPredictor(load_artifact(folder))


def test_a_gain_is_the_difference_of_mean_losses_with_its_interval():
    single = UserLosses(total=np.array([2.0, 4.0, 0.0]), count=np.array([2.0, 2.0, 0.0]))
    joint = UserLosses(total=np.array([3.0, 6.0, 0.0]), count=np.array([2.0, 2.0, 0.0]))
    found = compared("click", single, joint)
    assert (found.alone, found.together, found.gain, found.shoppers) == (1.5, 2.25, -0.75, 2)
    assert (found.low, found.high) == (-1.0, -0.5)  # of one shopper or the other, drawn twice
    assert found.hurts


def test_sharing_that_may_help_is_kept():
    row = TaskComparison(
        task="buy", alone=1.0, together=1.1, gain=-0.1, low=-0.3, high=0.1, shoppers=9
    )
    assert not row.hurts


def test_a_task_alone_is_asked_its_own_questions_alone(prepared):
    own = alone(prepared, "dwell")
    target, offsets = (
        prepared.asked.plan.targets["dwell"],
        prepared.asked.examples.candidates.offsets,
    )
    for split in (Split.TRAIN, Split.VALIDATION):
        rows = own.rows_of(split)
        assert 0 < len(rows) < len(prepared.rows_of(split))
        assert all(target.asked[offsets[k] : offsets[k + 1]].any() for k in rows)
    assert set(own.asked.plan.targets) == {"dwell"}
    assert [task.name for task in own.asked.plan.tasks] == ["dwell"]


def test_losses_by_shopper_add_up_to_what_validation_says(prepared):
    trainer = make_trainer(prepared, CONFIG)
    means = trainer.validation_losses()
    for name, found in user_losses(trainer, trainer.validation_rows).items():
        tolerance = 0.05 if name == "next" else 1e-5  # its mean is weighted within a batch
        assert found.total.sum() / found.count.sum() == pytest.approx(means[name], rel=tolerance)


def test_a_task_apart_is_served_by_its_own_network(fitted, served):
    batcher, own, shared = fitted.batcher, fitted.apart["click"].eval(), fitted.network.eval()
    rows = np.flatnonzero(batcher.num_candidates > 0)[:8]
    place = fitted.network.slices["click"].start
    for k in rows:
        batch = batcher.lay_out(np.array([k]))
        answers = []
        for network in (own, shared):
            with torch.no_grad():
                vectors = network.items()
                states, last = network.read(vectors, batch.history)
                found = network.respond(
                    vectors, states, last, batch.history, batch.question, batch.candidates
                )
            answers.append(found.mixed(network.trust)[0].numpy())
        told = told_by(served, fitted, k).answers[0]
        np.testing.assert_allclose(told[:, place], answers[0][:, 0], atol=1e-4)
        assert np.abs(answers[0][:, 0] - answers[1][:, place]).max() > 1e-3
        rest = np.delete(np.arange(told.shape[1]), place)
        np.testing.assert_allclose(told[:, rest], answers[1][:, rest], atol=1e-4)


def test_attention_on_dimensions_is_the_shared_networks(fitted, served):
    k = int(np.flatnonzero(fitted.batcher.num_candidates > 0)[0])
    batch, network = fitted.batcher.lay_out(np.array([k])), fitted.network.eval()
    with torch.no_grad():
        vectors = network.items()
        _, last = network.read(vectors, batch.history)
        parts, present = network.parts(network.items, vectors, batch.candidates.item)
        asked = batch.question
        question = network.question(asked.clock, asked.since, asked.device)
        beta = network.candidates.dimensions(last + question, parts, present)
    told = told_by(served, fitted, k).dimensions
    assert np.abs(told.max() - told[told > 0].min()) > 1e-6  # steps moved it
    np.testing.assert_allclose(told, beta.numpy(), atol=1e-5)


def test_parts_of_all_networks_add_up_to_the_vectors_that_stand_side_by_side(fitted, served):
    items = served.items
    parts, _ = items.parts(np.arange(items.num_items, dtype=np.int32))
    assert parts.shape[-1] == 3 * fitted.network.config.dim
    np.testing.assert_allclose(parts.sum(axis=1), items.vectors, atol=1e-5)


def told_by(served, fitted, k):
    from endcap.evaluate.asking import ask_question

    return ask_question(served, fitted.examples, fitted.dataset, int(k))[1]


def test_lists_come_of_the_network_that_answers_what_is_next(fitted, served):
    own, examples = fitted.apart["next"].eval(), fitted.examples
    k = int(np.flatnonzero(fitted.batcher.length > 2)[0])
    batch = fitted.batcher.lay_out(np.array([k]))
    with torch.no_grad():
        vectors = own.items()
        _, last = own.read(vectors, batch.history)
        asked = batch.question
        question = own.question(asked.clock, asked.since, asked.device)
        action = torch.tensor([fitted.next_action])
        expected = (own.next(last, question, action) @ vectors.T)[0].numpy()
    history = fitted.dataset.histories.events[
        fitted.dataset.histories.offsets[examples.user[k]] : examples.visible[k]
    ]
    state = served.state(history, int(examples.at_us[k]), int(examples.device[k]))
    np.testing.assert_allclose(served.items.vectors @ state.user, expected, atol=1e-4)


def test_the_shared_network_is_the_same_whether_a_task_stands_apart_or_not(dataset, fitted):
    plain = fit(dataset, config=CONFIG)
    for name, tensor in plain.network.state_dict().items():
        assert torch.equal(tensor, fitted.network.state_dict()[name]), name
    assert plain.calibration["click"] != fitted.calibration["click"]
    assert plain.calibration["cart"] == fitted.calibration["cart"]


def test_a_comparison_unshares_what_sharing_hurts_and_keeps_what_it_found(dataset, monkeypatch):
    def found(name, single, joint):
        low, high = (-2.0, -1.0) if name == "dwell" else (-1.0, 1.0)
        return TaskComparison(
            task=name, alone=1.0, together=2.0, gain=-1.0, low=low, high=high, shoppers=3
        )

    monkeypatch.setattr("endcap.train.apart.compared", found)
    done = fit(dataset, config=structs.replace(CONFIG, epochs=1), compare=True)
    assert set(done.apart) == {"dwell"}
    assert done.config.apart == ("dwell",)
    assert {row.task for row in done.comparisons} == {task.name for task in done.tasks}


def test_a_recipe_keeps_the_tasks_apart(tmp_path):
    config = structs.replace(CONFIG, apart=APART)
    path = tmp_path / "recipe.toml"
    path.write_text(format_recipe(config))
    assert read_recipe(path) == config


def test_a_task_apart_that_is_not_there_is_told(dataset):
    with pytest.raises(ConfigError, match="apart names 'buys', which this log does not train; it"):
        fit(dataset, config=structs.replace(CONFIG, apart=("buys",)))


@pytest.fixture(scope="module")
def of_shoppers(dataset, tmp_path_factory):
    """A fit whose tasks apart are one of shoppers, named first, and one of items."""
    folder = tmp_path_factory.mktemp("fit") / "shoppers.model"
    return fit_apart(dataset, ("return", "click"), folder)


def fit_apart(dataset, names, folder):
    done = fit(dataset, config=structs.replace(CONFIG, apart=names))
    with torch.no_grad():
        for (
            network
        ) in done.apart.values():  # so short a fit may leave them the shared one's answers
            network.plain.linear.bias += 0.3
    write_model(done, folder, fingerprint="test", metrics=[])
    return done, NetworkPredictor(load_artifact(folder))


def test_a_page_does_not_read_by_a_network_of_shoppers(of_shoppers):
    done, served = of_shoppers
    dim = done.network.config.dim
    assert list(done.apart) == ["click", "return"]
    assert served.graphs.width == 2 * dim
    assert served.shopper_graphs.width == served.items.vectors.shape[1] == 3 * dim


def test_what_is_asked_of_a_shopper_comes_of_the_network_apart(of_shoppers):
    done, served = of_shoppers
    asked = done.plan.targets["return"].asked
    offsets, place = done.examples.candidates.offsets, done.network.slices["return"]
    k = int(next(k for k in range(len(offsets) - 1) if asked[offsets[k] : offsets[k + 1]].any()))
    row = int(np.flatnonzero(asked[offsets[k] : offsets[k + 1]])[0])
    batch = done.batcher.lay_out(np.array([k]))
    answers = []
    for network in (done.apart["return"].eval(), done.network.eval()):
        with torch.no_grad():
            vectors = network.items()
            states, last = network.read(vectors, batch.history)
            found = network.respond(
                vectors, states, last, batch.history, batch.question, batch.candidates
            )
        own = network.slices["return"]
        answers.append(found.mixed(network.trust)[0, row, own].numpy())
    told = told_by(served, done, k).answers[0][row, place]
    np.testing.assert_allclose(told, answers[0], atol=1e-4)
    assert np.abs(told - answers[1]).max() > 1e-3
    history, nobody = served.artifact.histories.events[:9], np.array([-1], dtype=np.int32)
    counters = np.zeros((served.items.num_items, NUM_COUNTERS), dtype=np.float32)
    at_us = int(history["timestamp_us"][-1]) + 1
    of_page, _ = served.answers(
        served.state(history, at_us, 0),
        nobody,
        nobody,
        served.context(history, at_us, nobody, counters),
    )
    added = served.ask(history, at_us, None, counters) - of_page
    assert np.abs(added[:, place]).min() > 1e-3
    np.testing.assert_allclose(np.delete(added, np.r_[place], axis=1), 0, atol=1e-6)


def test_kinds_are_told_by_each_network_of_its_own_windows(dataset, tmp_path):
    done, served = fit_apart(dataset, ("next_category",), tmp_path / "kinds.model")
    place, asked = done.network.slices["next_category"], done.plan.targets["next_category"].asked
    profiles = done.apart["next_category"].profiles
    rows = done.batcher.examples.candidates.question
    k = int(rows[asked & (done.batcher.length[rows] > 2)][0])
    windows = done.network.kinds[torch.from_numpy(done.batcher.items_of(np.array([k]))) + 1, 0]
    expected = (profiles.told(windows, place.stop - place.start) @ profiles.weight[0]).numpy()
    assert expected.max() > 0.1
    before = told_by(served, done, k).answers[0][:, place]
    profiles.weight.zero_()
    write_model(done, tmp_path / "untold.model", fingerprint="test", metrics=[])
    after = told_by(NetworkPredictor(load_artifact(tmp_path / "untold.model")), done, k)
    added = before - after.answers[0][:, place]
    np.testing.assert_allclose(added, expected.repeat(len(added), axis=0), atol=1e-5)


def test_pages_are_the_same_whether_a_task_of_shoppers_stands_apart_or_not(
    dataset, of_shoppers, fitted, tmp_path
):
    _, served = of_shoppers
    plain, other = fit_apart(dataset, ("click",), tmp_path / "plain.model")
    assert other.shopper_graphs is other.graphs
    k = int(np.flatnonzero(fitted.batcher.num_candidates > 2)[0])
    told, expected = (told_of_items(each, plain, k) for each in (served, other))
    for name in ("q", "dwell_ms", "buy"):
        np.testing.assert_allclose(getattr(told, name), getattr(expected, name), atol=1e-6)
    states = [state_of(each, plain, k) for each in (served, other)]
    item = np.arange(other.items.num_items, dtype=np.int32)
    np.testing.assert_allclose(*(each.scorer.chance(s.user, item) for each, s in
                                 zip((served, other), states, strict=True)), atol=1e-6)  # fmt: skip
    np.testing.assert_array_equal(served.similar(0, 5)[0], other.similar(0, 5)[0])


def state_of(predictor, fitted, k):
    examples, histories = fitted.examples, fitted.dataset.histories
    history = histories.events[histories.offsets[examples.user[k]] : examples.visible[k]]
    return predictor.state(history, int(examples.at_us[k]), int(examples.device[k]))


def told_of_items(predictor, fitted, k):
    table = fitted.examples.candidates
    rows = slice(table.offsets[k], table.offsets[k + 1])
    return predictor.predict_with(
        state_of(predictor, fitted, k), table.item[rows], table.campaign[rows], table.context[rows]
    )
