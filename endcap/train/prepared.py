"""A log laid out for training, once for every configuration: questions, labels, scales, counts."""

from dataclasses import dataclass

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from endcap.errors import LogError
from endcap.features import (
    ContextScales,
    CounterHistory,
    FieldVocabulary,
    ItemColumns,
    Remembered,
    embedding_scales,
    embeddings_of,
    relation_kinds,
    relation_matrices,
)
from endcap.model import ItemFacts
from endcap.outcomes import join_outcomes
from endcap.schema import Dataset, FieldMatrix, NextItem, Split
from endcap.train.examples import Examples, make_examples
from endcap.train.graph import relate
from endcap.train.loop import Report, no_report
from endcap.train.recipes import TrainConfig, choose_recipe
from endcap.train.remembering import remember
from endcap.train.sampling import asks_shopper, pair_task
from endcap.train.tasks import TaskPlan, plan_tasks
from endcap.train.tastes import fit_scales


@dataclass(frozen=True, kw_only=True)
class AskedLog:
    """A log as questions with labels."""

    examples: Examples
    plan: TaskPlan


def ask_log(
    dataset: Dataset,
    columns: ItemColumns,
    counters: CounterHistory,
    vocabulary: FieldVocabulary,
    *,
    seed: int = 0,
) -> AskedLog:
    """Turn a log into questions, and label every task that it can teach."""
    outcomes = join_outcomes(dataset)
    examples = make_examples(dataset, counters, columns, ask_later=_asks_later(dataset), seed=seed)
    plan = plan_tasks(dataset, outcomes, examples, vocabulary)
    return AskedLog(examples=examples, plan=plan)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A log laid out for training, the same for every configuration."""

    dataset: Dataset
    asked: AskedLog
    is_known: NDArray[np.bool_]
    vocabulary: FieldVocabulary
    scales: ContextScales
    counters: CounterHistory
    neighbours: FieldMatrix
    facts: ItemFacts
    remembered: Remembered
    seed: int

    def recipe(self) -> TrainConfig:
        """Return the configuration that the log's size and shape, and `[train]`, ask for."""
        chosen = _choose(self.dataset, self.asked.examples, self.asked.plan, self.seed)
        wanted = self.dataset.shop.train
        return structs.replace(
            chosen, weighting=wanted.weighting, value_weighted=wanted.value_weighted
        )

    def rows_of(self, split: Split) -> NDArray[np.int64]:
        """Return the questions of a split that ask something."""
        examples = self.asked.examples
        asks = _asked_rows(examples, self.asked.plan)
        return np.flatnonzero((examples.split == split) & asks)


def prepare(dataset: Dataset, *, seed: int = 0, report: Report = no_report) -> Prepared:
    """Read a log once: its questions and labels, scales, counters and neighbours.

    Raises:
        LogError: the log teaches no task at all.
    """
    report("reading the log", 0, 1)
    is_known = _times_met(dataset) > 0
    vocabulary = _fit_vocabulary(dataset, is_known)
    counters = CounterHistory(dataset)
    scales = fit_scales(dataset, counters, is_known, seed=seed)
    columns = ItemColumns.of(dataset.catalogue, scales)
    asked = ask_log(dataset, columns, counters, vocabulary, seed=seed)
    if not asked.plan.tasks:
        reasons = "; ".join(f"{name} {reason}" for name, reason in asked.plan.left_out.items())
        raise LogError(f"The log teaches no task: {reasons}.")
    neighbours, forward = relate(dataset)
    return Prepared(
        dataset=dataset,
        asked=asked,
        is_known=is_known,
        vocabulary=vocabulary,
        scales=scales,
        counters=counters,
        neighbours=neighbours,
        facts=_facts(dataset, vocabulary),
        remembered=remember(dataset, forward, counters, seed=seed),
        seed=seed,
    )


def _facts(dataset: Dataset, vocabulary: FieldVocabulary) -> ItemFacts:
    """Gather what is known of items beside their fields."""
    return ItemFacts(
        counts=_times_met(dataset),
        embeddings=embeddings_of(dataset.catalogue, vocabulary),
        relations=relation_matrices(dataset.catalogue, vocabulary.relations),
    )


def _fit_vocabulary(dataset: Dataset, is_known: NDArray[np.bool_]) -> FieldVocabulary:
    """Collect what training items tell: values of fields, scales of vectors, kinds of relation."""
    catalogue = dataset.catalogue
    vocabulary = FieldVocabulary.fit(catalogue, is_known, dataset.shop.items.numbers)
    mean, scale = embedding_scales(catalogue, is_known)
    kinds = relation_kinds(catalogue, is_known)
    return structs.replace(vocabulary, embedding_mean=mean, embedding_scale=scale, relations=kinds)


def _times_met(dataset: Dataset) -> NDArray[np.int64]:
    """Count how often training days met each item, as an event or on a page."""
    item = dataset.histories.events["item"][dataset.event_split == Split.TRAIN]
    shown = dataset.impressions["item"][dataset.impression_split == Split.TRAIN]
    met = np.concatenate([item, shown])
    return np.bincount(met[met >= 0], minlength=dataset.catalogue.num_items)


def _asks_later(dataset: Dataset) -> bool:
    return dataset.is_by_time and (
        pair_task(dataset.shop.tasks) is not None or asks_shopper(dataset.shop)
    )


def _choose(dataset: Dataset, examples: Examples, plan: TaskPlan, seed: int) -> TrainConfig:
    chosen = (examples.split == Split.TRAIN) & _asked_rows(examples, plan)
    starts = dataset.histories.offsets[examples.user]
    past = (examples.visible - starts)[chosen]
    return choose_recipe(
        num_questions=int(chosen.sum()),
        num_candidates=int(np.diff(examples.candidates.offsets)[chosen].sum()),
        median_history=float(np.median(past)) if len(past) else 0.0,
        shown_per_item=_shown_per_item(dataset, plan),
        seed=seed,
    )


def _asked_rows(examples: Examples, plan: TaskPlan) -> NDArray[np.bool_]:
    """Tell the questions that ask something of the tasks at hand."""
    asks = np.diff(examples.candidates.offsets) > 0
    if any(isinstance(task, NextItem) for task in plan.tasks):
        asks |= np.diff(examples.next_offsets) > 0
    return asks


def _shown_per_item(dataset: Dataset, plan: TaskPlan) -> float:
    """Count a feed's shown slots of training days per item that they show."""
    item = dataset.impressions["item"][dataset.impression_split == Split.TRAIN]
    asks_next = any(isinstance(task, NextItem) for task in plan.tasks)
    if not dataset.shop.times_shown or asks_next or len(item) == 0:
        return float("inf")
    return len(item) / len(np.unique(item))
