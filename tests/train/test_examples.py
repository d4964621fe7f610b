from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs

from endcap.features import (
    NUM_COUNTERS,
    ContextScales,
    CounterHistory,
    DwellScales,
    ItemColumns,
    candidate_context,
)
from endcap.schema import Action, ContextColumn, Hazard, Split, group_starts, merged_histories
from endcap.train import snapshots
from endcap.train.examples import make_examples

DAY = 86_400_000_000
SECOND = 1_000_000
VIEW, CLICK, CART, BUY = Action.VIEW, Action.CLICK, Action.ADD_TO_CART, Action.PURCHASE


def test_rows_of_one_instant_are_asked_together_and_read_none_of_each_other(make_log, ask):
    rows = [
        (0, DAY, 0, VIEW),
        (0, 2 * DAY, 1, VIEW),
        (0, 2 * DAY + 9, 2, BUY),
        (0, 3 * DAY, 1, VIEW),
    ]
    _, examples = ask(make_log(rows))
    assert examples.at_us.tolist() == [2 * DAY, 3 * DAY]
    assert examples.visible.tolist() == [1, 3]
    assert examples.next_offsets.tolist() == [0, 2, 3]
    assert examples.next_item.tolist() == [1, 2, 1]
    assert examples.next_weight.tolist() == [1, 4, 1]


def test_the_first_instant_and_removals_ask_for_nothing(make_log, ask):
    rows = [(0, 0, 0, VIEW), (0, 0, 1, VIEW), (0, DAY, 1, Action.REMOVE_FROM_CART), (1, 0, 2, VIEW)]
    _, examples = ask(make_log(rows))
    assert len(examples) == 0


def test_a_page_reads_events_strictly_before_its_instant(make_log, ask):
    page = 2 * DAY + 5 * SECOND
    rows = [(0, DAY, 0, VIEW), (0, page - 1, 1, VIEW), (0, page + 1, 2, CLICK)]
    log = make_log(rows, shown=[(0, page, 2, 0), (0, page, 3, 1)])
    _, examples = ask(log)
    chosen = np.flatnonzero(np.diff(examples.candidates.offsets) > 0)
    assert examples.at_us[chosen].tolist() == [page]
    assert examples.visible[chosen].tolist() == [2]
    assert examples.candidates.item.tolist() == [2, 3]
    assert examples.candidates.slot.tolist() == [0, 1]
    # The event within the page's second belongs to its instant: `page - 1` is of the second before.
    _, coarse = ask(make_log(rows, shown=[(0, page, 2, 0)], resolution="minute"))
    assert coarse.visible[np.diff(coarse.candidates.offsets) > 0].tolist() == [1]


def test_no_question_reads_its_own_instant_in_a_whole_shop(dataset, ask):
    _, examples = ask(dataset, ask_later=True)
    events, resolution = dataset.histories.events, dataset.shop.resolution_us
    has_past = examples.visible > dataset.histories.offsets[examples.user]
    last = events["timestamp_us"][examples.visible[has_past] - 1]
    is_snapshot = np.diff(examples.next_offsets) == 0
    is_snapshot &= (
        examples.candidates.impression[
            np.minimum(examples.candidates.offsets[:-1], len(examples.candidates.impression) - 1)
        ]
        < 0
    )
    strict = last // resolution < examples.at_us[has_past] // resolution
    assert (strict | is_snapshot[has_past]).all()
    assert (last <= examples.at_us[has_past]).all()


def test_a_snapshot_follows_a_group_and_reads_it(make_log, ask):
    rows = [(0, DAY, 0, VIEW), (0, DAY, 1, VIEW), (0, 9 * DAY, 0, BUY)]
    _, examples = ask(make_log(rows), ask_later=True)
    asked = np.diff(examples.candidates.offsets) > 0
    at, visible = examples.at_us[asked], examples.visible[asked]
    assert at[0] == DAY + SECOND - 1  # the end of the group's instant
    # On training days right after each group, and at two instants of the time since the first.
    assert (at < 10 * DAY).sum() == 4
    assert visible.tolist() == [2 if now < 9 * DAY else 3 for now in at]


def test_instants_are_drawn_whatever_comes_after_them(make_log, ask):
    """Shoppers buy at a constant rate of their own: a later chance is the same at every instant."""
    random = np.random.default_rng(5)
    rows, days = [], (90 * DAY, 100 * DAY, 110 * DAY)
    for user in range(300):
        gap, at = (2 if user % 2 else 30) * DAY, DAY
        while at < days[2]:
            rows.append((user, int(at), 0, BUY))
            at += random.exponential(gap)
    dataset = make_log(rows, num_items=2, cuts=days)
    _, examples = ask(dataset, ask_later=True)
    at, user = examples.at_us, examples.user
    asked = (np.diff(examples.candidates.offsets) > 0) & (at < 80 * DAY)
    for parity, gap in ((1, 2), (0, 30)):
        mine = np.flatnonzero(asked & (user % 2 == parity))
        bought = dataset.histories.events["timestamp_us"][
            np.minimum(examples.visible[mine], len(rows) - 1)
        ]
        still = examples.visible[mine] < dataset.histories.offsets[user[mine] + 1]
        soon = still & (bought <= at[mine] + 5 * DAY)
        assert soon.mean() == pytest.approx(1 - np.exp(-5 / gap), rel=0.12)


def test_in_a_log_of_days_a_snapshot_stands_at_the_evening(make_log, ask):
    rows = [(0, DAY, 0, VIEW), (0, 9 * DAY, 0, BUY), (1, 12 * DAY, 1, VIEW)]
    _, examples = ask(make_log(rows, resolution="day"), ask_later=True)
    at = examples.at_us[np.diff(examples.candidates.offsets) > 0]
    assert at[0] == 2 * DAY - 1
    assert (at % DAY == DAY - 1).all()


def test_a_buyer_is_always_asked_about_until_the_end_of_the_split(make_log, ask):
    rows = [(0, DAY, 0, VIEW), (0, 9 * DAY, 1, BUY), (0, 11 * DAY, 2, BUY), (1, DAY, 2, VIEW)]
    _, examples = ask(make_log(rows), ask_later=True)
    first = np.flatnonzero((examples.user == 0) & (examples.at_us == DAY + SECOND - 1))[0]
    part = slice(*examples.candidates.offsets[first : first + 2])
    assert 1 in examples.candidates.item[part]
    # Item 2 is bought after the cut: here it is one of those that were not.
    offset = dict(
        zip(examples.candidates.item[part], examples.candidates.log_offset[part], strict=True)
    )
    assert offset[0] == 0.0
    assert offset.get(2, 1.0) > 0.0


def test_a_page_of_training_reads_what_an_engine_would_have_kept(dataset, ask):
    _, examples = ask(dataset)
    columns = ItemColumns.of(dataset.catalogue, ContextScales())
    counters, kept = CounterHistory(dataset), merged_histories(dataset)
    for row in np.flatnonzero(np.diff(examples.candidates.offsets) > 0)[::29]:
        part = slice(*examples.candidates.offsets[row : row + 2])
        at_us, history = examples.at_us[row], kept.of(examples.user[row])
        served = candidate_context(
            history[history["timestamp_us"] < at_us],
            int(at_us),
            examples.candidates.item[part],
            columns,
            counters.as_of(at_us // DAY),
        )
        np.testing.assert_array_equal(examples.candidates.context[part], served)


def test_a_group_starts_where_its_instant_does():
    assert group_starts(np.array([0, 5, 9, 10, 19, 30]), 10).tolist() == [0, 0, 0, 3, 3, 5]


def test_a_feed_of_training_reads_what_an_engine_would_have_kept(dataset):
    shown = dataset.impressions.copy()
    shown["dwell_ms"] = 1_000 + 100 * (np.arange(len(shown)) % 9)
    task = Hazard(name="dwell", measures="dwell", space="impressions")
    shop = structs.replace(dataset.shop, tasks=(task,))
    feed = replace(dataset, impressions=shown, shop=shop)
    scales = ContextScales(dwell=DwellScales(mean=1.0, scale=1.0, click_rate=0.3))
    columns, counters = ItemColumns.of(feed.catalogue, scales), CounterHistory(feed)
    examples = make_examples(feed, counters, columns, ask_later=False)
    kept = merged_histories(feed)
    everything = np.arange(feed.catalogue.num_items, dtype=np.int32)
    rows = np.flatnonzero(np.diff(examples.candidates.offsets) > 0)[::29]
    for row in rows:
        part = slice(*examples.candidates.offsets[row : row + 2])
        at_us, history = int(examples.at_us[row]), kept.of(examples.user[row])
        live = counters.as_of(at_us // DAY).copy()
        live[:, NUM_COUNTERS:] = counters.fresh(everything, at_us)
        served = candidate_context(
            history[history["timestamp_us"] < at_us],
            at_us,
            examples.candidates.item[part],
            columns,
            live,
        )
        np.testing.assert_array_equal(examples.candidates.context[part], served)
    contexts = examples.candidates.context[:, ContextColumn.ITEM_DWELL :]
    assert (contexts.std(axis=0) > 0).all()


def test_a_page_view_asks_of_its_ads_item_and_reads_what_came_before(dataset, ask):
    _, examples = ask(dataset, ask_later=True)
    named = np.flatnonzero(examples.ad_campaign >= 0)
    assert len(named) > 20
    table, events, shown = examples.candidates, dataset.histories.events, dataset.impressions
    for k in named:
        part = slice(*table.offsets[k : k + 2])
        own = table.item[part] == examples.ad_item[k]
        assert own.sum() == 1 and table.log_offset[part][own] == 0
        last = examples.visible[k] - 1
        if last >= dataset.histories.offsets[examples.user[k]]:
            assert events["timestamp_us"][last] < examples.at_us[k]
        page = (shown["user"] == examples.user[k]) & (shown["timestamp_us"] == examples.at_us[k])
        assert examples.ad_item[k] in shown["item"][page & (shown["campaign"] >= 0)]


def test_a_log_without_ads_asks_as_before(dataset, ask):
    quiet = replace(dataset, impressions=dataset.impressions.copy())
    quiet.impressions["campaign"] = -1
    _, examples = ask(quiet, ask_later=True)
    _, both = ask(dataset, ask_later=True)
    assert (examples.ad_campaign < 0).all()
    assert len(both) > len(examples)


def test_a_log_of_baskets_is_asked_by_its_groups_not_by_its_items(make_log, monkeypatch):
    """Five shoppers of two baskets each, whatever the baskets hold."""
    monkeypatch.setattr(snapshots, "MAX_SNAPSHOTS", 10)
    small, large = (
        make_log([(u, day * DAY, i, BUY) for u in range(5) for day in (1, 3) for i in range(size)])
        for size in (1, 6)
    )
    assert [snapshots.SnapshotAsker(log, seed=0)._shares[0] for log in (small, large)] == [0.5, 0.5]


def test_held_out_days_of_few_events_ask_each_shopper_about_once(make_log, ask):
    """400 shoppers, four of whom come in the held-out days: those who stay away are asked too."""
    rows = [(user, day * DAY, 0, VIEW) for user in range(400) for day in (2, 5, 8)]
    rows += [(user, day * DAY, 0, BUY) for user in range(4) for day in (12, 23)]
    _, examples = ask(make_log(rows, num_items=2), ask_later=True)
    asked = np.diff(examples.candidates.offsets) > 0
    for split in (Split.VALIDATION, Split.TEST):
        mine = examples.user[asked & (examples.split == split)]
        assert len(mine) == pytest.approx(400, rel=0.15)
        assert len(np.unique(mine)) > 200


def test_shoppers_of_later_days_move_no_question_of_training_days(make_log, ask):
    rows = [(user, 2 * DAY, 0, VIEW) for user in range(50)]
    rows += [(user, 6 * DAY, item, BUY) for user in range(50) for item in range(7)]
    later = [(user, 25 * DAY, 0, BUY) for user in range(50, 300)]
    logs = (make_log(each, num_items=8) for each in (rows, rows + later))
    few, many = (ask(log, ask_later=True)[1] for log in logs)
    for name in ("user", "at_us", "visible"):
        one, other = (getattr(e, name)[e.split == Split.TRAIN] for e in (few, many))
        np.testing.assert_array_equal(one, other)
    for name in ("item", "log_offset"):
        one, other = (of_training(each, getattr(each.candidates, name)) for each in (few, many))
        np.testing.assert_array_equal(one, other)


def of_training(examples, values):
    question = np.repeat(np.arange(len(examples)), np.diff(examples.candidates.offsets))
    return values[examples.split[question] == Split.TRAIN]
