from dataclasses import replace

import numpy as np
import pytest

from endcap import evaluate
from endcap.errors import LogError
from endcap.schema import Action, Split

CLICK = Action.CLICK


class Fixed:
    """A scorer that knows one list for everybody."""

    name = "fixed"

    def __init__(self, scores):
        self.list = np.asarray(scores, dtype=np.float32)

    def scores(self, users):
        return np.tile(self.list, (len(users), 1))


def task_of(event_table, only_new, break_ties=True):
    history = event_table([(0, 0, CLICK, 1), (0, 1, CLICK, 2), (1, 1, CLICK, 2)])
    asked = [(0, 0, 11), (0, 0, 12), (0, 3, 12), (1, 0, 11), (2, 1, 11)]
    later = event_table([(user, item, CLICK, day) for user, item, day in asked])
    return evaluate.ranking_task(
        "t",
        training=history,
        history=history,
        later=later,
        only_new=only_new,
        break_ties=break_ties,
    )


def test_targets_are_distinct_and_users_without_a_past_are_not_asked(event_table):
    task = task_of(event_table, only_new=False)
    assert list(task.users) == [0, 1]
    assert sorted(zip(task.target_user, task.target_item, strict=True)) == [(0, 0), (0, 3), (1, 0)]
    assert evaluate.ceiling(task, 20) == pytest.approx((1 / 2 + 1) / 2)


def test_new_takes_known_items_from_list_and_targets(event_table):
    task = task_of(event_table, only_new=True)
    found = evaluate.rank_report("fixed", Fixed([4, 5, 3, 9]), task, (1,))
    assert list(zip(task.target_user, task.target_item, strict=True)) == [(0, 3), (1, 0)]
    # user 0 wants item 3, which nobody had in training; user 1's list starts at item 0
    np.testing.assert_array_equal(found.values["recall", 1], [0, 1])


def test_items_outside_the_catalogue_take_no_place(event_table):
    task = task_of(event_table, only_new=False)
    found = evaluate.rank_report("fixed", Fixed([4, 1, 8, 9]), task, (1,))
    np.testing.assert_array_equal(found.values["recall", 1], [0.5, 1])
    assert found.mean("hit_rate", 1) == 1


def test_equal_scores_stand_by_popularity_or_count_against_the_model(event_table):
    flat = Fixed([0, 0, 0, 0])
    broken = evaluate.target_ranks(flat, task_of(event_table, only_new=False))
    against = evaluate.target_ranks(flat, task_of(event_table, False, break_ties=False))
    item = task_of(event_table, False).target_item
    assert set(broken.rank[item == 0]) == {2}
    assert set(against.rank[item == 0]) == {2}
    narrow = replace(task_of(event_table, False), target_item=np.array([1, 1, 1]))
    assert set(evaluate.target_ranks(flat, narrow).rank) == {1}


def test_batches_do_not_change_a_rank(event_table, random_rows, monkeypatch):
    table = event_table(random_rows(0), num_users=40, num_items=30, today=40)
    past, later = table.where(table.day < 30), table.where(table.day >= 30)
    task = evaluate.ranking_task("t", training=past, history=past, later=later, only_new=False)
    scorer = evaluate.ItemKnn().fit(past, past)
    whole = evaluate.target_ranks(scorer, task).rank
    monkeypatch.setattr("endcap.evaluate.ranking.BATCH", 7)
    np.testing.assert_array_equal(evaluate.target_ranks(scorer, task).rank, whole)


def test_no_target_is_an_error_that_names_the_question(event_table):
    table = event_table([(0, 0, CLICK, 1)])
    with pytest.raises(LogError, match="The t question has no target"):
        evaluate.ranking_task("t", training=table, history=table, later=table, only_new=True)


def test_the_table_holds_every_baseline_with_intervals(dataset_of, random_rows):
    data = dataset_of(random_rows(1), num_items=30, train_end_day=28, validation_end_day=34)
    rows = evaluate.baseline_table(data, k=(5,))
    models = {row.model for row in rows}
    assert models == {
        "popularity", "popularity, 14 days", "own history, recency", "own history, days",
        "item-kNN", "forward co-occurrence", "EASE",
    }  # fmt: skip
    assert {row.task for row in rows} == {"next item (all)", "next item (new)"}
    assert all(row.low <= row.value <= row.high and row.n > 10 for row in rows)
    figures = {(row.task, row.model, row.metric): row.value for row in rows}
    own = figures["next item (all)", "own history, days", "ndcg"]
    assert own > figures["next item (all)", "popularity", "ndcg"] + 0.05
    assert ("next item (new)", "own history, days", "ndcg") not in figures


def test_histories_of_the_test_hold_validation_but_counts_do_not(dataset_of):
    rows = [(0, 0, CLICK, 0), (1, 0, CLICK, 0), (0, 1, CLICK, 5), (0, 2, CLICK, 8)]
    data = dataset_of(rows, num_items=3, train_end_day=4, validation_end_day=7)
    training, history = evaluate.fit_tables(data)
    assert (len(training.user), len(history.user)) == (2, 3)
    assert len(evaluate.fit_tables(data, refit=True)[0].user) == 3
    assert len(evaluate.fit_tables(data, Split.VALIDATION)[1].user) == 2
    with pytest.raises(LogError, match="not on training itself"):
        evaluate.fit_tables(data, Split.TRAIN)


def test_recent_days_are_counted_from_the_cut(dataset_of):
    rows = [(0, 0, CLICK, 0), (1, 1, CLICK, 3), (0, 2, CLICK, 8)]
    data = dataset_of(rows, num_items=3, train_end_day=4, validation_end_day=4)
    training, _ = evaluate.fit_tables(data)
    assert training.today == 4
    assert list(training.age) == [4, 1]
    counts = evaluate.Popularity(days=3).counts(training)
    np.testing.assert_array_equal(counts, [0, 1, 0])


def test_leave_one_out_filters_seen_items_and_counts_ties_against(dataset_of):
    rows = [(u, i, CLICK, t) for u in range(6) for t, i in enumerate((u % 2, 2, 3, 4))]
    data = dataset_of(
        rows, num_items=6, train_end_day=0, validation_end_day=0, kind="leave_one_out"
    )
    (task,) = evaluate.ranking_tasks(data)
    assert task.name == "next item"
    assert list(task.target_item) == [4] * 6
    assert not task.in_catalogue[4]  # never trained on: a miss for everybody
    reports = evaluate.baseline_reports(data, k=(2,), models=[Fixed(np.arange(6))])
    assert [report.model for report in reports][-1] == "fixed"
    assert reports[-1].mean("recall", 2) == 0
    assert "popularity, 14 days" not in {report.model for report in reports}


def test_removals_and_refunds_are_no_wish(dataset_of):
    rows = [(0, 0, CLICK, 0), (0, 1, Action.REFUND, 1), (0, 2, Action.NOT_INTERESTED, 1)]
    data = dataset_of([*rows, (0, 0, CLICK, 5)], num_items=3, train_end_day=4, validation_end_day=4)
    assert list(evaluate.fit_tables(data)[0].item) == [0]


def test_two_reports_on_one_task_are_compared_user_by_user(event_table):
    task = task_of(event_table, only_new=False)
    good = evaluate.rank_report("good", Fixed([9, 1, 0, 0]), task, (1,))
    bad = evaluate.rank_report("bad", Fixed([0, 9, 0, 0]), task, (1,))
    row = evaluate.compare(good, bad, "hit_rate", 1)
    assert (row.value, row.low, row.high, row.n) == (1.0, 1.0, 1.0, 2)
    assert row.model == "good - bad"
