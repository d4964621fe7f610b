from dataclasses import replace

import numpy as np

from endcap.simulate import World, WorldConfig
from endcap.simulate.noise import Stream, keys_of
from endcap.simulate.traffic import GAP_US, Sessions, goodwill_change, stay_chance, stays


def test_ads_end_sessions_and_interest_prolongs_them():
    config = WorldConfig()
    clicks, ads = np.array([0.6, 0.6, 2.0]), np.array([0.0, 3.0, 0.0])
    usual, with_ads, of_interest = stay_chance(config, clicks, ads)
    assert with_ads < usual - 0.1
    assert of_interest > usual + 0.05
    assert goodwill_change(config, clicks, ads)[1] < 0 < goodwill_change(config, clicks, ads)[2]


def test_without_aversion_and_page_value_all_pages_are_alike():
    config = WorldConfig(ad_aversion=False, page_value=False)
    clicks, ads = np.array([0.0, 2.0]), np.array([4.0, 0.0])
    assert len(set(stay_chance(config, clicks, ads))) == 1
    assert not goodwill_change(config, clicks, ads).any()


def test_sessions_end_as_often_as_said_and_at_the_latest_page():
    config = WorldConfig(max_pages=4)
    keys, flat = keys_of(1, Stream.PAGE, np.arange(40_000)), np.ones(40_000)
    went_on = stays(config, keys, np.zeros(40_000), flat, flat)
    assert abs(went_on.mean() - stay_chance(config, flat[:1], flat[:1])[0]) < 0.01
    assert not stays(config, keys, np.full(40_000, 3), flat, flat).any()


def test_rare_visits_are_as_many_as_configured(rare):
    world = World(replace(rare, shoppers=20_000, items=2, daily_cycle=False))
    assert abs(len(world.plan()) / 20_000 / 0.33 - 1) < 0.05


def test_nobody_comes_a_third_time_so_daily_visits_fall_short_of_one():
    """The keen, whose mean is above one a day, come once for certain, and at most twice."""
    world = World(WorldConfig(shoppers=20_000, items=2, daily_cycle=False))
    visits = np.bincount(world.plan().shopper, minlength=20_000)
    assert visits.max() == 2
    mean = world.shoppers.visit_permille / 1000
    hoped = np.minimum(mean / 1.25, 1) + mean / 1.25 * 0.25
    assert abs(visits.mean() / hoped.mean() - 1) < 0.02
    assert 0.80 < hoped.mean() < 0.85


def test_a_second_session_waits_until_the_first_is_over():
    start_us = np.array([0, 1_000])
    sessions = Sessions(0, np.array([4, 4]), np.array([0, 1]), start_us, np.array([1, 1]))
    assert sessions.ready(None).tolist() == [0]
    sessions.advance(np.array([0]), np.array([5_000]), np.array([True]))
    assert sessions.next_us.tolist() == [5_000, 5_000 + GAP_US]
    sessions.advance(np.array([0]), np.array([9_000]), np.array([False]))
    assert sessions.ready(None).tolist() == [1]
    assert sessions.ready(9_000 + GAP_US).tolist() == []


def test_newcomers_come_on_their_first_day():
    world = World(WorldConfig(shoppers=50, items=10, new_shoppers_per_day=7))
    world.open_next_day()
    assert set(range(50, 57)) <= set(world.plan().shopper.tolist())
