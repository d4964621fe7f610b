"""The table beside the model: popularity, what is popular lately, own repeats, item to item."""

from collections.abc import Iterator, Sequence

from endcap.errors import LogError
from endcap.evaluate.factors import Ease
from endcap.evaluate.neighbours import ForwardCooccurrence, ItemKnn
from endcap.evaluate.popular import OwnHistory, Popularity
from endcap.evaluate.ranking import RankingTask, RankReport, rank_report, ranking_task
from endcap.evaluate.scorers import Baseline, Scorer
from endcap.evaluate.table import EventTable, table_of
from endcap.schema import Dataset, MetricRow, Split

EASE_ITEMS = 4_000
"""Most items for which EASE is part of the table: its time grows with their cube."""

LEARNED: dict[Split, tuple[Split, ...]] = {
    Split.VALIDATION: (Split.TRAIN,),
    Split.TEST: (Split.TRAIN, Split.VALIDATION),
}
"""What a user has done before the questions of a split."""


def ranking_tasks(
    dataset: Dataset, split: Split = Split.TEST, *, refit: bool = False
) -> tuple[RankingTask, ...]:
    """Build the next-item questions of a split.

    By time: the distinct items of the period per user, histories frozen at the cut, once with
    the user's earlier items allowed (`all`) and once without them (`new`). Leave-one-out: the
    one item kept aside, earlier items filtered, ties against the model (`next`).
    """
    training, history = fit_tables(dataset, split, refit=refit)
    later = table_of(dataset, split, asked_at_us=dataset.end_us)
    by_time = dataset.shop.split.kind == "time"
    variants = (("all", False), ("new", True)) if by_time else (("next", True),)
    return tuple(
        ranking_task(
            f"next item ({name})" if by_time else "next item",
            training=training,
            history=history,
            later=later,
            only_new=only_new,
            break_ties=by_time,
        )
        for name, only_new in variants
    )


def fit_tables(
    dataset: Dataset, split: Split = Split.TEST, *, refit: bool = False
) -> tuple[EventTable, EventTable]:
    """Return what baselines learn from, and the histories at the question.

    Args:
        refit: learn from validation days too, as a shop does before it serves.

    Raises:
        LogError: the split is training itself, or has no training rows before it.
    """
    if split not in LEARNED:
        raise LogError("Baselines are measured on validation or test, not on training itself.")
    by_time = dataset.shop.split.kind == "time"
    asked_at_us = dataset.end_of(Split(split - 1)) if by_time else dataset.end_us
    history = table_of(dataset, *LEARNED[split], asked_at_us=asked_at_us)
    if refit:
        return history, history
    training = table_of(dataset, Split.TRAIN, asked_at_us=asked_at_us)
    if not len(training.user):
        raise LogError("The log has no training event with an item; check the split in shop.toml.")
    return training, history


def default_baselines(dataset: Dataset) -> tuple[Baseline, ...]:
    """Choose the baselines that the log can have: no recent days without a clock, for one."""
    found: list[Baseline] = [Popularity()]
    if dataset.shop.has_clock:
        found += [Popularity(days=14), OwnHistory(rule="recency")]
    found += [OwnHistory(rule="days"), ItemKnn(), ForwardCooccurrence()]
    if dataset.catalogue.num_items <= EASE_ITEMS:
        found.append(Ease())
    return tuple(found)


def baseline_reports(
    dataset: Dataset,
    k: tuple[int, ...] = (10, 20),
    split: Split = Split.TEST,
    *,
    baselines: Sequence[Baseline] | None = None,
    models: Sequence[Scorer] = (),
    refit: bool = False,
) -> list[RankReport]:
    """Report baselines and given models on the same users, task by task, for pairing."""
    tasks = ranking_tasks(dataset, split, refit=refit)
    chosen = default_baselines(dataset) if baselines is None else baselines
    return [
        rank_report(scorer.name, scorer, task, k)
        for scorer, repeats_only in _scorers(dataset, split, chosen, models, refit)
        for task in tasks
        if not (repeats_only and task.hidden is not None)
    ]


def baseline_table(
    dataset: Dataset, k: tuple[int, ...] = (10, 20), split: Split = Split.TEST
) -> list[MetricRow]:
    """Return the baselines' figures with their intervals, as tidy rows."""
    return rows_of(baseline_reports(dataset, k, split), split)


def rows_of(reports: Sequence[RankReport], split: Split = Split.TEST) -> list[MetricRow]:
    """Flatten reports into tidy rows."""
    return [row for report in reports for row in report.rows(split.name.lower())]


def _scorers(
    dataset: Dataset,
    split: Split,
    baselines: Sequence[Baseline],
    models: Sequence[Scorer],
    refit: bool,
) -> Iterator[tuple[Scorer, bool]]:
    """Fit one baseline at a time, so that one at most is in memory; repeats are no news."""
    training, history = fit_tables(dataset, split, refit=refit)
    for baseline in baselines:
        yield baseline.fit(training, history), isinstance(baseline, OwnHistory)
    for model in models:
        yield model, False
