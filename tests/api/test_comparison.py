"""Two runs of the same shoppers: what is common to both falls out of their difference."""

import numpy as np
import pytest

from endcap.api.comparison import more_per_thousand, per_thousand

SHOPPERS = 40


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def pages_of(worth_micros, pages):
    """One value per page, and whose page it is."""
    shopper = np.repeat(np.arange(SHOPPERS), pages)
    return worth_micros[shopper], shopper


def test_what_ads_add_is_the_difference_of_two_values(rng):
    ours = pages_of(rng.uniform(0, 1e6, SHOPPERS), 3)
    theirs = pages_of(rng.uniform(0, 1e6, SHOPPERS), 5)
    difference = per_thousand(*ours)[0] - per_thousand(*theirs)[0]
    assert more_per_thousand(ours, theirs)[0] == pytest.approx(difference)


def test_shoppers_are_drawn_together(rng):
    level = rng.uniform(0, 1e6, SHOPPERS)
    value, low, high = more_per_thousand(pages_of(level + 7_000, 4), pages_of(level, 4))
    assert value == pytest.approx(7.0)
    assert (low, high) == pytest.approx((7.0, 7.0))


def test_a_run_without_some_shoppers_is_compared_on_those_who_came(rng):
    level = rng.uniform(0, 1e6, SHOPPERS)
    micros, shopper = pages_of(level, 4)
    half = shopper < SHOPPERS // 2
    value, low, high = more_per_thousand((micros[half], shopper[half]), (micros, shopper))
    assert low < value < high
