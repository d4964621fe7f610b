"""Every candidate has one reason, the first that applies."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.decide import AdFacts, Circumstances, ItemFacts, count_reasons, drop_reasons
from endcap.schema import Dropped

NOW = Circumstances(at_us=100, ads=True, reserve_micros=10)


def kept_item(count=1):
    return ItemFacts(
        available=np.ones(count, dtype=bool),
        stock=np.full(count, -1),
        created_at_us=np.zeros(count, dtype=np.int64),
        excluded=np.zeros(count, dtype=bool),
        in_categories=np.ones(count, dtype=bool),
        bought=np.zeros(count, dtype=bool),
    )


def kept_ad(count=1):
    return AdFacts(
        is_ad=np.ones(count, dtype=bool),
        start_at_us=np.zeros(count, dtype=np.int64),
        end_at_us=np.full(count, 101),
        speaks_now=np.ones(count, dtype=bool),
        stands_here=np.ones(count, dtype=bool),
        budget_left_micros=np.full(count, 10),
        paced_micros=np.full(count, 10.0),
    )


ITEM_CASES = [
    ("available", False, Dropped.UNAVAILABLE),
    ("stock", 0, Dropped.OUT_OF_STOCK),
    ("excluded", True, Dropped.EXCLUDED),
    ("in_categories", False, Dropped.CATEGORY),
    ("bought", True, Dropped.BOUGHT),
    ("created_at_us", 101, Dropped.NOT_YET),
]
AD_CASES = [
    ("start_at_us", 101, Dropped.FLIGHT),
    ("end_at_us", 100, Dropped.FLIGHT),
    ("speaks_now", False, Dropped.DAYPART),
    ("stands_here", False, Dropped.PLACEMENT),
    ("budget_left_micros", 9, Dropped.BUDGET),
    ("paced_micros", 9.5, Dropped.BELOW_RESERVE),
]


def test_what_breaks_no_rule_is_kept():
    assert drop_reasons(kept_item(), kept_ad(), NOW).tolist() == [Dropped.KEPT]


@pytest.mark.parametrize(("column", "value", "reason"), ITEM_CASES)
def test_an_items_fact_drops_it(column, value, reason):
    items = replace(kept_item(), **{column: np.array([value])})
    assert drop_reasons(items, kept_ad(), NOW).tolist() == [reason]


@pytest.mark.parametrize(("column", "value", "reason"), AD_CASES)
def test_a_campaigns_fact_drops_an_ad_and_no_product(column, value, reason):
    ads = replace(kept_ad(), **{column: np.array([value])})
    assert drop_reasons(kept_item(), ads, NOW).tolist() == [reason]
    products = replace(ads, is_ad=np.array([False]))
    assert drop_reasons(kept_item(), products, NOW).tolist() == [Dropped.KEPT]


def test_a_query_without_ads_drops_ads():
    assert drop_reasons(kept_item(), kept_ad(), replace(NOW, ads=False)).tolist() == [
        Dropped.ADS_OFF
    ]


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 40))
def test_found_is_dropped_plus_kept_and_the_first_reason_wins(seed, count):
    rng = np.random.default_rng(seed)
    flag = lambda: rng.uniform(size=count) < 0.8  # noqa: E731
    items = ItemFacts(
        available=flag(),
        stock=rng.integers(-1, 3, count),
        created_at_us=rng.integers(0, 120, count),
        excluded=~flag(),
        in_categories=flag(),
        bought=~flag(),
    )
    ads = AdFacts(
        is_ad=flag(),
        start_at_us=rng.integers(0, 120, count),
        end_at_us=rng.integers(90, 200, count),
        speaks_now=flag(),
        stands_here=flag(),
        budget_left_micros=rng.integers(0, 40, count),
        paced_micros=rng.uniform(0, 40, count),
    )
    reasons = drop_reasons(items, ads, NOW)
    kept = int((reasons == Dropped.KEPT).sum())
    assert count == sum(count_reasons(reasons).values()) + kept
    assert (reasons[~items.available] == Dropped.UNAVAILABLE).all()
