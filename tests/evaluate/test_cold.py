"""What is measured where little is known: shoppers of few events, items without a training row."""

from dataclasses import dataclass

import numpy as np
import pytest

from endcap import evaluate
from endcap.schema import Action

CLICK = Action.CLICK
NUM_ITEMS = 30


@dataclass(frozen=True)
class Follower:
    """Offers the items that follow the latest event; item 0 to strangers. New items are last."""

    histories: list
    name: str = "endcap"
    latest: int | None = None

    def scores(self, users):
        found = np.zeros((len(users), NUM_ITEMS))
        for row, user in enumerate(users):
            kept = self.histories[user]
            kept = kept if self.latest is None else kept[max(len(kept) - self.latest, 0) :]
            found[row, 29] = 0.5
            found[row, [item + 1 for item in kept] or [0]] = 1.0 + np.arange(max(len(kept), 1))
        return found


@pytest.fixture
def rows(dataset_of):
    """Shopper 0 had items 3 and 20 and wants 4; shopper 1 had 7 and wants 8 and the new item 29."""
    told = [(0, 3, CLICK, 1), (0, 20, CLICK, 2), (1, 7, CLICK, 1)]
    told += [(2, item, CLICK, 1) for item in range(29)]
    told += [(0, 4, CLICK, 11), (1, 8, CLICK, 11), (1, 29, CLICK, 12)]
    dataset = dataset_of(told, num_items=NUM_ITEMS, train_end_day=5, validation_end_day=10)
    task = evaluate.ranking_tasks(dataset)[0]
    found = evaluate.cold_rows(Follower([[3, 20], [7], []]), task, dataset)
    return {(row.model, row.metric, row.group): row for row in found}


def test_a_shoppers_latest_events_alone_are_read(rows):
    # With one event shopper 0 is offered 21 first, with two 4 as well; ties go by popularity.
    few, more = (rows["endcap", "ndcg", f"known={known}"] for known in (1, 2))
    assert few.n == 2
    assert few.value < more.value == rows["endcap", "ndcg", "known=5"].value
    assert {group for _, _, group in rows} == {
        "known=0",
        "known=1",
        "known=2",
        "known=5",
        "items=new",
    }


def test_popularity_stands_beside_and_does_not_hang_on_the_shopper(rows):
    values = {rows["popularity", "recall", f"known={known}"].value for known in (0, 1, 2, 5)}
    assert len(values) == 1
    assert rows["popularity", "recall", "known=0"].low is not None


def test_baselines_read_the_same_latest_events(dataset_of):
    """Who had 3 had 4 next; of shopper 0 with one event nobody knows that 3 came before 20."""
    told = [(0, 3, CLICK, 1), (0, 20, CLICK, 2), (0, 4, CLICK, 11)]
    told += [(user, item, CLICK, day) for user in range(1, 6) for item, day in ((3, 1), (4, 2))]
    dataset = dataset_of(told, num_items=NUM_ITEMS, train_end_day=5, validation_end_day=10)
    task = evaluate.ranking_tasks(dataset)[0]
    found = {
        (row.model, row.metric, row.group): row.value
        for row in evaluate.cold_rows(Follower([[3, 20]]), task, dataset)
    }
    for model in ("forward co-occurrence", "item-kNN"):
        few, more = (found[model, "ndcg", f"known={known}"] for known in (1, 2))
        assert few < more == 1.0
        assert (model, "ndcg", "known=0") not in found


def test_new_items_are_looked_for_in_lists_of_all_items(rows):
    ours, theirs = (rows[model, "recall", "items=new"] for model in ("endcap", "popularity"))
    assert (ours.value, ours.n, theirs.value) == (1.0, 1, 0.0)
    assert rows["endcap", "exposure", "items=new"].value == pytest.approx(0.1)
