import numpy as np
import pytest

from endcap.schema import Action, Binary, Flag, Hazard
from endcap.train.dwells import NUM_DWELL_BINS, dwell_edges, dwell_target
from endcap.train.targets import (
    NUM_DELAY_BINS,
    binary_target,
    candidate_facts,
    delay_edges,
    delay_target,
)

DAY, HOUR, MINUTE = 86_400_000_000, 3_600_000_000, 60_000_000
VIEW, CLICK, CART, BUY = Action.VIEW, Action.CLICK, Action.ADD_TO_CART, Action.PURCHASE
END = 10 * DAY
CLICKED = Binary(name="click", event_type="click", space="impressions")
CARTED = Binary(name="cart", event_type="add_to_cart", space="clicks", within_hours=2.0)
BOUGHT = Hazard(name="buy", measures="delay", space="clicks", within_hours=7 * 24)


@pytest.fixture
def facts_of(ask):
    def facts(log, **options):
        outcomes, examples = ask(log, **options)
        return outcomes, examples.candidates, candidate_facts(log, outcomes, examples)

    return facts


def page(at, *items):
    return [(0, at, item, slot) for slot, item in enumerate(items)]


def test_a_click_on_what_was_shown(make_log, facts_of):
    log = make_log([(0, DAY + MINUTE, 2, CLICK)], shown=page(DAY, 1, 2))
    found = binary_target(CLICKED, log, *facts_of(log))
    assert found.label.tolist() == [0, 1]
    assert found.asked.all()


def test_a_page_just_before_the_cut_is_not_asked_and_tells_nothing_from_beyond(make_log, facts_of):
    last = END - 1 - 30 * MINUTE
    log = make_log([(0, END, 2, CLICK)], shown=page(last, 1) + page(last + 1, 2))
    outcomes, candidates, facts = facts_of(log)
    assert binary_target(CLICKED, log, outcomes, candidates, facts).asked.tolist() == [True, False]
    assert not facts.clicked.any()


def test_a_cart_window_cut_by_the_end_is_not_asked_whatever_was_seen(make_log, facts_of):
    early, late = END - 1 - 2 * HOUR, END - 2 * HOUR
    rows = [(0, early, 1, CLICK), (0, early + HOUR, 1, CART)]
    rows += [(0, late, 2, CLICK), (0, late + 1, 2, CART), (0, DAY, 3, CART)]
    log = make_log(rows, shown=page(early, 1, 3) + page(late, 2))
    found = binary_target(CARTED, log, *facts_of(log))
    assert found.asked.tolist() == [True, False, False]
    assert found.label[0] == 1


def test_an_event_after_its_window_or_at_the_click_itself_is_no_label(make_log, facts_of):
    rows = [(0, DAY, 1, CLICK), (0, DAY, 1, CART), (0, DAY + 2 * HOUR + 1, 1, CART)]
    log = make_log(rows, shown=page(DAY, 1))
    assert binary_target(CARTED, log, *facts_of(log)).label.tolist() == [0]


def test_delay_bins_are_log_spaced_from_an_hour_to_the_horizon():
    edges = delay_edges(BOUGHT) / HOUR
    assert len(edges) == NUM_DELAY_BINS + 1
    assert edges[:2].tolist() == [0, 1]
    assert edges[-1] == pytest.approx(168)
    np.testing.assert_allclose(np.diff(np.log(edges[1:])), np.log(168) / 11)


def test_delays_and_limits_by_hand(make_log, facts_of):
    edges = delay_edges(BOUGHT)
    rows = [(0, DAY, 1, CLICK), (0, DAY + HOUR, 1, BUY)]  # the last instant of bin 0
    rows += [(0, 2 * DAY, 2, CLICK), (0, 9 * DAY, 2, BUY)]  # the last instant of the horizon
    rows += [(0, 4 * DAY, 3, CLICK), (0, 4 * DAY, 3, BUY)]  # bought at the click: not after it
    log = make_log(rows, shown=page(DAY, 1) + page(2 * DAY, 2) + page(4 * DAY, 3))
    found = delay_target(BOUGHT, log, *facts_of(log), edges)
    assert found.observed.tolist() == [True, True, False]
    assert found.bin[:2].tolist() == [0, NUM_DELAY_BINS - 1]
    assert found.limit_bin[:2].tolist() == [NUM_DELAY_BINS - 1] * 2
    assert found.limit_share[:2].tolist() == [1, 1]
    place, watched = int(found.limit_bin[2]), 6 * DAY - 1
    assert edges[place] < watched <= edges[place + 1]
    share = (watched - edges[place]) / (edges[place + 1] - edges[place])
    assert found.limit_share[2] == pytest.approx(share)


def test_a_purchase_beyond_the_cut_is_censored_not_seen(make_log, facts_of):
    log = make_log([(0, 9 * DAY, 1, CLICK), (0, END, 1, BUY)], shown=page(9 * DAY, 1))
    outcomes, candidates, facts = facts_of(log)
    assert not delay_target(
        BOUGHT, log, outcomes, candidates, facts, delay_edges(BOUGHT)
    ).observed.any()
    assert facts.until_us.tolist() == [END - 1]


def test_a_snapshots_labels_end_with_its_split(make_log, facts_of):
    task = Hazard(name="purchase", measures="delay", space="all")
    rows = [(0, 5 * DAY, 0, VIEW), (0, 7 * DAY, 1, BUY), (0, 11 * DAY, 2, BUY), (1, DAY, 2, VIEW)]
    log = make_log(rows)
    outcomes, candidates, facts = facts_of(log, ask_later=True)
    found = delay_target(task, log, outcomes, candidates, facts, delay_edges(task))
    first = (facts.at_us // DAY == 5) & (facts.at_us % DAY < 1_000_000) & found.asked
    assert set(candidates.item[first & found.observed]) == {1}
    assert (facts.at_us + (found.limit_share >= 0) <= facts.until_us)[found.asked].all()


def test_dwell_bins_hold_equal_shares_of_training_clicks(dataset, facts_of):
    _, candidates, facts = facts_of(dataset)
    edges = dwell_edges(facts)
    assert len(edges) == NUM_DWELL_BINS + 1
    task = Hazard(name="dwell", measures="dwell", space="clicks")
    found = dwell_target(task, candidates, facts, edges)
    whole = facts.clicked & ~facts.dwell_censored & (facts.split == 0)
    counts = np.bincount(found.bin[whole], minlength=NUM_DWELL_BINS)
    assert counts.max() - counts.min() <= 2
    assert found.asked.tolist() == (facts.clicked & ~facts.is_ad).tolist()


def test_few_dwells_take_bins_from_a_second_to_ten_minutes(make_log, facts_of):
    log = make_log([(0, DAY, 1, CLICK)], shown=page(DAY, 1))
    log.histories.events["dwell_ms"] = 1_000
    log.histories.events["flags"] = 1
    _, candidates, facts = facts_of(log)
    edges = dwell_edges(facts)
    np.testing.assert_allclose(edges[[1, -2]], [1_000, 600_000], rtol=1e-4)
    found = dwell_target(
        Hazard(name="d", measures="dwell", space="clicks"), candidates, facts, edges
    )
    assert (found.bin[0], found.observed[0]) == (1, False)
    assert found.limit_share[0] == pytest.approx(0)


def test_a_dwell_of_what_was_shown_needs_no_click_where_the_shop_asks_so(make_log, facts_of):
    task = Hazard(name="dwell", measures="dwell", space="impressions")
    log = make_log([(0, DAY + 1, 1, CLICK)], shown=page(DAY, 1, 2, 3), tasks=(task,))
    log.histories.events["dwell_ms"] = 700
    log.impressions["dwell_ms"] = [-1, 500, 900]
    log.impressions["flags"] = [0, 0, Flag.CENSORED]
    _, candidates, facts = facts_of(log)
    found = dwell_target(task, candidates, facts, np.array([0.0, 600.0, 800.0, np.inf]))
    assert found.asked.tolist() == [True, True, True]
    assert found.bin.tolist() == [1, 0, 2]  # the first one's is its click's
    assert found.observed.tolist() == [True, True, False]


def test_a_dwell_of_what_was_shown_is_not_read_by_a_shop_that_asks_of_clicks(make_log, facts_of):
    task = Hazard(name="dwell", measures="dwell", space="clicks")
    log = make_log([(0, DAY + 1, 1, CLICK)], shown=page(DAY, 1, 2), tasks=(task,))
    log.histories.events["dwell_ms"] = 700
    log.impressions["dwell_ms"] = [200, 500]
    _, candidates, facts = facts_of(log)
    found = dwell_target(task, candidates, facts, np.array([0.0, 600.0, 800.0, np.inf]))
    assert found.asked.tolist() == [True, False]
    assert found.bin[0] == 1
