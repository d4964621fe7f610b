"""Lists for shoppers of whom little is known, and for items that training never met."""

from dataclasses import replace

import numpy as np

from endcap import metrics
from endcap.evaluate.baselines import fit_tables
from endcap.evaluate.model import ModelScorer
from endcap.evaluate.neighbours import ForwardCooccurrence, ItemKnn
from endcap.evaluate.popular import Popularity
from endcap.evaluate.ranking import LISTED, RankingTask, metric_row, rank_report
from endcap.evaluate.scorers import Baseline, Scorer
from endcap.schema import Dataset, MetricRow, Split

KNOWN_EVENTS = (0, 1, 2, 5)
"""Of a shopper's history so many latest events are kept, as of one who came lately."""

FOLLOWERS: tuple[Baseline, ...] = (ItemKnn(), ForwardCooccurrence())
"""Baselines that need a single event of a shopper."""


def cold_rows(
    scorer: ModelScorer, task: RankingTask, dataset: Dataset, split: Split = Split.TEST
) -> list[MetricRow]:
    """Measure recall and exposure where little is known, beside baselines.

    Shoppers (`known=n`): those of the task, of whose history the latest n events are read; what
    may stand in their lists stays as it was. New items (`items=new`): what shoppers wanted of items
    without a training row, in lists of all items.
    """
    training, history = fit_tables(dataset, split)
    popularity = Popularity().fit(training, history)
    rows = []
    for known in KNOWN_EVENTS:
        latest = history.where(history.latest(known))
        # Without an event the others know nothing: equal scores would stand by popularity.
        rivals = [each.fit(training, latest) for each in FOLLOWERS] if known else []
        asked: list[Scorer] = [replace(scorer, latest=known), popularity, *rivals]
        for each in asked:
            rows += _known(each, task, f"known={known}", split)
    for each in (scorer, popularity):
        rows += _new_items(each, task, split)
    return rows


def _known(scorer: Scorer, task: RankingTask, group: str, split: Split) -> list[MetricRow]:
    report = rank_report(scorer.name, scorer, task, (LISTED,))
    return [
        metric_row(task.name, metric, scorer.name, metrics.interval(report.values[metric, LISTED]),
                   LISTED, split.name.lower(), group)
        for metric in ("recall", "ndcg")
    ]  # fmt: skip


def _new_items(scorer: Scorer, task: RankingTask, split: Split) -> list[MetricRow]:
    """Measure new items in the lists of those who wanted some; none where nobody did."""
    is_new = ~task.in_catalogue
    wanted = is_new[task.target_item]
    if not wanted.any():
        return []
    users, target_user = np.unique(task.target_user[wanted], return_inverse=True)
    asked = replace(
        task,
        users=task.users[users],
        target_user=target_user.reshape(-1),
        target_item=task.target_item[wanted],
        in_catalogue=np.ones_like(task.in_catalogue),
    )
    report = rank_report(scorer.name, scorer, asked, (LISTED,))
    assert report.lists is not None
    listed = report.lists >= 0
    share = (is_new[report.lists] & listed).sum(axis=1) / np.maximum(listed.sum(axis=1), 1)
    found = {"recall": report.values["recall", LISTED], "exposure": share}
    return [
        metric_row(task.name, metric, scorer.name, metrics.interval(values), LISTED,
                   split.name.lower(), "items=new")
        for metric, values in found.items()
    ]  # fmt: skip
