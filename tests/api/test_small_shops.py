"""A shop of 300 events trains, says what it could not teach, and is no worse than popularity."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from endcap.evaluate import Popularity, baseline_reports
from endcap.features import DAY_US, CounterHistory, mixed_parts
from endcap.schema import (
    IMPRESSION,
    Action,
    Campaigns,
    Catalogue,
    Dataset,
    Histories,
    ShopConfig,
    Split,
    make_events,
)
from endcap.train import Fitted, fit
from endcap.train.mix_columns import network_scores

pytestmark = pytest.mark.slow

SHOPS, EVENTS, ITEMS, SHOPPERS, DAYS = 30, 300, 60, 50, 60
GROUPS = 6
START_US = 20_000 * DAY_US


def small_shop(seed):
    """Some items are wanted by all, shoppers have a category that they like, few come again."""
    random = np.random.default_rng(seed)
    group = random.integers(GROUPS, size=ITEMS)
    wanted = 1.0 / (1.0 + np.arange(ITEMS)) ** 0.8
    likes = random.integers(GROUPS, size=SHOPPERS)
    user = np.sort(random.choice(SHOPPERS, size=EVENTS, p=random.dirichlet(np.ones(SHOPPERS))))
    chances = wanted * np.where(likes[user, None] == group, 4.0, 1.0)
    chances /= chances.sum(axis=1, keepdims=True)
    item = np.array([random.choice(ITEMS, p=row) for row in chances])
    at = START_US + random.integers(DAYS * DAY_US, size=EVENTS)
    order = np.lexsort((at, user))
    user, item, at = user[order], item[order], at[order]
    bought = random.random(EVENTS) < 0.15
    catalogue = Catalogue.of_ids([f"i{k}" for k in range(ITEMS)])
    catalogue.categories[:] = [f"C{k}" for k in group]
    cuts = [START_US + round(share * DAYS) * DAY_US for share in (0.8, 0.9)]
    action = np.where(bought, Action.PURCHASE, Action.VIEW)
    return Dataset(
        shop=ShopConfig(),
        user_ids=[f"u{k}" for k in range(SHOPPERS)],
        catalogue=catalogue,
        campaigns=Campaigns(),
        histories=Histories(
            events=make_events(timestamp_us=at, item=item, action=action),
            offsets=np.searchsorted(user, np.arange(SHOPPERS + 1)).astype(np.int64),
        ),
        event_split=np.searchsorted(cuts, at, side="right").astype(np.uint8),
        impressions=np.zeros(0, dtype=IMPRESSION),
        impression_split=np.zeros(0, dtype=np.uint8),
        event_decision=np.full(EVENTS, -1, dtype=np.int64),
        train_end_us=cuts[0],
        validation_end_us=cuts[1],
        end_us=START_US + DAYS * DAY_US,
    )


@dataclass(frozen=True)
class Listed:
    """A fit as a row of the tables, without its export."""

    fitted: Fitted
    counters: NDArray[np.float32]
    name: str = "endcap"

    def scores(self, users):
        fitted, dataset = self.fitted, self.fitted.dataset
        offsets, events = dataset.histories.offsets, dataset.histories.events
        parts = [slice(offsets[user], offsets[user + 1]) for user in users]
        known = [events[part][dataset.event_split[part] < Split.TEST] for part in parts]
        chunks = network_scores(
            fitted.network, fitted.batcher, users, known, dataset.validation_end_us
        )
        total = np.concatenate(list(chunks))
        for place, history in enumerate(known):
            parts = mixed_parts(
                history,
                dataset.validation_end_us,
                fitted.mix,
                fitted.remembered,
                self.counters,
                num_items=dataset.catalogue.num_items,
            )
            total[place] += sum(parts.values())
        return total


def ndcg_of(seed):
    """Return NDCG@10 of the next item on test days: ours, popularity's."""
    fitted = fit(small_shop(seed), seed=seed)
    counters = CounterHistory(fitted.dataset).as_of(fitted.dataset.validation_end_us // DAY_US)
    reports = baseline_reports(
        fitted.dataset, (10,), baselines=[Popularity()], models=[Listed(fitted, counters)]
    )
    found = {report.model: report.mean("ndcg", 10) for report in reports if "all" in report.task}
    return found["endcap"], found["popularity"]


def test_thirty_small_shops_are_on_average_served_no_worse_than_by_popularity():
    found = np.array([ndcg_of(seed) for seed in range(SHOPS)])
    assert found[:, 0].mean() >= found[:, 1].mean()


def test_a_small_shop_says_which_tasks_it_could_not_teach_and_why():
    fitted = fit(small_shop(0), epochs=1)
    assert {task.name for task in fitted.tasks} >= {"next", "purchase"}
    assert fitted.plan.left_out["click"] == (
        "needs 30 events of type click on shown slots on training days, found 0"
    )
