"""The next-item question on days kept aside, and one report for whatever answers it."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from endcap import metrics
from endcap.errors import LogError
from endcap.evaluate.scorers import Scorer
from endcap.evaluate.table import EventTable
from endcap.metrics import Interval, TargetRanks
from endcap.schema import MetricRow

BATCH = 256
"""Users scored at once."""

LISTED = 10
"""Length of the lists that are looked into item by item."""

DECIMALS = 10
"""Scores are equal when they agree to so many decimals: sums in another order are no opinion."""


@dataclass(frozen=True, kw_only=True)
class RankingTask:
    """Users, what they came to want, and what may stand in their lists."""

    name: str
    users: NDArray[np.int64]
    """[B] user rows, in order; values of all reports are in this order."""
    target_user: NDArray[np.int64]
    """[N] place in `users`."""
    target_item: NDArray[np.int64]
    """[N] item rows; one outside the catalogue stays, as a miss that no list can avoid."""
    in_catalogue: NDArray[np.bool_]
    """[V] items with at least one training row."""
    hidden: sparse.csr_array | None = None
    """[U, V] items that are taken out of a user's list (seen before), by user row."""
    tie_order: NDArray[np.int64] | None = None
    """[V] place among equal scores; None counts ties against the model."""


@dataclass(frozen=True, kw_only=True)
class RankReport:
    """One scorer's figures on one task, per user, so that two reports can be paired."""

    task: str
    model: str
    values: dict[tuple[str, int], NDArray[np.float64]]
    """(metric, k) to one value per user of the task."""
    ranks: TargetRanks | None = None
    lists: NDArray[np.int64] | None = None
    """[B, LISTED] item rows, best first; -1 where fewer are left."""

    def rows(self, split: str = "test") -> list[MetricRow]:
        """Return the means with their intervals over users."""
        return [
            metric_row(self.task, metric, self.model, metrics.interval(values), k, split)
            for (metric, k), values in self.values.items()
        ]

    def mean(self, metric: str, k: int) -> float:
        """Return one figure."""
        return float(self.values[metric, k].mean())


def rank_report(
    name: str, scorer: Scorer, task: RankingTask, k: tuple[int, ...] = (10, 20)
) -> RankReport:
    """Rank all items of the catalogue for every user of the task, and measure the lists."""
    ranks, lists = ranks_and_lists(scorer, task)
    return report_of_ranks(name, ranks, task.name, k, lists=lists)


def report_of_ranks(
    name: str,
    ranks: TargetRanks,
    task_name: str,
    k: tuple[int, ...] = (10, 20),
    *,
    lists: NDArray[np.int64] | None = None,
) -> RankReport:
    """Measure lists of which the targets' ranks are known."""
    values = {}
    for cut in k:
        values["ndcg", cut] = metrics.ndcg(ranks, cut)
        values["recall", cut] = metrics.recall(ranks, cut)
        values["hit_rate", cut] = metrics.hit_rate(ranks, cut)
    values["mrr", max(k)] = metrics.reciprocal_rank(ranks, max(k))
    return RankReport(task=task_name, model=name, values=values, ranks=ranks, lists=lists)


def target_ranks(scorer: Scorer, task: RankingTask) -> TargetRanks:
    """Rank the task's targets."""
    return ranks_and_lists(scorer, task)[0]


def ranks_and_lists(scorer: Scorer, task: RankingTask) -> tuple[TargetRanks, NDArray[np.int64]]:
    """Rank the task's targets, and list the best items, a batch of users at a time."""
    lists = np.full((len(task.users), LISTED), -1, dtype=np.int64)
    rank = np.empty(len(task.target_item), dtype=np.int64)
    order = np.argsort(task.target_user, kind="stable")
    bounds = np.searchsorted(task.target_user[order], np.arange(0, len(task.users) + BATCH, BATCH))
    for batch, (low, high) in enumerate(pairwise(bounds)):
        start = batch * BATCH
        at = order[low:high]
        scores = listed_scores(scorer, task, task.users[start : start + BATCH])
        rank[at] = metrics.ranks_in_scores(
            scores, task.target_user[at] - start, task.target_item[at], tie_order=task.tie_order
        ).rank
        best = metrics.top_items(scores, LISTED, tie_order=task.tie_order)
        lists[start : start + len(best), : best.shape[1]] = best
    return TargetRanks(rank=rank, user=task.target_user, num_users=len(task.users)), lists


def listed_scores(
    scorer: Scorer, task: RankingTask, users: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Score items for some users, -inf for what may not stand in their lists."""
    scores: NDArray[np.float64] = scorer.scores(users).astype(np.float64)
    np.round(scores, DECIMALS, out=scores)
    scores[:, ~task.in_catalogue] = -np.inf
    if task.hidden is not None:
        rows, items = task.hidden[users].nonzero()
        scores[rows, items] = -np.inf
    return scores


def ranking_task(
    name: str,
    *,
    training: EventTable,
    history: EventTable,
    later: EventTable,
    only_new: bool,
    break_ties: bool = True,
) -> RankingTask:
    """Ask for the distinct items of `later`, of users that have a history.

    Args:
        only_new: the user's earlier items leave the list AND the targets; users left without a
            target are dropped.
        break_ties: equal scores stand by more distinct training users, then by row; else ties
            count against the model.
    """
    known = np.bincount(history.user, minlength=history.num_users) > 0
    asked = later.where(known[later.user])
    rows = asked.distinct()
    user, item = asked.user[rows], asked.item[rows]
    seen = history.matrix().astype(bool) if only_new else None
    if seen is not None:
        new = ~np.asarray(seen[user, item]).astype(bool).reshape(-1)
        user, item = user[new], item[new]
    if not len(user):
        raise LogError(f"The {name} question has no target; the days kept aside are too few.")
    users, target_user = np.unique(user, return_inverse=True)
    popular = training.users_per_item()
    return RankingTask(
        name=name,
        users=users,
        target_user=target_user.reshape(-1),
        target_item=item,
        in_catalogue=popular > 0,
        hidden=seen,
        tie_order=np.argsort(np.argsort(-popular, kind="stable")) if break_ties else None,
    )


def ceiling(task: RankingTask, k: int) -> float:
    """Return the recall@k of an oracle that is limited to the catalogue."""
    reachable = task.in_catalogue[task.target_item]
    hits = np.bincount(task.target_user, weights=reachable, minlength=len(task.users))
    total = np.bincount(task.target_user, minlength=len(task.users))
    return float(np.mean(np.minimum(hits, k) / total))


def compare(report: RankReport, baseline: RankReport, metric: str, k: int) -> MetricRow:
    """Bound the paired difference of two reports on one task: ours minus the baseline's."""
    found = metrics.paired_interval(report.values[metric, k], baseline.values[metric, k])
    return metric_row(
        report.task, f"{metric} difference", f"{report.model} - {baseline.model}", found, k
    )


def metric_row(
    task: str,
    metric: str,
    model: str,
    found: Interval,
    k: int = 0,
    split: str = "test",
    group: str = "",
    n: int | None = None,
) -> MetricRow:
    """Write an interval as a tidy row; `n`, where given, is what was asked."""
    return MetricRow(
        task=task,
        metric=metric,
        model=model,
        k=k,
        group=group,
        split=split,
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n if n is None else n,
    )
