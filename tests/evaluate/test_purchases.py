import numpy as np
import pytest

from endcap import evaluate
from endcap.errors import MissingExtraError
from endcap.schema import Action

CLICK, BUY, CART = Action.CLICK, Action.PURCHASE, Action.ADD_TO_CART

LOG = [
    (0, 0, CLICK, 1), (0, 0, CLICK, 1), (0, 1, CLICK, 9), (0, 1, BUY, 9), (0, 1, BUY, 12),
    (1, 2, CART, 4), (1, 2, BUY, 20), (2, 3, CLICK, 11),
]  # fmt: skip


def value(rows, name, at):
    return rows.columns([name])[at, 0]


def test_users_are_asked_once_seen_and_labels_lie_in_the_horizon(event_table):
    rows = evaluate.purchase_rows(event_table(LOG), [10, 13], horizon_days=7)
    assert list(zip(rows.user, rows.snapshot, strict=True)) == [
        (0, 10), (1, 10), (0, 13), (1, 13), (2, 13),
    ]  # fmt: skip
    assert list(rows.label) == [True, False, False, True, False]


def test_features_of_a_user_by_hand(event_table):
    rows = evaluate.purchase_rows(event_table(LOG), [10], horizon_days=7)
    assert value(rows, "user_days_total", 0) == 2
    assert value(rows, "user_clicks_total", 0) == 2  # two clicks of one day and item are one
    assert value(rows, "user_days_3", 0) == 1
    assert value(rows, "user_items_total", 0) == 2
    assert value(rows, "user_recency_buy", 0) == 1
    assert value(rows, "user_recency_buy", 1) == 200
    assert value(rows, "user_recency_wish", 1) == 6
    assert value(rows, "user_tenure", 0) == 9


def test_pairs_carry_their_own_their_users_and_their_items_columns(event_table):
    rows = evaluate.purchase_rows(event_table(LOG), [10], horizon_days=7, level="pair")
    assert list(zip(rows.user, rows.item, strict=True)) == [(0, 0), (0, 1), (1, 2)]
    assert list(rows.label) == [False, True, False]
    assert value(rows, "pair_recency_any", 0) == 9
    assert value(rows, "user_recency_any", 0) == 1
    assert value(rows, "item_buyers", 1) == 1


def test_what_comes_after_a_snapshot_changes_no_feature(event_table):
    whole = evaluate.purchase_rows(event_table(LOG), [10], horizon_days=7, level="pair")
    cut = [row for row in LOG if row[3] <= 10]
    alone = evaluate.purchase_rows(event_table(cut), [10], horizon_days=7, level="pair")
    np.testing.assert_array_equal(whole.features, alone.features)


@pytest.fixture
def two_sides(event_table):
    """A thousand users; those with more clicks buy more, by a known chance."""
    rng = np.random.default_rng(0)
    clicks = rng.integers(1, 8, size=2000)
    buys = rng.random(2000) < clicks / 10
    rows = [(u, 0, CLICK, d) for u in range(2000) for d in range(clicks[u])]
    rows += [(u, 0, BUY, 12) for u in np.flatnonzero(buys)]
    table = event_table(rows, num_users=2000)
    asked = evaluate.purchase_rows(table, [10], horizon_days=7)
    return part(asked, slice(0, 1000)), part(asked, slice(1000, 2000)), clicks[1000:] / 10


def part(rows, at):
    return evaluate.PurchaseRows(
        user=rows.user[at], item=rows.item[at], snapshot=rows.snapshot[at],
        features=rows.features[at], names=rows.names, label=rows.label[at],
    )  # fmt: skip


@pytest.mark.parametrize("fit", [evaluate.logistic_chances, evaluate.tree_chances])
def test_learned_chances_come_near_the_truth(two_sides, fit):
    training, test, truth = two_sides
    assert np.abs(fit(training, test) - truth).mean() < 0.06
    assert np.abs(evaluate.base_rate(training, test) - truth).mean() > 0.12


def test_the_report_bounds_auc_and_pairs_two_models(two_sides):
    training, test, truth = two_sides
    made = {"task": "buy", "label": test.label, "user": test.user}
    known = evaluate.ChanceReport(model="truth", chance=truth, **made)
    base = evaluate.ChanceReport(model="base", chance=evaluate.base_rate(training, test), **made)
    rows = {row.metric: row for row in known.rows(resamples=100)}
    assert rows["auc"].low < rows["auc"].value < rows["auc"].high
    assert rows["ece"].value < 3 * rows["ece_floor"].value
    assert rows["pcoc"].value == pytest.approx(1, abs=0.1)
    gain = evaluate.compare_auc(known, base, resamples=100)
    assert gain.low > 0.1
    assert gain.value == pytest.approx(rows["auc"].value - 0.5)


def test_without_the_extra_the_message_names_it(two_sides, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.ensemble", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'endcap\[evaluate\]'"):
        evaluate.tree_chances(*two_sides[:2])
