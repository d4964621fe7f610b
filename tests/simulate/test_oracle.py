import numpy as np
import pytest

from endcap.errors import QueryError
from endcap.schema import Question, ValueConfig, empty_events
from endcap.simulate import Oracle, World, WorldConfig


def question_of(world, user_id, items, campaigns):
    return Question(
        user_id=user_id,
        history=empty_events(),
        at_us=world.opening_us + 3_600_000_000,
        device=1,
        item=np.array(items, dtype=np.int32),
        campaign=np.array(campaigns, dtype=np.int32),
        counters=np.zeros((0, 0), dtype=np.float32),
    )


def test_the_oracle_answers_with_the_truth_of_the_shopper():
    world = World(WorldConfig(shoppers=40, items=50, campaigns=3))
    question = question_of(world, world.user_id_of(17), [4, 9], [-1, 2])
    answer = Oracle(world).predict(question)
    truth = world.truth(17, question.at_us, [4, 9], [-1, 2])
    np.testing.assert_array_equal(answer.q, truth.q.astype(float))
    np.testing.assert_array_equal(answer.dwell_ms, truth.dwell_ms.astype(float))
    np.testing.assert_array_equal(answer.buy, truth.buy.astype(float))
    assert answer.q.dtype == np.float64


def test_a_record_of_the_truth_repeats_when_the_world_has_moved_on():
    world = World(WorldConfig(shoppers=40, items=50, campaigns=3))
    oracle, question = Oracle(world), question_of(world, world.user_id_of(17), [4, 9], [-1, 2])
    answer = oracle.predict(question)
    world.sell(17, 4, question.at_us)
    again = oracle.repeat(question, answer.context)
    np.testing.assert_array_equal(again.q, answer.q)
    np.testing.assert_array_equal(again.buy, answer.buy)
    assert oracle.predict(question).q[0] != answer.q[0]


def test_retrieval_gives_the_items_of_most_worth_first():
    world = World(WorldConfig(shoppers=40, items=50))
    question = question_of(world, world.user_id_of(3), [], [])
    oracle = Oracle(world, ValueConfig(click_micros=20_000, dwell_micros_per_second=1_000))
    rows, everything = oracle.retrieve(question, 10), oracle.retrieve(question, 50)
    assert rows.dtype == np.int32
    np.testing.assert_array_equal(rows, everything[:10])
    truth = world.truth(3, question.at_us, everything)
    margin = (world.price_micros - world.goods.unit_cost_micros)[everything]
    worth = truth.q * (20_000 + truth.dwell_ms + truth.buy * margin)
    assert (np.diff(worth) <= 1).all()


def test_the_oracle_knows_every_visitor_by_every_id():
    world = World(WorldConfig(shoppers=60, items=50))
    visitor = int(np.flatnonzero(~world.shoppers.is_known)[0])
    for session in range(10):
        question = question_of(world, world.greet(visitor, session), [1], [-1])
        truth = world.truth(visitor, question.at_us, [1])
        assert Oracle(world).predict(question).q[0] == truth.q[0]


def test_a_stranger_is_named():
    world = World(WorldConfig(shoppers=4, items=5))
    with pytest.raises(QueryError, match="must be a shopper of this world, got 'nobody'"):
        Oracle(world).predict(question_of(world, "nobody", [1], [-1]))


def test_the_oracle_earns_more_than_the_best_page_for_everybody():
    """Tastes matter: the most popular items reach less than half of the way to the truth."""
    world = World()
    everybody = range(len(world.shoppers))
    q = np.array([world.truth(who, world.opening_us, np.arange(400)).q for who in everybody])
    chance = q.mean()
    popular = q[:, np.argsort(-q.mean(axis=0))[:10]].mean()
    best = np.sort(q, axis=1)[:, -10:].mean()
    assert chance < popular < best
    assert (popular - chance) / (best - chance) < 0.5
