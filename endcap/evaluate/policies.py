"""What a model's pages are compared with: the same engine, another predictor.

All of them go through the same page rule, candidates, ads and prices, and read the same
examination; they differ in what they predict of a candidate alone.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from endcap.features import CounterColumn
from endcap.schema import Campaigns, Catalogue, Predictions, Question

Examination = Callable[[str, int, int], NDArray[np.float64]]

CLICK_PRIOR, BUY_PRIOR = 20.0, 20.0
"""Impressions and clicks of an average item that every item starts with (empirical Bayes)."""


class CataloguePredictor:
    """A predictor that needs no model: whole-catalogue retrieval and a given examination."""

    version = "none"

    def __init__(self, examination: Examination) -> None:
        self._examination = examination
        self._num_items = 0

    def predict(self, question: Question) -> Predictions:
        """Answer for every candidate."""
        raise TypeError(f"{type(self).__name__} must say how it predicts")

    def repeat(self, question: Question, context: NDArray[np.float32]) -> Predictions:
        """Answer again: nothing here depends on the context columns of a record."""
        return self.predict(question)

    def retrieve(self, question: Question, limit: int) -> NDArray[np.int32]:
        """Return the items by what they sold and drew in clicks of late."""
        used = (
            question.counters[:, CounterColumn.CLICKS]
            + question.counters[:, CounterColumn.PURCHASES]
        )
        return np.argsort(-used, kind="stable")[:limit].astype(np.int32)

    def examination(self, placement: str, slots: int, device: int) -> NDArray[np.float64]:
        """Return the examination that all policies share."""
        return self._examination(placement, slots, device)

    def learn_items(self, catalogue: Catalogue) -> None:
        """Take in the catalogue."""
        self._num_items = catalogue.num_items

    def learn_campaigns(self, campaigns: Campaigns) -> None:
        """Take in the campaigns; nothing here depends on them."""


class RandomPredictor(CataloguePredictor):
    """Every candidate alike, but for luck: the floor of the table."""

    version = "random"

    def __init__(self, examination: Examination, *, rate: float = 0.05, seed: int = 0) -> None:
        super().__init__(examination)
        self._rate, self._seed = rate, seed

    def predict(self, question: Question) -> Predictions:
        """Answer by chance, the same for the same instant and shopper."""
        random = np.random.default_rng([self._seed, question.at_us % 2**63])
        count = len(question.item)
        return Predictions(
            q=self._rate * random.uniform(0.5, 1.5, size=count),
            dwell_ms=np.full(count, 20_000.0),
            buy=np.full(count, 0.05),
        )


class PopularityPredictor(CataloguePredictor):
    """Each item's own click and purchase rates, shrunk to the shop's, the same for everybody.

    Args:
        dwell_ms: the shop's mean dwell of a click.
    """

    version = "popularity"

    def __init__(self, examination: Examination, *, dwell_ms: float = 20_000.0) -> None:
        super().__init__(examination)
        self._dwell_ms = dwell_ms

    def predict(self, question: Question) -> Predictions:
        """Answer by the counters as of the start of the day."""
        counters, item = question.counters, question.item
        rows = np.zeros((len(item), counters.shape[1]))
        known = item < len(counters)
        rows[known] = counters[item[known]]
        total = counters.sum(axis=0, dtype=np.float64)
        shown, clicks = rows[:, CounterColumn.IMPRESSIONS], rows[:, CounterColumn.CLICKS]
        bought = rows[:, CounterColumn.PURCHASES]
        click_rate = (total[CounterColumn.CLICKS] + 1) / (total[CounterColumn.IMPRESSIONS] + 20)
        buy_rate = (total[CounterColumn.PURCHASES] + 1) / (total[CounterColumn.CLICKS] + 20)
        return Predictions(
            q=np.clip((clicks + CLICK_PRIOR * click_rate) / (shown + CLICK_PRIOR), 1e-4, 0.99),
            dwell_ms=np.full(len(item), self._dwell_ms),
            buy=np.clip((bought + BUY_PRIOR * buy_rate) / (clicks + BUY_PRIOR), 1e-5, 0.99),
        )
