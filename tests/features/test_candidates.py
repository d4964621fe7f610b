import numpy as np
import pytest

from endcap.features import (
    DAY_US,
    HOUR_US,
    MAX_EVENTS,
    NUM_COUNTERS,
    ContextScales,
    CounterColumn,
    ItemColumns,
    candidate_context,
    price_scale_of,
)
from endcap.schema import NUM_CONTEXT, Action, Catalogue, ContextColumn, make_events

NOW = 1_000 * DAY_US
C = ContextColumn


@pytest.fixture
def columns():
    made = Catalogue.of_ids(["shoe", "boot", "lamp", "bare"])
    made.categories[:] = ["Shoes", "Shoes", "Lamps", ""]
    made.brands[:] = ["Acme", "Acme", "Lux", ""]
    made.price_micros[:] = [1_000_000, 4_000_000, 2_000_000, -1]
    made.created_at_us[:] = [NOW - 3 * DAY_US, 0, NOW + DAY_US, 0]
    mean, scale = price_scale_of(made, np.array([True, True, False, False]))
    return ItemColumns.of(made, ContextScales(price_mean=mean, price_scale=scale))


@pytest.fixture
def history():
    return make_events(
        timestamp_us=[NOW - 2 * DAY_US, NOW - DAY_US, NOW - HOUR_US],
        item=[0, 0, 1],
        action=[Action.CLICK, Action.PURCHASE, Action.ADD_TO_CART],
    )


def ask(history, columns, counters=None, item=(0, 1, 2, 3), **options):
    counters = np.zeros((4, NUM_COUNTERS), dtype=np.float32) if counters is None else counters
    item = np.array(item, dtype=np.int32)
    return candidate_context(history, NOW, item, columns, counters, **options)


def test_counts_and_recencies_of_the_item_by_hand(columns, history):
    found = ask(history, columns)
    log = np.log
    np.testing.assert_allclose(found[:, C.SAME_ITEM_CLICKS], [log(2), 0, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(found[:, C.SAME_ITEM_CARTS], [0, log(2), 0, 0], rtol=1e-6)
    np.testing.assert_allclose(found[:, C.SAME_ITEM_PURCHASES], [log(2), 0, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(found[:, C.SAME_ITEM_HOURS], [1 / 25, 1 / 2, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(found[:, C.SAME_ITEM_DAYS], [1 / 2, 24 / 25, 0, 0], rtol=1e-6)


def test_leaf_and_brand_agree_only_where_they_are_known(columns, history):
    found = ask(history, columns)
    np.testing.assert_allclose(found[:, C.SAME_LEAF], [np.log(4)] * 2 + [0, 0], rtol=1e-6)
    np.testing.assert_allclose(found[:, C.SAME_LEAF_HOURS], [0.5, 0.5, 0, 0])
    np.testing.assert_allclose(found[:, C.SAME_LEAF_PURCHASES], [np.log(2)] * 2 + [0, 0], rtol=1e-6)
    np.testing.assert_allclose(found[:, C.SAME_BRAND], [np.log(4)] * 2 + [0, 0], rtol=1e-6)
    bare = ask(make_events(timestamp_us=[NOW - 1], item=[3], action=[Action.VIEW]), columns)
    assert bare[:, C.SAME_LEAF].tolist() == bare[:, C.SAME_BRAND].tolist() == [0] * 4


def test_rates_are_drawn_to_the_shops_rate_by_hand(columns):
    counters = np.zeros((4, NUM_COUNTERS), dtype=np.float32)
    counters[0, CounterColumn.IMPRESSIONS], counters[0, CounterColumn.CLICKS] = 80, 19
    counters[0, CounterColumn.PURCHASES] = 4
    found = ask(make_events(), columns, counters)
    click, buy = (19 + 1) / (80 + 20), (4 + 1) / (19 + 20)
    expected = np.log((19 + 20 * click) / (80 + 20) / click)
    np.testing.assert_allclose(found[:, C.CLICK_RATE], [expected, 0, 0, 0], atol=1e-6)
    expected = np.log((4 + 10 * buy) / (19 + 10) / buy)
    np.testing.assert_allclose(found[:, C.BUY_RATE], [expected, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(found[:, C.POPULARITY], [np.log(24) / 3, 0, 0, 0], rtol=1e-6)


def test_prices_and_ages_by_hand(columns, history):
    found = ask(history, columns)
    # Training prices 1 and 4: logs -1 and 1 about the mean; 2 is the mean. Met: two shoes, a boot.
    np.testing.assert_allclose(found[:, C.PRICE], [-1, 1, 0, 0], atol=1e-6)
    usual = -1 / 3
    np.testing.assert_allclose(
        found[:, C.PRICE_AGAINST_USUAL], [-1 - usual, 1 - usual, -usual, 0], atol=1e-6
    )
    np.testing.assert_allclose(found[:, C.ITEM_AGE], [1 / 4, 0, 1, 0])
    np.testing.assert_allclose(found[:, C.HISTORY_LENGTH], np.log(4) / 4, rtol=1e-6)
    np.testing.assert_allclose(found[:, C.SINCE_LAST], 24 / 25, rtol=1e-6)


def test_a_candidate_reads_the_same_alone_and_in_company(columns, history):
    together = ask(history, columns)
    alone = np.concatenate([ask(history, columns, item=[i]) for i in range(4)])
    np.testing.assert_array_equal(together, alone)


def test_without_a_clock_no_age_is_told(columns, history):
    found = ask(history, columns, zone=None)
    ages = [C.SAME_ITEM_HOURS, C.SAME_ITEM_DAYS, C.SAME_LEAF_HOURS, C.ITEM_AGE, C.SINCE_LAST]
    assert not found[:, ages].any()
    assert found[0, C.SAME_ITEM_CLICKS] > 0


def test_an_item_later_than_the_counters_reads_as_never_counted(columns):
    counters = np.ones((2, NUM_COUNTERS), dtype=np.float32)
    found = ask(make_events(), columns, counters)
    assert found[3, C.POPULARITY] == 0
    assert found.shape == (4, NUM_CONTEXT)


def test_a_context_reads_as_many_events_as_an_engine_keeps(columns):
    long = make_events(
        timestamp_us=NOW - np.arange(600, 0, -1), item=[0] * 600, action=[Action.CLICK] * 600
    )
    kept = long[-MAX_EVENTS:]
    assert len(kept) < len(long)
    np.testing.assert_array_equal(ask(long, columns), ask(kept, columns))
