import numpy as np
import pytest

from endcap.schema import Action, Hazard
from endcap.train.sampling import MAX_UNSEEN, PairSampler, _draw, pair_task

DAY = 86_400_000_000


def kept(chance_seen, chance_unseen, *, num_seen, num_items, draws, seed):
    """Draw samples of a world of known chances; return is_seen, is_bought, offset per row."""
    random = np.random.default_rng(seed)
    known = np.arange(num_items, dtype=np.int32)
    seen = known[:num_seen]
    chance = np.where(known < num_seen, chance_seen, chance_unseen)
    found, marks = [], np.zeros(num_items, dtype=np.uint8)
    for _ in range(draws):
        bought = known[random.random(num_items) < chance]
        sample = _draw(bought, seen, known, random, marks)
        found.append((sample.item < num_seen, np.isin(sample.item, bought), sample.log_offset))
    return [np.concatenate(column) for column in zip(*found, strict=True)]


@pytest.mark.parametrize("chances", [(0.1, 0.02), (0.5, 0.3)])
def test_odds_less_the_offset_are_the_worlds_odds(chances):
    is_seen, is_bought, offset = kept(*chances, num_seen=14, num_items=30, draws=2500, seed=1)
    for group, chance in ((is_seen, chances[0]), (~is_seen, chances[1])):
        bought = np.exp(-offset[group & is_bought].astype(np.float64)).sum()
        odds = bought / (group & ~is_bought).sum()
        assert odds == pytest.approx(chance / (1 - chance), rel=0.06)


def test_few_items_are_all_asked_about_without_an_offset():
    known = np.arange(40, dtype=np.int32)
    sample = _draw(
        known[[3]], known[[3, 4]], known, np.random.default_rng(0), np.zeros(40, np.uint8)
    )
    rates = dict(zip(sample.item, sample.log_offset, strict=True))
    assert rates.pop(3) == rates.pop(4) == 0.0
    unseen = -np.log(1 - (1 - 1 / 40) ** MAX_UNSEEN)
    np.testing.assert_allclose(list(rates.values()), unseen, rtol=1e-6)


def test_no_item_is_asked_about_twice():
    known = np.arange(12, dtype=np.int32)
    marks = np.zeros(12, dtype=np.uint8)
    sample = _draw(known[[0, 1]], known[[1, 2]], known, np.random.default_rng(3), marks)
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
