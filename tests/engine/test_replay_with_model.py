"""A record is enough: pages replay without an engine, predictions with a model opened afresh."""

from dataclasses import replace

import numpy as np
import pytest

from endcap.artifact import load_artifact
from endcap.engine import Engine, MemoryHistories, Settings, State, predictions_of
from endcap.engine import replay as replay_page
from endcap.errors import QueryError
from endcap.features import Counters
from endcap.predict import NetworkPredictor
from endcap.schema import Campaigns, Query, ShopEvent, decode_decision, encode_decision

PAGES = 100


def served(dataset, predictor):
    """Serve pages to shoppers who click the first slot; keep the inputs of half of them."""
    ad = replace(dataset.campaigns.rows[0], bid_micros=9_000_000, daily_budget_micros=10**12)
    engine = Engine(
        predictor,
        shop=dataset.shop,
        catalogue=dataset.catalogue,
        campaigns=Campaigns(rows=(ad,)),
        state=State(
            counters=Counters(dataset.catalogue.num_items),
            histories=MemoryHistories.of_log(dataset.user_ids, dataset.histories),
        ),
        secret=b"a secret of the tests",
        settings=Settings(sample_inputs=0.5),
    )
    lines = []
    for n in range(PAGES):
        at_us = dataset.end_us + n * 1_800_000_000
        query = Query(
            user_id=f"u{n % 35}" if n % 7 else f"stranger {n}",
            placements={"home": 4, "side": 2} if n % 2 else {"home": 6},
            at_us=at_us,
            device=("desktop", "mobile", "unknown")[n % 3],
            explore=n % 5 > 0,
            decision_id=f"page {n}",
        )
        page = engine.decide(query)
        lines.append(encode_decision(page))
        first = page.chosen[0]
        engine.observe([
            ShopEvent(
                user_id=query.user_id,
                event_type="click",
                timestamp_us=at_us + 1_000_000,
                item_id=first.item_id,
                decision_id=page.decision_id,
                slot=first.slot,
                placement=first.placement,
            )
        ])  # fmt: skip
    return engine, lines


@pytest.fixture(scope="module")
def log(dataset, model_folder):
    engine, lines = served(dataset, NetworkPredictor(load_artifact(model_folder)))
    cheaper = replace(dataset.catalogue, price_micros=dataset.catalogue.price_micros // 2)
    engine.put_items(cheaper)  # what comes later must not reach a record
    return engine, [decode_decision(line) for line in lines]


def test_a_hundred_records_replay_to_the_same_pages_without_an_engine(log):
    _, decisions = log
    assert len(decisions) == PAGES
    assert all(decision.degraded == [] for decision in decisions)
    assert any(chosen.price_micros > 0 for decision in decisions for chosen in decision.chosen)
    assert min(chosen.propensity for decision in decisions for chosen in decision.chosen) < 0.5
    assert [replay_page(decision) for decision in decisions] == decisions


def test_kept_inputs_give_the_logged_predictions_from_a_model_opened_afresh(log, model_folder):
    engine, decisions = log
    fresh = NetworkPredictor(load_artifact(model_folder))
    kept = [decision for decision in decisions if decision.inputs is not None]
    assert 35 <= len(kept) <= 65
    assert {len(decision.inputs.history) > 0 for decision in kept} == {True, False}
    for decision in kept:
        for told in (predictions_of(decision, fresh), engine.replay_predictions(decision)):
            for name in ("q", "dwell_ms", "buy"):
                logged = getattr(decision.shortlist, name)
                np.testing.assert_allclose(getattr(told, name), logged, rtol=1e-5, atol=1e-5)


def test_predictions_differ_between_shoppers_so_that_a_replay_shows_something(log):
    _, decisions = log
    spread = {round(decision.shortlist.q[0], 4) for decision in decisions}
    assert len(spread) > 20


def test_another_model_is_not_asked_for_this_models_predictions(log, model_folder):
    _, decisions = log
    other = NetworkPredictor(load_artifact(model_folder))
    other.version = "another"
    kept = next(decision for decision in decisions if decision.inputs is not None)
    with pytest.raises(QueryError, match=r"asked model \w+, not another; open the model"):
        predictions_of(kept, other)
