"""Each switch changes what it says, and the luck of everything else stays as it was."""

import numpy as np
import pytest

from endcap.simulate import World, WorldConfig
from endcap.simulate.config import HOUR_US

SIZE = {"shoppers": 150, "items": 100, "campaigns": 6}


def world_without(name):
    switched = not getattr(WorldConfig(), name)
    return World(WorldConfig(**SIZE, **{name: switched}))


@pytest.mark.parametrize("name", WorldConfig.switches())
def test_a_switch_leaves_the_goods_and_their_prices_alone(name):
    world, plain = world_without(name), World(WorldConfig(**SIZE))
    assert world.goods.price_micros.tobytes() == plain.goods.price_micros.tobytes()
    assert world.goods.appeal.tobytes() == plain.goods.appeal.tobytes()
    assert world.shoppers.favourites.tobytes() == plain.shoppers.favourites.tobytes()
    assert world.shoppers.device.tobytes() == plain.shoppers.device.tobytes()


@pytest.mark.parametrize("name", WorldConfig.switches())
def test_only_the_switches_of_a_first_page_change_its_chances(name, make_pages):
    """Memory is empty on the first day, so most mechanisms have nothing to say yet."""
    plain = World(WorldConfig(**SIZE))
    pages = make_pages(plain, 400, ads=(1, 7))
    same = np.array_equal(world_without(name).respond(pages).chance, plain.respond(pages).chance)
    at_once = {"tastes", "examination", "neighbours", "cascade", "category_hours", "ad_hours"}
    assert same == (name not in at_once)


def test_without_tastes_everybody_is_the_same():
    world = world_without("tastes")
    found = [world.truth(who, world.opening_us, np.arange(100)) for who in (3, 90)]
    for first, second in zip(vars(found[0]).values(), vars(found[1]).values(), strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-5)


def test_without_delays_purchases_come_at_once_and_the_same_people_buy(make_pages):
    plain, world = World(WorldConfig(**SIZE)), world_without("delays")
    pages = make_pages(plain, 5_000)
    with_delay, at_once = plain.respond(pages), world.respond(pages)
    assert (at_once.delay_us == 0).all()
    np.testing.assert_array_equal(with_delay.purchase, at_once.purchase)
    np.testing.assert_array_equal(with_delay.dwell_ms, at_once.dwell_ms)


def test_without_censoring_the_log_sees_the_true_dwell(make_pages):
    plain, world = World(WorldConfig(**SIZE)), world_without("censoring")
    pages = make_pages(plain, 5_000)
    responses = world.respond(pages)
    assert not responses.censored.any()
    np.testing.assert_array_equal(responses.observed_ms, plain.respond(pages).dwell_ms)


def test_without_a_daily_cycle_every_hour_is_alike():
    many = {"shoppers": 6_000, "items": 10}
    hours = [
        np.bincount(
            World(WorldConfig(**many, daily_cycle=cycle)).plan().next_us // HOUR_US % 24,
            minlength=24,
        )
        for cycle in (True, False)
    ]
    assert hours[0].max() > 8 * hours[0].min()
    assert hours[1].max() < 2 * hours[1].min()


def test_without_promotions_prices_stay():
    plain, world = World(WorldConfig(items=500)), World(WorldConfig(items=500, promotions=False))
    cheaper = plain.price_micros < plain.goods.price_micros
    assert 5 < cheaper.sum() < 40
    assert (plain.price_micros >= plain.goods.unit_cost_micros).all()
    np.testing.assert_array_equal(world.price_micros, world.goods.price_micros)


@pytest.mark.parametrize("name", ["new_items", "new_shoppers", "drift"])
def test_what_a_night_brings_can_be_switched_off(name):
    world, plain = world_without(name), World(WorldConfig(**SIZE))
    for _ in range(5):
        world.open_next_day()
        plain.open_next_day()
    items = 100 if name == "new_items" else 100 + 5 * plain.config.new_items_per_day
    shoppers = 150 if name == "new_shoppers" else 150 + 5 * plain.config.new_shoppers_per_day
    assert plain.config.new_items_per_day and plain.config.new_shoppers_per_day
    assert (len(world.goods), len(world.shoppers)) == (items, shoppers)
    moved = not np.array_equal(
        world.shoppers.favourites[:150], World(WorldConfig(**SIZE)).shoppers.favourites
    )
    assert moved == (name != "drift")


def test_known_shoppers_keep_their_id_and_visitors_may_not():
    world = World(WorldConfig(**SIZE))
    visitor = int(np.flatnonzero(~world.shoppers.is_known)[0])
    known = int(np.flatnonzero(world.shoppers.is_known)[0])
    visitor_ids = {world.greet(visitor, session) for session in range(40)}
    assert 5 < len(visitor_ids) < 25
    assert {world.shopper_of_user[user_id] for user_id in visitor_ids} == {visitor}
    assert len({world.greet(known, session) for session in range(40)}) == 1
    assert world_without("anonymous").shoppers.is_known.all()
