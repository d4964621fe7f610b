import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit

from endcap.schema import Action, Hazard
from endcap.train.sampling import MAX_UNSEEN, MEAN_BOUGHT, PairSampler, Sample, _draw, pair_task

DAY = 86_400_000_000


def kept(chance_seen, chance_unseen, *, num_seen, num_items, draws, seed, returns=1.0, rate=0.4):
    """Draw samples of a world of known chances; return is_seen, is_bought, offset per row.

    Args:
        returns: how often a shopper comes back at all; the chances are of one who does.
    """
    random = np.random.default_rng(seed)
    known = np.arange(num_items, dtype=np.int32)
    seen = known[:num_seen]
    chance = np.where(known < num_seen, chance_seen, chance_unseen)
    found, marks = [], np.zeros(num_items, dtype=np.uint8)
    for _ in range(draws):
        bought = known[random.random(num_items) < chance * (random.random() < returns)]
        sample = _draw(bought, seen, known, random, marks, rate)
        found.append((sample.item < num_seen, np.isin(sample.item, bought), sample.log_offset))
    return [np.concatenate(column) for column in zip(*found, strict=True)]


@pytest.mark.parametrize("chances", [(0.1, 0.02), (0.5, 0.3)])
def test_odds_less_the_offset_are_the_worlds_odds(chances):
    is_seen, is_bought, offset = kept(*chances, num_seen=14, num_items=30, draws=6000, seed=1)
    for group, chance in ((is_seen, chances[0]), (~is_seen, chances[1])):
        bought = np.exp(-offset[group & is_bought].astype(np.float64)).sum()
        odds = bought / (group & ~is_bought).sum()
        assert odds == pytest.approx(chance / (1 - chance), rel=0.06)


def test_what_is_bought_together_moves_no_chance():
    """Who comes back buys ten things at once: the odds that fit the rows are still the world's."""
    is_seen, is_bought, offset = kept(
        0.4, 0.05, num_seen=24, num_items=60, draws=20_000, seed=2, returns=0.1
    )
    for group, chance in ((is_seen, 0.04), (~is_seen, 0.005)):
        own, bought = offset[group].astype(np.float64), is_bought[group]
        logit = brentq(lambda z: (expit(z + own) - bought).sum(), -12, 4)  # noqa: B023
        assert expit(logit) == pytest.approx(chance, rel=0.06)


def test_a_shopper_of_large_baskets_is_asked_about_some_of_the_next_one(make_log):
    tasks = (Hazard(name="purchase", measures="delay", space="all", event_type="purchase"),)
    basket = [(0, day * DAY, item, Action.PURCHASE) for day in (1, 4) for item in range(7)]
    log = make_log(basket, num_items=7, tasks=tasks)
    sampler = PairSampler(log)
    drawn = [sampler.sample(np.random.default_rng(k), 0, 2 * DAY, 7, 0) for k in range(60)]
    assert np.mean([len(sample.item) for sample in drawn]) == pytest.approx(MEAN_BOUGHT, abs=0.5)
    # Four of the seven items that were seen are drawn too, and fall away where they are bought.
    offsets = np.concatenate([sample.log_offset for sample in drawn])
    np.testing.assert_allclose(offsets, 0.0, atol=1e-6)


def test_a_wide_sample_is_asked_in_parts():
    item = np.arange(40, dtype=np.int32)
    parts = list(Sample(item=item, log_offset=item.astype(np.float32) / 7).parts())
    assert [len(part.item) for part in parts] == [16, 16, 8]
    np.testing.assert_array_equal(np.concatenate([part.item for part in parts]), item)
    offsets = np.concatenate([part.log_offset for part in parts])
    np.testing.assert_array_equal(offsets, item.astype(np.float32) / 7)


def test_few_items_are_all_asked_about_without_an_offset():
    known = np.arange(40, dtype=np.int32)
    sample = _draw(
        known[[3]], known[[3, 4]], known, np.random.default_rng(0), np.zeros(40, np.uint8), 1.0
    )
    rates = dict(zip(sample.item, sample.log_offset, strict=True))
    assert rates.pop(3) == rates.pop(4) == 0.0
    unseen = -np.log(1 - (1 - 1 / 40) ** MAX_UNSEEN)
    np.testing.assert_allclose(list(rates.values()), unseen, rtol=1e-6)


def test_no_item_is_asked_about_twice():
    known = np.arange(12, dtype=np.int32)
    marks = np.zeros(12, dtype=np.uint8)
    sample = _draw(known[[0, 1]], known[[1, 2]], known, np.random.default_rng(3), marks, 1.0)
    assert not marks.any()
    assert len(np.unique(sample.item)) == len(sample.item)


def test_what_cannot_be_watched_is_not_asked(make_log):
    log = make_log([(0, DAY, 0, Action.VIEW)])
    sampler, random = PairSampler(log), np.random.default_rng(0)
    assert sampler.sample(random, 0, log.train_end_us - 1, 1, 0) is None
    assert sampler.sample(random, 0, DAY, 1, 0) is not None


def test_a_shops_own_goal_is_what_buyers_are_sampled_by(make_log):
    tasks = (Hazard(name="save", measures="delay", space="all", event_type="favorite"),)
    rows = [(0, DAY, 0, Action.VIEW), (0, 2 * DAY, 1, Action.FAVORITE)]
    rows += [(1, DAY, item, Action.VIEW) for item in range(2, 6)] * 40
    log = make_log(rows, tasks=tasks)
    assert pair_task(log.shop.tasks) == tasks[0]
    sampler = PairSampler(log)
    drawn = [sampler.sample(np.random.default_rng(k), 0, DAY, 1, 0) for k in range(5)]
    assert all(1 in sample.item for sample in drawn)
