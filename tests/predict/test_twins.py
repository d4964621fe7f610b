"""The server's arithmetic equals the trainer's, and no candidate or user sees another."""

import numpy as np
import onnx
import pytest
import torch

from endcap.api.fitting import write_model
from endcap.artifact import load_artifact
from endcap.evaluate.asking import ad_of
from endcap.features import DAY_US, candidate_context
from endcap.model import ModelConfig
from endcap.predict import NetworkPredictor
from endcap.schema import Action, make_events
from endcap.train import TrainConfig, fit
from endcap.train.batches import Batcher
from endcap.train.losses import batch_losses


def random_history(random, num_items, length, until):
    return make_events(
        timestamp_us=np.sort(until - random.integers(1, 5 * DAY_US, size=length)),
        item=random.integers(num_items, size=length),
        action=random.choice([Action.VIEW, Action.CLICK, Action.PURCHASE], size=length),
        dwell_ms=random.integers(-1, 60_000, size=length),
    )


@pytest.fixture
def question(dataset, predictor):
    random = np.random.default_rng(5)
    until = dataset.end_us
    history = random_history(random, dataset.catalogue.num_items, 9, until)
    item = random.integers(dataset.catalogue.num_items, size=500).astype(np.int32)
    campaign = np.where(random.random(500) < 0.1, 0, -1).astype(np.int32)
    counters = predictor.artifact.arrays["counters_settled"]
    context = candidate_context(history, until, item, predictor.items.columns, counters)
    return predictor.state(history, until, 1), item, campaign, context


def assert_onnx_equals_torch(fitted, predictor):
    """Ask both about the candidates of forty questions of the log."""
    batcher, network = fitted.batcher, fitted.network.eval()
    rows = np.flatnonzero(batcher.num_candidates > 0)[:40]
    batch = batcher.lay_out(rows)
    with torch.no_grad():
        vectors = network.items()
        states, last = network.read(vectors, batch.history)
        expected = network.respond(
            vectors, states, last, batch.history, batch.question, batch.candidates
        ).mixed(network.trust)
    table = fitted.examples.candidates
    for k, row in enumerate(rows):
        part = slice(table.offsets[row], table.offsets[row + 1])
        history = fitted.dataset.histories.events[
            fitted.dataset.histories.offsets[fitted.examples.user[row]] : fitted.examples.visible[
                row
            ]
        ]
        state = predictor.state(
            history, int(fitted.examples.at_us[row]), int(fitted.examples.device[row])
        )
        answers, _ = predictor.answers(
            state,
            table.item[part],
            table.campaign[part],
            table.context[part],
            ad_of(fitted.examples, row),
        )
        np.testing.assert_allclose(answers, expected[k, : len(answers)].numpy(), atol=1e-4)


def test_onnx_equals_torch_on_the_questions_of_the_log(fitted, predictor):
    assert_onnx_equals_torch(fitted, predictor)


@pytest.mark.parametrize("encoder", ["lstm", "gru"])
def test_a_recurrent_encoder_is_served_as_it_was_trained(dataset, tmp_path, encoder):
    model = ModelConfig(encoder=encoder, dim=16, max_history=12, hidden=16, dropout=0.1)
    fitted = fit(dataset, config=TrainConfig(model=model, epochs=1, batch_size=64))
    write_model(fitted, tmp_path / "m.model", fingerprint="test", metrics=[])
    predictor = NetworkPredictor(load_artifact(tmp_path / "m.model"))
    assert_onnx_equals_torch(fitted, predictor)
    noted = {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in onnx.load(tmp_path / "m.model" / "read.onnx").graph.output
    }
    assert noted == {"states": ["B", "T", 16], "last": ["B", 16], "user": ["B", 16]}


def test_one_candidate_alone_equals_the_same_among_500_in_any_order(predictor, question):
    state, item, campaign, context = question
    together = predictor.predict_with(state, item, campaign, context)
    order = np.random.default_rng(1).permutation(500)
    shuffled = predictor.predict_with(state, item[order], campaign[order], context[order])
    for name in ("q", "dwell_ms", "buy"):
        np.testing.assert_allclose(
            getattr(together, name)[order], getattr(shuffled, name), rtol=1e-5, atol=1e-6
        )
    for k in (0, 123, 499):
        one = slice(k, k + 1)
        alone = predictor.predict_with(state, item[one], campaign[one], context[one])
        np.testing.assert_allclose(alone.q[0], together.q[k], atol=1e-5)
        np.testing.assert_allclose(alone.buy[0], together.buy[k], atol=1e-5)


def test_one_user_equals_the_same_user_in_a_batch(fitted):
    batcher, network = fitted.batcher, fitted.network.eval()
    rows = np.flatnonzero(batcher.num_candidates > 0)[:30]

    def ask(chosen):
        batch = batcher.lay_out(np.array(chosen))
        with torch.no_grad():
            vectors = network.items()
            states, last = network.read(vectors, batch.history)
            answers = network.respond(
                vectors, states, last, batch.history, batch.question, batch.candidates
            ).mixed(network.trust)
        return answers.numpy(), last[batch.question.window].numpy()

    together, last = ask(rows)
    for k in (0, 7, 29):
        alone, alone_last = ask(rows[k : k + 1])
        count = batcher.num_candidates[rows[k]]
        np.testing.assert_allclose(alone[0, :count], together[k, :count], atol=1e-5)
        np.testing.assert_allclose(alone_last[0], last[k], atol=1e-5)


def test_an_empty_history_gets_finite_answers(predictor, dataset):
    history = make_events()
    item = np.arange(dataset.catalogue.num_items, dtype=np.int32)
    context = candidate_context(
        history,
        dataset.end_us,
        item,
        predictor.items.columns,
        predictor.artifact.arrays["counters_settled"],
    )
    found = predictor.predict_with(
        predictor.state(history, dataset.end_us, 0), item, np.full_like(item, -1), context
    )
    assert np.isfinite(found.q).all()
    assert ((found.q > 0) & (found.q < 1)).all()


def test_losses_are_finite_for_every_task(fitted):
    batcher = fitted.batcher
    assert isinstance(batcher, Batcher)
    rows = np.arange(200)
    with torch.no_grad():
        losses = batch_losses(fitted.network.eval(), batcher.lay_out(rows), fitted.network.items())
    assert set(losses) == {task.name for task in fitted.tasks}
    assert all(np.isfinite(float(loss.total)) for loss in losses.values())
