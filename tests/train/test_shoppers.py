"""Labels of what a shopper does whatever the item, worked out by hand."""

import numpy as np
import pytest

from endcap.schema import Action, Count, Hazard
from endcap.train.examples import of_pair, of_shopper
from endcap.train.shoppers import category_target, count_target, shopper_delay
from endcap.train.targets import candidate_facts, delay_edges, delay_target

DAY = 86_400_000_000
VIEW, CLICK, BUY = Action.VIEW, Action.CLICK, Action.PURCHASE

ROWS = [
    (0, 1 * DAY, 0, VIEW),
    (0, 3 * DAY, 1, CLICK),
    (0, 3 * DAY, 2, CLICK),
    (0, 6 * DAY, 3, BUY),
    (0, 11 * DAY, 4, CLICK),
    (1, 2 * DAY, 5, CLICK),
]


@pytest.fixture
def asked(make_log, ask):
    log = make_log(ROWS)
    outcomes, examples = ask(log, ask_later=True)
    return log, outcomes, examples, candidate_facts(log, outcomes, examples)


def at(facts, examples, user, day):
    """Find the shopper's question right after the group of that day."""
    mine = of_shopper(examples.candidates) & (facts.user == user)
    (row,) = np.flatnonzero(mine & (facts.at_us // 1_000_000 == day * DAY // 1_000_000))
    return row


def test_a_snapshot_asks_of_the_shopper_once_and_of_items_beside(asked):
    _, _, examples, _ = asked
    offsets, table = examples.candidates.offsets, examples.candidates
    snapshots = np.flatnonzero(np.diff(offsets))
    assert (np.add.reduceat(of_shopper(table), offsets[snapshots]) == 1).all()
    assert (of_shopper(table) | of_pair(table)).all()
    assert not table.log_offset[of_shopper(table)].any()


def test_the_next_purchase_is_of_anything(asked):
    log, outcomes, examples, facts = asked
    task = Hazard(name="any_purchase", measures="delay", space="shoppers")
    found = shopper_delay(task, log, outcomes, examples.candidates, facts, delay_edges(task))
    first, other = at(facts, examples, 0, 1), at(facts, examples, 1, 2)
    assert found.asked[first] and found.observed[first]
    edges = delay_edges(task)
    assert edges[found.bin[first]] < 5 * DAY <= edges[found.bin[first] + 1]
    assert found.asked[other] and not found.observed[other]
    assert found.limit_hours[other] == pytest.approx(8 * 24, abs=0.01)  # the split ends on day 10
    assert not found.asked[of_pair(examples.candidates)].any()


def test_a_return_is_any_event_and_one_of_the_same_instant_is_none(asked):
    log, outcomes, examples, facts = asked
    task = Hazard(name="return", measures="delay", space="shoppers", event_type="any")
    found = shopper_delay(task, log, outcomes, examples.candidates, facts, delay_edges(task))
    row = at(facts, examples, 0, 3)  # two clicks at that instant; the next event is on day 6
    assert found.observed[row]
    edges = delay_edges(task)
    assert edges[found.bin[row]] < 3 * DAY <= edges[found.bin[row] + 1]


def test_an_event_after_the_split_is_no_label(asked):
    log, outcomes, examples, facts = asked
    task = Hazard(name="return", measures="delay", space="shoppers", event_type="any")
    found = shopper_delay(task, log, outcomes, examples.candidates, facts, delay_edges(task))
    assert not found.observed[at(facts, examples, 0, 6)]  # day 11 is validation


def test_clicks_are_counted_and_a_window_that_the_split_cuts_is_not_asked(asked):
    log, _, examples, facts = asked
    task = Count(name="clicks", event_type="click", within_hours=7 * 24)
    found = count_target(task, log, examples.candidates, facts)
    first, second = at(facts, examples, 0, 1), at(facts, examples, 0, 3)
    assert found.asked[first] and found.count[first] == 2
    assert not found.asked[second]  # 3 + 7 days is the cut
    short = Count(name="clicks", event_type="click", within_hours=24)
    again = count_target(short, log, examples.candidates, facts)
    assert again.asked[second] and again.count[second] == 0
    assert again.count[at(facts, examples, 1, 2)] == 0  # nobody else's


def test_the_next_category_is_that_of_the_next_item_with_one(asked):
    log, _, examples, facts = asked
    groups = np.array([1, 0, 0, 2, 1, 1])  # items 1 and 2 are of none
    found = category_target(log, examples.candidates, facts, groups)
    first = at(facts, examples, 0, 1)
    assert found.asked[first] and found.category[first] == 1  # item 3, on day 6
    assert not found.asked[at(facts, examples, 0, 6)]  # day 11 is beyond the split
    assert not found.asked[at(facts, examples, 1, 2)]


def test_in_a_log_of_days_an_event_comes_in_the_middle_of_its_day(make_log, ask):
    """Right after the evening of day 1 midnight is no time away, though all of day 2 is meant."""
    log = make_log([(0, DAY, 0, VIEW), (0, 2 * DAY, 1, BUY)], resolution="day")
    outcomes, examples = ask(log, ask_later=True)
    facts = candidate_facts(log, outcomes, examples)
    task = Hazard(name="any_purchase", measures="delay", space="shoppers")
    edges = delay_edges(task)
    found = shopper_delay(task, log, outcomes, examples.candidates, facts, edges)
    (row, *_) = np.flatnonzero(of_shopper(examples.candidates) & (facts.at_us == 2 * DAY - 1))
    assert found.observed[row]
    assert edges[found.bin[row]] < DAY / 2 <= edges[found.bin[row] + 1]
    of_item = delay_target(
        Hazard(name="purchase", measures="delay", space="all"),
        log,
        outcomes,
        examples.candidates,
        facts,
        edges,
    )
    bought = (examples.candidates.item == 1) & (facts.at_us == 2 * DAY - 1)
    assert (of_item.bin[bought] == found.bin[row]).all() and bought.any()
