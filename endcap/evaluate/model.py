"""The fitted model in the tables of next items, as a scorer beside the baselines."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.evaluate.baselines import LEARNED, ranking_tasks
from endcap.evaluate.ranking import RankingTask, RankReport, rank_report
from endcap.features import DAY_US, CounterHistory
from endcap.predict import NetworkPredictor
from endcap.schema import Dataset, Split


@dataclass(frozen=True, kw_only=True)
class ModelScorer:
    """A predictor as a row of the ranking tables: histories frozen at the first instant asked."""

    name: str
    predictor: NetworkPredictor
    dataset: Dataset
    counters: NDArray[np.float32]
    at_us: int
    split: Split
    unseen: bool
    latest: int | None = None
    """Latest events that are read of a history; all when absent."""

    def scores(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score every item for some users: [B, V]."""
        return np.stack([self._of(int(user)) for user in users])

    def _of(self, user: int) -> NDArray[np.float32]:
        start, end = self.dataset.histories.offsets[user : user + 2]
        known = np.isin(self.dataset.event_split[start:end], LEARNED[self.split])
        history = self.dataset.histories.events[start:end][known]
        if self.latest is not None:
            history = history[max(len(history) - self.latest, 0) :]
        at_us = self.at_us
        if not self.dataset.shop.has_clock and len(history):
            at_us = int(history["timestamp_us"][-1]) + 1
        scores = self.predictor.next_scores(history, at_us, self.counters, unseen=self.unseen)
        return scores[: self.dataset.catalogue.num_items]


def model_reports(
    name: str,
    predictor: NetworkPredictor,
    dataset: Dataset,
    split: Split = Split.TEST,
    k: tuple[int, ...] = (10, 20),
) -> list[RankReport]:
    """Rank with the model, on the users and items that the baselines are ranked on."""
    return [
        rank_report(name, scorer, task, k)
        for task, scorer in model_scorers(name, predictor, dataset, split)
    ]


def model_scorers(
    name: str, predictor: NetworkPredictor, dataset: Dataset, split: Split = Split.TEST
) -> list[tuple[RankingTask, ModelScorer]]:
    """Return the questions that the model is ranked on, and what answers each."""
    by_time = dataset.shop.split.kind == "time"
    at_us = dataset.end_of(Split(split - 1)) if by_time else dataset.end_us
    counters = CounterHistory(dataset).as_of(at_us // DAY_US)
    scorers = []
    for task in ranking_tasks(dataset, split):
        scorer = ModelScorer(
            name=name,
            predictor=predictor,
            dataset=dataset,
            counters=counters,
            at_us=at_us,
            split=split,
            unseen=task.hidden is not None,
        )
        scorers.append((task, scorer))
    return scorers
