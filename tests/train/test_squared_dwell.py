"""Dwell by squared error: what is served is the expected time, and it is right on the whole."""

from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs

from endcap.api.fitting import write_model
from endcap.artifact import load_artifact
from endcap.evaluate.asking import ask_split
from endcap.model import ModelConfig
from endcap.predict import NetworkPredictor
from endcap.schema import Hazard, Split
from endcap.train import TrainConfig, fit
from endcap.train.prepared import prepare
from endcap.train.starting import make_trainer

CONFIG = TrainConfig(
    model=ModelConfig(dim=8, max_history=6, hidden=8, num_blocks=1, dropout=0.2),
    epochs=6,
    batch_size=64,
)


@pytest.fixture(scope="module")
def squared(dataset):
    def changed(task):
        is_dwell = isinstance(task, Hazard) and task.measures == "dwell"
        return structs.replace(task, loss="squared") if is_dwell else task

    tasks = tuple(changed(task) for task in dataset.shop.tasks)
    return replace(dataset, shop=structs.replace(dataset.shop, tasks=tasks))


@pytest.fixture(scope="module")
def served(squared, tmp_path_factory):
    fitted = fit(squared, config=CONFIG)
    folder = tmp_path_factory.mktemp("fit") / "squared.model"
    write_model(fitted, folder, fingerprint="test", metrics=[])
    return fitted, NetworkPredictor(load_artifact(folder))


def test_the_expected_dwell_that_is_served_is_that_of_the_log(squared, served):
    fitted, predictor = served
    asked = ask_split(predictor, fitted.examples, squared, Split.TRAIN)
    target = fitted.plan.targets["dwell"]
    kept = (target.asked & target.observed)[asked.rows]
    told_ms = predictor.readout.dwell_ms(asked.answers[kept])
    assert told_ms.mean() == pytest.approx(
        1_000 * target.seconds[asked.rows[kept]].mean(), rel=0.15
    )
    assert fitted.progress.history[0].validation["dwell"] > 1.0  # square seconds, not nats


def test_its_scale_is_the_squared_error_of_a_constant(squared, dataset):
    trainer, plain = (make_trainer(prepare(log), CONFIG) for log in (squared, dataset))
    target = prepare(squared).asked.plan.targets["dwell"]
    training = trainer.batcher.examples
    owner = np.repeat(training.split, np.diff(training.candidates.offsets)) == Split.TRAIN
    seconds = target.seconds[target.asked & target.observed & owner]
    assert trainer.scales["dwell"] == pytest.approx(seconds.var(), rel=1e-5)
    assert plain.scales["dwell"] < 4  # nats
