"""Reasons that were planted in a log are found, and reasons drawn by lot are not."""

import numpy as np
import pytest

from endcap.evaluate.faithfulness import (
    best_questions,
    faithfulness_rows,
    importance,
    moves_of,
)
from endcap.metrics import auc, paired_interval
from endcap.model import ModelConfig
from endcap.predict import explain
from endcap.schema import DIMENSIONS, Question, Split, merged_histories
from endcap.train import TrainConfig, fit
from tests.api.sensitive import likes, looks_at_price, sensitive_log
from tests.api.test_planted import SMALL, serve, views_then_purchase

pytestmark = pytest.mark.slow

PRICE, BRAND = DIMENSIONS.index("price"), DIMENSIONS.index("brand")


@pytest.fixture(scope="module")
def sensitive(tmp_path_factory):
    """Return a fit of the log in which shoppers choose by price or by brand, served."""
    dataset = sensitive_log(num_users=120, num_days=14)
    model = ModelConfig(dim=32, max_history=24, hidden=32, num_blocks=1, dropout=0.1)
    config = TrainConfig(model=model, epochs=5, batch_size=64, learning_rate=5e-3)
    folder = tmp_path_factory.mktemp("sensitive") / "sensitive.model"
    return dataset, serve(fit(dataset, config=config), folder)


def explained_pages(dataset, predictor):
    """Explain, for every shopper, a page of all items."""
    histories = merged_histories(dataset)
    item = np.arange(dataset.catalogue.num_items, dtype=np.int32)
    for user in range(histories.num_users):
        question = Question(
            user_id=f"u{user}",
            history=histories.of(user),
            at_us=dataset.end_us,
            device=0,
            item=item,
            campaign=np.full(len(item), -1, dtype=np.int32),
            counters=predictor.artifact.arrays["counters_settled"],
        )
        yield user, explain(predictor, question, task="click", top_events=0)


def test_who_chooses_by_price_is_seen_to_look_at_prices_and_who_by_brand_at_brands(sensitive):
    by_price, attention, effects, wanted, told = [], [], [], [], []
    for user, page in explained_pages(*sensitive):
        by_price.append(looks_at_price(user))
        attention.append(page.dimension_attention.mean(axis=0))
        effects.append(page.dimension_effects.std(axis=0))
        wanted.append(likes(user, np.arange(len(page.log_odds))))
        told.append(page.log_odds)
    label = np.array(by_price)
    for found in (np.array(attention), np.array(effects)):
        share = found / found.sum(axis=1, keepdims=True)
        assert share[label, PRICE].mean() > 1.3 * share[~label, PRICE].mean()
        assert share[~label, BRAND].mean() > 1.3 * share[label, BRAND].mean()
        assert auc(label.astype(float), share[:, PRICE] - share[:, BRAND]) > 0.85
    assert auc(np.concatenate(wanted).astype(float), np.concatenate(told)) > 0.9


@pytest.fixture(scope="module")
def bought_after(tmp_path_factory):
    """Return a fit of the log in which a view of A, and nothing else, makes B be bought."""
    config = TrainConfig(model=SMALL, epochs=6, batch_size=64, learning_rate=5e-3)
    fitted = fit(views_then_purchase(), config=config)
    return fitted, serve(fitted, tmp_path_factory.mktemp("planted") / "planted.model")


def test_the_events_that_decide_are_found_by_removal_and_not_by_lot(bought_after):
    fitted, predictor = bought_after
    questions = best_questions(
        predictor, fitted.dataset, fitted.examples, Split.TEST, task="purchase"
    )
    random, found = np.random.default_rng(4), {"event removal": [], "shuffled": [], "lot": []}
    for question in questions:
        removal = importance(predictor, question, "purchase")["event removal"]
        orders = {"event removal": removal, "shuffled": random.permutation(removal)}
        orders["lot"] = random.random(len(removal))
        for name, moves in moves_of(predictor, question, "purchase", orders).items():
            found[name].append(moves.deletion_auc)
    assert paired_interval(np.array(found["event removal"]), np.array(found["lot"])).low > 0.1
    shuffled = paired_interval(np.array(found["shuffled"]), np.array(found["lot"]))
    assert shuffled.low < 0 < shuffled.high


def test_the_report_says_how_faithful_the_reasons_are(bought_after):
    fitted, predictor = bought_after
    rows = faithfulness_rows(predictor, fitted.dataset, fitted.examples)
    found = {(row.task, row.metric, row.model, row.k): row for row in rows}
    for task, orders in (("purchase", 4), ("next", 3)):
        names = {row.model for row in rows if row.task == f"faithfulness ({task})"}
        assert len(names) == orders
    above = found["faithfulness (purchase)", "deletion_auc_above_random", "event removal", 0]
    assert above.low > 0
    assert above.n > 20
    assert ("faithfulness (purchase)", "deletion_auc_above_random", "random", 0) not in found
