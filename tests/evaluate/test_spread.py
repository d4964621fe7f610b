"""Whom lists serve: numbers worked out by hand on a log of four shoppers and twenty items."""

import numpy as np
import pytest

from endcap import evaluate
from endcap.evaluate.spread import TAIL
from endcap.schema import Action, Split

CLICK = Action.CLICK
NUM_ITEMS = 20


class Fixed:
    """A scorer that knows one list for everybody: the rows, best first."""

    name = "endcap"

    def __init__(self, best):
        self.list = np.zeros(NUM_ITEMS, dtype=np.float32)
        self.list[best] = np.arange(len(best), 0, -1)

    def scores(self, users):
        return np.tile(self.list, (len(users), 1))


@pytest.fixture
def dataset(dataset_of):
    """Item 0 is everybody's; items 1 to 19 had one shopper each. Two shoppers come back."""
    rows = [(user, 0, CLICK, 1) for user in range(4)]
    rows += [(item % 4, item, CLICK, 2) for item in range(1, NUM_ITEMS)]
    rows += [(0, 0, CLICK, 11), (0, 19, CLICK, 11), (1, 0, CLICK, 11)]
    made = dataset_of(rows, num_items=NUM_ITEMS, train_end_day=5, validation_end_day=10)
    made.catalogue.seller_ids[:] = ["big"] * 10 + ["small"] * 10
    return made


def figures(dataset, best, groups=None):
    task = evaluate.ranking_tasks(dataset)[0]
    report = evaluate.rank_report("endcap", Fixed(best), task)
    parts = evaluate.groups_of(dataset, shopper_groups=groups)
    rows = evaluate.spread_rows(report, task, parts)
    rows += evaluate.demand_rows(task, parts)
    return {(row.model, row.metric, row.group): row for row in rows}


def test_recall_and_places_are_told_by_tenth(dataset):
    found = figures(dataset, list(range(10)))
    assert found["endcap", "recall", "tenth=1"].value == 1.0  # item 0, wanted twice
    assert found["endcap", "recall", "tenth=10"].value == 0.0  # item 19, wanted once
    assert ("endcap", "recall", "tenth=5") not in found  # nobody wanted such an item
    # ten items of two tenths a pair: tenths 1 to 5 hold the places, the last 80 % six of ten
    assert found["endcap", "exposure", "tenth=1"].value == pytest.approx(0.2)
    assert found["endcap", "exposure", "tenth=10"].value == 0.0
    assert found["endcap", "tail_exposure", ""].value == pytest.approx(0.6)
    assert found["endcap", "coverage", ""].value == 0.5
    assert TAIL == 3


def test_recall_of_the_last_items_has_an_interval(dataset):
    found = figures(dataset, [0, 19])["endcap", "recall", "items=last 80 %"]
    assert (found.value, found.low is not None) == (1.0, True)  # item 19, wanted by shopper 0


def test_places_stand_beside_what_shoppers_did(dataset):
    found = figures(dataset, list(range(10)))
    # 23 pairs of shopper and item on training days, five of them of the first two items
    assert found["the log", "exposure", "tenth=1"].value == pytest.approx(5 / 23)
    tenths = [f"tenth={tenth}" for tenth in range(1, 11)]
    shares = [found["the log", "exposure", tenth].value for tenth in tenths]
    assert sum(shares) == pytest.approx(1.0)


def test_sellers_are_measured_apart(dataset):
    found = figures(dataset, list(range(10)))
    assert found["endcap", "exposure", "seller=big"].value == 1.0
    assert found["endcap", "recall", "seller=small"].value == 0.0
    assert found["endcap", "recall", "seller=big"].value == 1.0


def test_shoppers_are_measured_by_events_and_by_declared_groups(dataset):
    found = figures(dataset, list(range(10)), {"city": {"u0": "Berlin", "u1": "Bonn"}})
    assert found["endcap", "recall", "events=3 to 10"].value == pytest.approx(0.75)
    assert found["endcap", "recall", "city=Berlin"].value == 0.5
    assert found["endcap", "recall", "city=Bonn"].value == 1.0
    assert found["endcap", "recall", "city=Bonn"].n == 1


def test_a_report_of_ranks_alone_has_no_lists_to_look_into(dataset):
    task = evaluate.ranking_tasks(dataset)[0]
    ranks = evaluate.target_ranks(Fixed([0]), task)
    report = evaluate.report_of_ranks("endcap", ranks, task.name)
    assert evaluate.spread_rows(report, task, evaluate.groups_of(dataset), Split.TEST) == []


def test_many_sellers_become_the_busiest_and_the_rest(dataset):
    dataset.catalogue.seller_ids[:] = [f"s{row:02d}" for row in range(NUM_ITEMS)]
    sellers = set(evaluate.groups_of(dataset).sellers)
    assert len(sellers) == 11 and "the other 10" in sellers and "s00" in sellers
