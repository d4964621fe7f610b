"""What happened before changes what is wanted now, in the way it is said to."""

import numpy as np
import pytest

from endcap.simulate import World, WorldConfig
from endcap.simulate.config import DAY_US, HOUR_US

NOW = np.zeros(1, dtype=np.float32)


def odds(world, shopper, item, days=0.0):
    q = world.truth(shopper, world.config.start_us + int(days * DAY_US), item).q.astype(float)
    return np.log(q / (1 - q))


def click(world, shopper, item):
    who, what = np.array([shopper]), np.array([item])
    world.memory.click(who, what, NOW, world.goods, world.goes_with)


def one_of(world, *, consumable, apart_from=()):
    rows = np.flatnonzero(world.goods.is_consumable == consumable)
    return int(next(row for row in rows if row not in apart_from))


def test_what_goes_with_a_click_is_wanted_and_the_want_fades():
    world = World(WorldConfig(category_hours=False))
    leaf = world.goods.leaf[5]
    partner = int(np.flatnonzero(world.goods.leaf == world.goes_with[leaf, 0])[0])
    before = odds(world, 0, [partner])
    click(world, 0, 5)
    assert odds(world, 0, [partner]) - before == pytest.approx(0.7, abs=1e-3)
    assert odds(world, 0, [partner], days=2) - before == pytest.approx(0.7 / np.e, abs=1e-3)


def test_wants_of_two_clicks_add_up_each_faded_by_its_age():
    world = World(WorldConfig(category_hours=False, fatigue=False))
    leaf = world.goods.leaf[5]
    partner = int(np.flatnonzero(world.goods.leaf == world.goes_with[leaf, 0])[0])
    before = odds(world, 0, [partner])
    for day in (0, 3):
        days, who = np.full(1, day, dtype=np.float32), np.zeros(1, dtype=np.int64)
        world.memory.click(who, np.array([5]), days, world.goods, world.goes_with)
    both = 0.7 * np.exp(-3 / 2) + 0.7
    assert odds(world, 0, [partner], days=3) - before == pytest.approx(both, abs=1e-3)


def test_a_click_tires_of_the_item_for_some_hours():
    world = World(WorldConfig(category_hours=False, complements=False))
    before = odds(world, 0, [5])
    click(world, 0, 5)
    assert odds(world, 0, [5]) - before == pytest.approx(-0.9, abs=1e-3)
    assert odds(world, 0, [5], days=5) - before == pytest.approx(0, abs=0.01)


def test_a_lasting_good_is_wanted_less_once_bought_and_so_is_its_kind():
    world = World(WorldConfig(category_hours=False, complements=False))
    item = one_of(world, consumable=False)
    same_leaf = np.flatnonzero(world.goods.leaf == world.goods.leaf[item])
    other = int(same_leaf[same_leaf != item][0])
    before = odds(world, 0, [item, other])
    world.sell(0, item, world.config.start_us)
    change = odds(world, 0, [item, other], days=1) - before
    assert change[0] == pytest.approx(-2.5 * np.exp(-1 / 30) - np.exp(-1 / 7), abs=1e-3)
    assert change[1] == pytest.approx(-np.exp(-1 / 7), abs=1e-3)


def test_what_is_used_up_is_wanted_again():
    world = World(WorldConfig(category_hours=False, complements=False))
    item = one_of(world, consumable=True)
    before = odds(world, 0, [item])
    world.sell(0, item, world.config.start_us)
    assert odds(world, 0, [item], days=0.1) < before - 1.5
    assert odds(world, 0, [item], days=7) > before + 1


def test_an_ad_works_twice_as_well_at_its_good_hours():
    world = World(WorldConfig(category_hours=False))
    good = int(world.advertisers.good_hour[0])
    item = int(world.advertisers.items[0, 0])
    start = world.config.start_us
    inside = world.truth(0, start + good * HOUR_US, item, 0).q
    outside = world.truth(0, start + (good + 8) % 24 * HOUR_US, item, 0).q
    own = world.truth(0, start, item).q
    factor = world.advertisers.factor_permille[0] / 1000
    assert inside / outside == pytest.approx(2 / 0.6, rel=1e-4)
    assert inside / own == pytest.approx(2 * factor, rel=1e-4)


def test_favourites_are_liked_more_than_other_categories(rare):
    world = World(rare)
    q = np.array([world.truth(who, world.opening_us, np.arange(400)).q for who in range(300)])
    liked = (world.shoppers.favourites[:300, :, None] == world.goods.leaf).any(axis=1)
    assert q[liked].mean() > 4 * q[~liked].mean()


def test_tastes_drift_a_little_every_day():
    world = World(WorldConfig(shoppers=3_000))
    before = world.shoppers.favourites
    world.open_next_day()
    moved = (world.shoppers.favourites[:3_000] != before).any(axis=1).mean()
    assert 0.01 < moved < 0.025
