from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs

from endcap.features import (
    DAY_US,
    NUM_COUNTERS,
    CounterColumn,
    CounterHistory,
    Counters,
    FreshColumn,
)
from endcap.features import counters as counters_module
from endcap.features.counters import COLUMN_OF_ACTION
from endcap.schema import Action, Hazard

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


@pytest.mark.parametrize("on_disk", [False, True])
def test_counters_kept_live_equal_those_of_the_log_to_the_bit(dataset, monkeypatch, on_disk):
    if on_disk:
        monkeypatch.setattr(counters_module, "IN_MEMORY_BYTES", 0)
    events, shown = dataset.histories.events, dataset.impressions
    history = CounterHistory(dataset)
    assert isinstance(history.as_of(0).base, np.memmap) == on_disk
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


@pytest.fixture
def feed(dataset):
    """Return the log as a feed: every shown slot tells its dwell, clicked or not."""
    tasks = (Hazard(name="dwell", measures="dwell", space="impressions"),)
    shown = dataset.impressions.copy()
    shown["dwell_ms"] = 1_000 + 500 * (np.arange(len(shown)) % 7)
    shop = structs.replace(dataset.shop, tasks=tasks)
    return replace(dataset, shop=shop, impressions=shown)


def test_a_fresh_count_is_seen_at_once_and_another_one_tomorrow():
    counters = Counters(1, with_fresh=True)
    counters.observe(1, rows(0), FreshColumn.CLICKS)
    counters.observe(1, rows(0), CLICKS)
    assert counters.as_of(1)[0, [FreshColumn.CLICKS, CLICKS]].tolist() == [1, 0]
    np.testing.assert_allclose(counters.as_of(2)[0, [FreshColumn.CLICKS, CLICKS]], [HALF, HALF])
    again = Counters.restore(*counters.state())
    assert again.has_fresh
    np.testing.assert_array_equal(again.as_of(3), counters.as_of(3))


def test_a_dwell_counts_when_it_is_over_and_a_showing_right_after_its_instant(feed):
    history = CounterHistory(feed)
    first = feed.impressions[0]
    item, at_us = rows(first["item"]), int(first["timestamp_us"])
    over_us = at_us + int(first["dwell_ms"]) * 1_000
    asked = [history.fresh(item, instant)[0] for instant in (at_us, at_us + 1, over_us + 1)]
    np.testing.assert_allclose([row[0] for row in asked], [0, 1, 1])
    np.testing.assert_allclose([row[2] for row in asked], [0, 0, 1])
    np.testing.assert_allclose(asked[2][3], np.log1p(int(first["dwell_ms"]) / 1_000), rtol=1e-6)


def test_fresh_counters_kept_live_equal_those_of_the_log_at_any_instant(feed):
    history, live = CounterHistory(feed), Counters(feed.catalogue.num_items, with_fresh=True)
    shown, events = feed.impressions, feed.histories.events
    clicks = events[events["action"] == Action.CLICK]
    over_us = shown["timestamp_us"] + shown["dwell_ms"].astype(np.int64) * 1_000
    told = [
        (t, i, FreshColumn.SHOWN, 1.0)
        for t, i in zip(shown["timestamp_us"], shown["item"], strict=True)
    ]
    told += [
        (t, i, FreshColumn.CLICKS, 1.0)
        for t, i in zip(clicks["timestamp_us"], clicks["item"], strict=True)
    ]
    told += [(t, i, FreshColumn.TIMED, 1.0) for t, i in zip(over_us, shown["item"], strict=True)]
    told += [
        (t, i, FreshColumn.LOG_DWELL, np.log1p(d / 1_000))
        for t, i, d in zip(over_us, shown["item"], shown["dwell_ms"], strict=True)
    ]
    items = np.arange(feed.catalogue.num_items, dtype=np.int32)
    for number, (at_us, item, column, amount) in enumerate(sorted(told)):
        if number % 37 == 0:
            read = live.as_of(int(at_us) // DAY_US)[:, NUM_COUNTERS:]
            known = history.fresh(items, int(at_us))
            # What stands at this very instant is not read by a question at it.
            before = sum(other[0] == at_us for other in sorted(told)[:number]) == 0
            if before:
                np.testing.assert_allclose(known, read, rtol=1e-4, atol=1e-5)
        live.observe(int(at_us) // DAY_US, rows(item), int(column), amount)


def test_a_log_that_tells_no_dwell_of_what_was_shown_has_no_fresh_counters(dataset):
    history = CounterHistory(dataset)
    assert history.fresh(rows(0), dataset.end_us) is None
    assert not history.final.has_fresh
