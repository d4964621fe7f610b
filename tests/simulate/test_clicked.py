"""By truth: dwell, carts, purchases and their delays, given a click."""

from math import gamma

import numpy as np
import pytest

from endcap.simulate import World, WorldConfig
from endcap.simulate.config import HOUR_US


@pytest.fixture(scope="module")
def many(request):
    """About 60,000 clicks of a world in which everybody clicks much."""
    world = World(WorldConfig(base_logit=0.0, examination=False))
    random = np.random.default_rng(0)
    from endcap.simulate import Pages

    count = 12_000
    pages = Pages(
        shopper=random.integers(0, world.config.shoppers, count),
        day=np.zeros(count, dtype=np.int64),
        session=np.zeros(count, dtype=np.int64),
        page=np.arange(count),
        at_us=world.opening_us + random.integers(0, 86_400, count) * 1_000_000,
        device=random.integers(1, 3, count),
        item=random.integers(0, 400, (count, 10)),
        campaign=np.full((count, 10), -1),
    )
    return world, pages, world.respond(pages)


def test_dwell_has_its_true_mean_and_is_right_skewed(many):
    _, _, responses = many
    mean = responses.truth.dwell_ms[responses.row, responses.place]
    ratio = responses.dwell_ms / mean
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / np.sqrt(len(ratio))
    median = np.log(2) ** 1.25 / gamma(2.25)  # of a Weibull of shape 0.8 and mean 1
    assert abs(np.median(ratio) - median) < 0.02


def test_censored_dwell_is_a_lower_bound_and_the_rest_is_exact(many):
    _, _, responses = many
    assert (
        responses.observed_ms[responses.censored] < responses.dwell_ms[responses.censored]
    ).all()
    seen = ~responses.censored
    np.testing.assert_array_equal(responses.observed_ms[seen], responses.dwell_ms[seen])
    assert 0.03 < responses.censored.mean() < 0.15
    assert responses.observed_ms.max() <= 600_000


def test_purchases_within_seven_days_come_as_often_as_said(many):
    _, _, responses = many
    expected = responses.truth.buy[responses.row, responses.place].sum()
    in_time = responses.purchase & (responses.delay_us <= 7 * 24 * HOUR_US)
    assert abs(in_time.sum() - expected) < 4 * np.sqrt(expected)


def test_nobody_buys_without_a_cart(many):
    _, _, responses = many
    assert not (responses.purchase & ~responses.cart).any()
    assert responses.purchase.sum() < responses.cart.sum()


@pytest.mark.parametrize(("hours", "share"), [(1, 0.333), (24, 0.520), (168, 0.943)])
def test_delays_have_the_quantiles_of_the_trade(many, hours, share):
    _, _, responses = many
    delays = responses.delay_us
    assert abs((delays <= hours * HOUR_US).mean() - share) < 0.012


def test_a_dear_item_is_bought_less_often_once_clicked(many):
    world, pages, responses = many
    item = pages.item[responses.row, responses.place]
    price = world.price_micros[item]
    buy = responses.truth.buy[responses.row, responses.place]
    assert buy[price < 20_000_000].mean() > 2 * buy[price > 100_000_000].mean()


def test_what_is_out_of_stock_is_not_bought():
    world = World()
    world.stock[7] = 0
    found = world.truth(3, world.opening_us, [7, 8])
    assert found.buy[0] == 0
    assert found.buy[1] > 0
