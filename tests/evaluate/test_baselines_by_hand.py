import numpy as np
import pytest

from endcap.evaluate import Als, Blend, Ease, ForwardCooccurrence, ItemKnn, OwnHistory, Popularity
from endcap.schema import Action

CLICK, BUY, CART = Action.CLICK, Action.PURCHASE, Action.ADD_TO_CART
EVERYONE = np.arange(3)


def scores(baseline, table, history=None):
    return baseline.fit(table, table if history is None else history).scores(EVERYONE)


def test_popularity_counts_people_not_clicks(event_table):
    table = event_table([(0, 1, CLICK, 1), (0, 1, CLICK, 2), (0, 2, CLICK, 2), (1, 2, CLICK, 9)])
    np.testing.assert_array_equal(scores(Popularity(), table), [[0, 1, 2, 0]] * 3)
    np.testing.assert_array_equal(scores(Popularity(days=1), table), [[0, 0, 1, 0]] * 3)


def test_own_items_stand_above_the_fill_and_the_fill_breaks_their_ties(event_table):
    table = event_table(
        [(0, 0, CLICK, 1), (0, 3, CLICK, 1), (1, 3, CLICK, 2), (1, 1, CLICK, 2), (2, 1, CLICK, 3)]
    )
    ranked = np.argsort(-scores(OwnHistory(rule="days"), table), kind="stable")
    assert list(ranked[0]) == [3, 0, 1, 2]
    assert list(ranked[2]) == [1, 3, 0, 2]


def test_each_rule_weighs_days_as_it_says(event_table):
    table = event_table(
        [(0, 0, CLICK, 2), (0, 0, CLICK, 2), (0, 0, CLICK, 6), (0, 1, CART, 8), (0, 1, BUY, 8)]
    )
    own = {rule: OwnHistory(rule=rule, half_life_days=4, fill=None) for rule in RULES}
    found = {rule: scores(baseline, table)[0, :2] for rule, baseline in own.items()}
    np.testing.assert_allclose(found["recency"], [1 / 4, 1 / 2])
    np.testing.assert_allclose(found["days"], [2, 1])
    np.testing.assert_allclose(found["decayed"], [2**-2 + 2**-1, 2**-0.5])
    early, late = np.log(3) * 2**-2, np.log(2) * 2**-1
    np.testing.assert_allclose(found["typed"], [early + late, (3 + 1) * np.log(2) * 2**-0.5])


RULES = ("recency", "days", "decayed", "typed")


def test_item_knn_by_hand_and_no_item_is_its_own_neighbour(event_table):
    table = event_table(
        [(0, 0, CLICK, 1), (0, 1, CLICK, 1), (1, 0, CLICK, 1), (1, 1, CLICK, 1), (2, 0, CLICK, 1)]
    )
    together = 2 / (np.sqrt(3 * 2) + 10)
    np.testing.assert_allclose(scores(ItemKnn(), table)[2], [0, together, 0, 0])


def test_only_the_nearest_neighbours_speak(event_table):
    rows = [(user, item, CLICK, 1) for user in range(2) for item in (0, 1)] + [(1, 2, CLICK, 1)]
    one = scores(ItemKnn(neighbours=1), event_table([*rows, (2, 0, CLICK, 1)]))[2]
    assert one[1] > 0
    assert one[2] == 0


def test_forward_cooccurrence_by_hand_goes_forward_only(event_table):
    table = event_table(
        [(0, 0, CLICK, 1), (0, 1, CLICK, 2), (0, 2, CLICK, 3), (1, 2, CLICK, 1), (2, 0, CLICK, 4)]
    )
    found = scores(ForwardCooccurrence(), table)
    np.testing.assert_allclose(found[1], [0, 0, 0, 0])
    n = np.array([2, 1, 2])
    follows = [0, 1 / np.sqrt(n[0] * n[1]), 2**-0.5 / np.sqrt(n[0] * n[2]), 0]
    np.testing.assert_allclose(found[2], follows)
    from_one = np.array([0, 0, 1 / np.sqrt(n[1] * n[2]), 0])
    np.testing.assert_allclose(found[0], 0.75 * from_one + 0.75**2 * np.array(follows))


def test_events_of_one_instant_do_not_follow_one_another(event_table):
    table = event_table([(0, 0, CLICK, 1), (0, 1, CLICK, 1), (1, 0, CLICK, 1)])
    assert not scores(ForwardCooccurrence(), table).any()


def test_ease_solves_the_ridge_problem_with_a_zero_diagonal(event_table):
    rng = np.random.default_rng(0)
    rows = [(u, i, CLICK, 1) for u in range(12) for i in range(4) if rng.random() < 0.5]
    table = event_table([*rows, (0, 0, CLICK, 1)], num_users=12)
    x = table.matrix().toarray()
    found = Ease(ridge=2.0).fit(table, table).scores(np.arange(12))
    for item in range(4):  # the column's own ridge regression on the other items
        others = [other for other in range(4) if other != item]
        left = x[:, others].T @ x[:, others] + 2.0 * np.eye(3)
        expected = x[:, others] @ np.linalg.solve(left, x[:, others].T @ x[:, item])
        np.testing.assert_allclose(found[:, item], expected, atol=1e-5)


def test_items_without_training_rows_get_nothing_from_ease(event_table):
    table = event_table([(0, 0, CLICK, 1), (0, 1, CLICK, 1), (1, 0, CLICK, 1)])
    found = scores(Ease(ridge=1.0), table, event_table([(0, 0, CLICK, 1), (0, 3, CLICK, 2)]))
    assert found.shape == (3, 4)
    assert found[0, 1] > 0
    assert not found[:, 2:].any()


def test_als_recovers_two_groups_of_taste(event_table):
    rows = [(u, i, CLICK, 1) for u in range(10) for i in range(4) if (u < 5) == (i < 2)]
    table = event_table(rows, num_users=11)
    one_item = event_table([(10, 0, CLICK, 2)], num_users=11)
    found = Als(dim=4, ridge=0.1).fit(table, one_item).scores(np.array([10]))[0]
    assert found[1] > 0.3 > 2 * abs(found[2:]).max()


def test_a_blend_divides_each_part_by_its_largest(event_table):
    table = event_table([(0, 0, CLICK, 1), (0, 1, CLICK, 1), (1, 1, CLICK, 1)])
    popular = Popularity().fit(table, table)
    own = OwnHistory(fill=None).fit(table, table)
    blend = Blend(name="blend", parts=((1.0, own), (0.3, popular)))
    np.testing.assert_allclose(blend.scores(EVERYONE)[0], [1.15, 1.3, 0, 0], atol=1e-5)
    np.testing.assert_allclose(blend.scores(EVERYONE)[2], [0.15, 0.3, 0, 0])


@pytest.mark.parametrize("weighing", ["binary", "bm25"])
def test_knn_learns_from_training_and_reads_the_later_history(event_table, weighing):
    pair = [(0, 0, CLICK, 1), (0, 1, CLICK, 1)]
    training = event_table(pair)
    history = event_table([*pair, (2, 0, CLICK, 5)])
    found = scores(ItemKnn(weighing=weighing), training, history)
    assert found[2].argmax() == 1
    assert not found[1].any()
