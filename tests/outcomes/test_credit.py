from dataclasses import replace

import numpy as np
import pytest

from endcap.outcomes import credited_after, join_outcomes
from endcap.schema import (
    IMPRESSION,
    Action,
    Campaigns,
    Catalogue,
    Dataset,
    Histories,
    ShopConfig,
    make_events,
)

HOUR = 3_600_000_000
CLICK, CART, BUY = Action.CLICK, Action.ADD_TO_CART, Action.PURCHASE


def log(shown, events) -> Dataset:
    """Make a log of one user from (at, decision, item) and (at, item, action, decision) rows."""
    rows = np.zeros(len(shown), dtype=IMPRESSION)
    rows["timestamp_us"], rows["decision"], rows["item"] = np.array(shown).T
    rows["campaign"] = -1
    at, item, action, decision = (list(column) for column in zip(*events, strict=True))
    return Dataset(
        shop=ShopConfig(),
        user_ids=["u"],
        catalogue=Catalogue.of_ids(["a", "b", "c"]),
        campaigns=Campaigns(),
        histories=Histories(
            events=make_events(timestamp_us=at, item=item, action=action),
            offsets=np.array([0, len(events)]),
        ),
        event_split=np.zeros(len(events), dtype=np.uint8),
        impressions=rows,
        impression_split=np.zeros(len(rows), dtype=np.uint8),
        event_decision=np.array(decision, dtype=np.int64),
        train_end_us=1_000 * HOUR,
        validation_end_us=2_000 * HOUR,
        end_us=3_000 * HOUR,
    )


def bought(dataset):
    return credited_after(dataset, join_outcomes(dataset), "purchase").tolist()


TWICE = [(0, -1, 1), (10 * HOUR, -1, 1)]
CLICKS = [(1, 1, CLICK, -1), (10 * HOUR + 1, 1, CLICK, -1)]


def test_two_clicks_and_one_purchase_make_one_purchase_of_the_later_click():
    assert bought(log(TWICE, [*CLICKS, (12 * HOUR, 1, BUY, -1)])) == [-1, 12 * HOUR]


def test_a_purchase_with_a_decision_id_goes_back_to_that_decisions_click():
    shown = [(0, 0, 1), (10 * HOUR, 1, 1)]
    clicks = [(1, 1, CLICK, 0), (10 * HOUR + 1, 1, CLICK, 1)]
    assert bought(log(shown, [*clicks, (12 * HOUR, 1, BUY, 0)])) == [12 * HOUR, -1]


def test_a_purchase_whose_decision_was_not_clicked_goes_to_the_latest_click():
    shown = [(0, 0, 1), (10 * HOUR, 1, 1)]
    clicks = [(1, 1, CLICK, 0)]
    assert bought(log(shown, [*clicks, (12 * HOUR, 1, BUY, 1)])) == [12 * HOUR, -1]


def test_the_first_of_many_events_counts():
    events = [*CLICKS, (11 * HOUR, 1, BUY, -1), (13 * HOUR, 1, BUY, -1)]
    assert bought(log(TWICE, events)) == [-1, 11 * HOUR]


@pytest.mark.parametrize(
    ("at", "item", "action"), [(12 * HOUR, 2, BUY), (12 * HOUR, 1, CART), (0, 1, BUY)]
)
def test_another_item_or_kind_or_an_event_before_the_clicks_is_no_credit(at, item, action):
    events = sorted([*CLICKS, (at, item, action, -1)], key=lambda event: event[0])
    assert bought(log(TWICE, events)) == [-1, -1]


def test_a_purchase_at_the_instant_of_a_click_follows_the_click_before_it():
    at = 10 * HOUR + 1
    assert bought(log(TWICE, [*CLICKS, (at, 1, BUY, -1)])) == [at, -1]


def test_an_event_before_its_own_decisions_click_is_none_after_it():
    early = log([(5, 0, 1)], [(3, 1, BUY, 0), (6, 1, CLICK, 0)])
    assert bought(early) == [-1]


def test_other_users_clicks_take_no_credit():
    one = log(TWICE, [*CLICKS, (12 * HOUR, 1, BUY, -1)])
    apart = replace(
        one, user_ids=["u", "v"], histories=replace(one.histories, offsets=np.array([0, 2, 3]))
    )
    assert bought(apart) == [-1, -1]
