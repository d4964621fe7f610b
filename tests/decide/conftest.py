"""Small random markets: products, ads, slots, rules; every number from a seed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from endcap.decide import Problem, noise_key
from endcap.schema import PageConfig

QUIET: dict[str, Any] = {
    "max_ads": 99,
    "min_ad_gap": 0,
    "reserve_micros": 0,
    "temperature": 0.0,
    "epsilon": 0.0,
    "diversity": 0.0,
}
"""A page without rules and without exploration."""

Market = Callable[..., Problem]


def make_market(
    seed: int, *, slots: int = 5, products: int = 6, ads: int = 5, **page: Any
) -> Problem:
    rng = np.random.default_rng(seed)
    count = products + ads
    is_ad = np.arange(count) >= products
    q = rng.beta(2, 8, count)
    return Problem(
        placement=rng.integers(0, 2, slots),
        slot=rng.permutation(slots),
        examination=np.sort(rng.uniform(0.1, 1.0, slots))[::-1],
        item=np.where(is_ad, rng.integers(0, count + 6, count), np.arange(count)),
        is_ad=is_ad,
        h_micros=q * rng.lognormal(11, 0.7, count) - is_ad * rng.integers(0, 2, count) * 8_000,
        q=q,
        bid_micros=np.where(is_ad, np.rint(rng.lognormal(12, 0.7, count)), 0.0),
        kappa=np.where(is_ad, rng.uniform(0.5, 1.0, count), 1.0),
        category=rng.integers(-1, 3, count),
        brand=rng.integers(-1, 3, count),
        seller=rng.integers(-1, 4, count),
        allowed=rng.uniform(size=(count, 2)) < np.where(is_ad, 0.8, 1.0)[:, None],
        page=PageConfig(**page),
        key=noise_key(b"a secret of the tests", str(seed)),
        explore=True,
    )


@pytest.fixture
def market() -> Market:
    return make_market


@pytest.fixture
def quiet() -> dict[str, Any]:
    return dict(QUIET)


RULE_SETS: tuple[dict[str, Any], ...] = (
    QUIET,
    QUIET | {"reserve_micros": 60_000},
    QUIET | {"max_ads": 2, "min_ad_gap": 1, "reserve_micros": 20_000},
    QUIET | {"temperature": 0.3},
    QUIET | {"temperature": 0.5, "epsilon": 0.3, "max_ads": 2, "min_ad_gap": 1},
    QUIET | {"diversity": 0.8, "temperature": 0.2, "max_ads": 3},
    QUIET | {"diversity": 0.5, "epsilon": 0.4, "max_per_category": 2, "max_per_seller": 2},
    {"temperature": 0.2, "epsilon": 0.2, "diversity": 0.6, "ad_free_slots": 1, "max_per_seller": 1},
    QUIET | {"epsilon": 1.0, "reserve_micros": 10_000},
)


@pytest.fixture(params=range(len(RULE_SETS)), ids=lambda i: f"rules{i}")
def rules(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(RULE_SETS[request.param])
