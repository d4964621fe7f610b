"""A feed: dwell is told of all that was shown, no next item is asked, items pass by."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch
from msgspec import structs

from endcap.api.fitting import fit_dataset
from endcap.artifact import load_artifact
from endcap.model import ModelConfig
from endcap.predict import NetworkPredictor
from endcap.schema import Binary, Hazard
from endcap.train import TrainConfig

CLICK = Binary(name="click", event_type="click", space="impressions")
DWELL = Hazard(name="dwell", measures="dwell", space="impressions")


@pytest.fixture(scope="module")
def feed(dataset, tmp_path_factory):
    """Fit a feed in which every third item holds shoppers ten times as long."""
    shown = dataset.impressions.copy()
    random = np.random.default_rng(0)
    usual_ms = np.where(shown["item"] % 3 == 0, 30_000, 3_000)
    shown["dwell_ms"] = usual_ms * random.uniform(0.5, 1.5, len(shown))
    attributes = dataset.catalogue.attributes.copy()
    for row in range(len(attributes)):
        attributes[row] = (f"length={1 + row % 3}",)
    made = replace(
        dataset,
        impressions=shown,
        catalogue=replace(dataset.catalogue, attributes=attributes),
        shop=structs.replace(
            dataset.shop,
            tasks=(CLICK, DWELL),
            items=structs.replace(dataset.shop.items, numbers=("length",)),
        ),
    )
    model = ModelConfig(id_dropout=1.0, smoothing=0.0, context_bands=4, dim=16, hidden=16)
    config = TrainConfig(model=model, epochs=8, batch_size=64, learning_rate=1e-2)
    folder = tmp_path_factory.mktemp("feed") / "feed.model"
    fitted = fit_dataset(made, folder, config=config)
    return fitted, NetworkPredictor(load_artifact(folder))


def asked(fitted, count):
    """Yield questions with candidates: their row, their candidates, the history they may read."""
    examples, histories = fitted.examples, fitted.dataset.histories
    for row in np.flatnonzero(np.diff(examples.candidates.offsets) > 0)[-count:]:
        start = histories.offsets[examples.user[row]]
        part = slice(*examples.candidates.offsets[row : row + 2])
        yield row, part, histories.events[start : examples.visible[row]]


def answers_of(fitted, predictor, row, part, history):
    examples, table = fitted.examples, fitted.examples.candidates
    state = predictor.state(history, int(examples.at_us[row]), int(examples.device[row]))
    return predictor.answers(state, table.item[part], table.campaign[part], table.context[part])[0]


def test_a_context_in_bands_is_served_as_it_was_trained(feed):
    fitted, predictor = feed
    network = fitted.network.eval()
    for row, part, history in asked(fitted, 10):
        batch = fitted.batcher.lay_out(np.array([row]))
        with torch.no_grad():
            vectors = network.items()
            states, last = network.read(vectors, batch.history)
            expected = network.respond(
                vectors, states, last, batch.history, batch.question, batch.candidates
            ).mixed(network.trust)
        found = answers_of(fitted, predictor, row, part, history)
        np.testing.assert_allclose(found, expected[0].numpy(), atol=1e-4)


def test_a_median_dwell_is_near_what_the_items_hold_clicked_or_not(feed):
    fitted, predictor = feed
    medians, truth, clicked = [], [], []
    for row, part, history in asked(fitted, 60):
        medians.append(
            predictor.readout.dwell_quantile(answers_of(fitted, predictor, row, part, history))
        )
        truth.append(np.where(fitted.examples.candidates.item[part] % 3 == 0, 30_000, 3_000))
        clicked.append(fitted.plan.facts.clicked[part])
    median, true, click = map(np.concatenate, (medians, truth, clicked))
    assert 0 < click.mean() < 1
    for kind in (click, ~click):
        assert np.abs(np.log(median / true))[kind].mean() < 0.3


def test_a_feed_answers_by_fields_alone_and_keeps_its_configuration(feed):
    fitted, predictor = feed
    network = fitted.network.eval()
    with torch.no_grad():
        network.items.ids += 1.0
        moved = network.items().numpy()
        network.items.ids -= 1.0
    np.testing.assert_allclose(moved, predictor.items.vectors, atol=1e-6)
    assert msgspec.convert(predictor.artifact.manifest.model, ModelConfig).context_bands == 4


def test_q_times_dwell_is_the_time_per_look(feed):
    fitted, predictor = feed
    table = fitted.examples.candidates
    row, part, history = next(asked(fitted, 1))
    answers = answers_of(fitted, predictor, row, part, history)
    examples = fitted.examples
    state = predictor.state(history, int(examples.at_us[row]), int(examples.device[row]))
    told = predictor.predict_with(
        state, table.item[part], table.campaign[part], table.context[part]
    )
    means = np.array(predictor.artifact.manifest.dwell_means_ms)
    shares = np.exp(answers[:, 1:]) / np.exp(answers[:, 1:]).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(told.q * told.dwell_ms, shares @ means, rtol=1e-6)
