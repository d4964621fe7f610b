import numpy as np

from endcap.features import DAY_US, NUM_COUNTERS, CounterColumn, CounterHistory, Counters
from endcap.features.counters import COLUMN_OF_ACTION

CLICKS = CounterColumn.CLICKS
HALF = 0.5 ** (1 / 14)


def rows(*items):
    return np.array(items, dtype=np.int32)


def test_a_count_of_today_is_seen_tomorrow():
    counters = Counters(3)
    counters.observe(100, rows(1, 1, -1), CLICKS)
    assert counters.as_of(100).sum() == 0
    np.testing.assert_allclose(counters.as_of(101)[:, CLICKS], [0, 2 * HALF, 0])


def test_a_count_halves_in_fourteen_days():
    counters = Counters(1)
    counters.observe(0, rows(0), CLICKS, amount=8)
    np.testing.assert_allclose(counters.as_of(14)[0, CLICKS], 4, rtol=1e-5)
    np.testing.assert_allclose(counters.as_of(42)[0, CLICKS], 1, rtol=1e-5)


def test_skipped_days_decay_like_days_that_were_asked_for():
    asked, skipped = Counters(2), Counters(2)
    for counters in (asked, skipped):
        counters.observe(7, rows(0, 1, 1), CLICKS)
    for day in range(8, 39):
        asked.as_of(day)
    np.testing.assert_array_equal(asked.as_of(39), skipped.as_of(39))


def test_what_was_read_does_not_change_later():
    counters = Counters(2)
    counters.observe(1, rows(0), CLICKS)
    read = counters.as_of(2)
    kept = read.copy()
    counters.observe(2, rows(0, 1), CLICKS)
    counters.as_of(9)
    np.testing.assert_array_equal(read, kept)


def test_counters_of_an_artifact_go_on_where_they_stopped():
    counters = Counters(2)
    counters.observe(1, rows(0), CLICKS)
    counters.observe(2, rows(1), CLICKS)
    restored = Counters.restore(*counters.state())
    np.testing.assert_array_equal(restored.as_of(5), counters.as_of(5))


def test_a_later_item_counts_from_nought():
    counters = Counters(1)
    counters.observe(1, rows(0), CLICKS)
    counters.grow(2)
    counters.observe(1, rows(1), CLICKS)
    np.testing.assert_allclose(counters.as_of(2)[:, CLICKS], [HALF, HALF])


def test_counters_kept_live_equal_those_of_the_log_to_the_bit(dataset):
    events, shown = dataset.histories.events, dataset.impressions
    history = CounterHistory(dataset)
    live = Counters(dataset.catalogue.num_items)
    days = np.concatenate([events["timestamp_us"], shown["timestamp_us"]]) // DAY_US
    for day in range(int(days.min()), int(days.max()) + 1):
        np.testing.assert_array_equal(live.as_of(day), history.as_of(day))
        of_day = events[events["timestamp_us"] // DAY_US == day]
        for event in np.random.default_rng(day).permutation(of_day):  # any order within a day
            live.observe(day, rows(event["item"]), COLUMN_OF_ACTION[int(event["action"])])
        pages = shown[shown["timestamp_us"] // DAY_US == day]
        live.observe(day, pages["item"], CounterColumn.IMPRESSIONS)
    np.testing.assert_array_equal(live.as_of(day + 1), history.final.as_of(day + 1))
    assert live.as_of(day + 1).shape == (dataset.catalogue.num_items, NUM_COUNTERS)
