"""Laws of the prices, on random markets under every set of rules."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from endcap.decide import least_bids, solve

SEEDS = range(60)
VALUE_GRID = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.97, 1.03, 1.1, 1.25, 1.5])


def with_bid(problem, row, bid_micros):
    bids = problem.bid_micros.copy()
    bids[row] = bid_micros
    return replace(problem, bid_micros=bids)


def step_of(choice, row):
    """Return the step at which a candidate stands; one after the last when it does not."""
    found = np.flatnonzero(choice.row == row)
    return int(found[0]) if len(found) else len(choice.row)


def utility(problem, row, value_micros):
    """What the ad earns its advertiser per page: clicks times (paced value - price)."""
    choice = solve(problem)
    step = step_of(choice, row)
    if step == len(choice.row):
        return 0.0
    clicks = problem.q[row] * problem.examination[step]
    return clicks * (problem.kappa[row] * value_micros - choice.price_micros[step])


def test_nobody_pays_above_the_paced_bid_or_below_the_reserve(market, rules):
    shown = 0
    for seed in SEEDS:
        problem = market(seed, **rules)
        choice = solve(problem)
        for step in np.flatnonzero(choice.row >= 0):
            row, price = choice.row[step], choice.price_micros[step]
            if problem.is_ad[row]:
                shown += 1
                assert problem.page.reserve_micros <= price <= problem.paced_micros[row]
            else:
                assert price == 0
    assert shown > 20


def test_a_higher_bid_never_gives_a_worse_slot(market, rules):
    moved = 0
    for seed in SEEDS:
        problem = market(seed, **rules)
        row = int(np.flatnonzero(problem.is_ad)[seed % 5])
        bids = np.linspace(0, 4 * problem.bid_micros[row], 15)
        steps = [step_of(solve(with_bid(problem, row, bid)), row) for bid in bids]
        assert all(later <= earlier for earlier, later in pairwise(steps))
        moved += steps[0] != steps[-1]
    assert moved > 5 or problem.page.epsilon == 1.0


def test_no_misreport_pays(market, rules):
    """200 markets per set of rules; regret relative to what the best report earns."""
    gained, best = 0.0, 0.0
    for seed in range(200):
        problem = market(seed, slots=4, products=4, ads=4, **rules)
        row = int(np.flatnonzero(problem.is_ad)[seed % 4])
        value = problem.bid_micros[row]
        truthful = utility(problem, row, value)
        reports = [
            utility(with_bid(problem, row, np.rint(value * x)), row, value) for x in VALUE_GRID
        ]
        gained += max(0.0, max(reports) - truthful)
        best += max(*reports, truthful)
    assert best > 0
    assert gained / best <= 0.001


def test_the_critical_bid_is_where_the_slot_changes(market, rules):
    """Just below the critical bid the ad loses its slot, at it the ad keeps it."""
    seen = 0
    for seed in SEEDS:
        problem = market(seed, **rules)
        choice = solve(problem)
        for step in np.flatnonzero(~np.isnan(choice.critical_micros)):
            row, critical = choice.row[step], choice.critical_micros[step]
            above = with_bid(problem, row, critical * 1.0001 / problem.kappa[row])
            assert step_of(solve(above), row) == step
            if critical > problem.page.reserve_micros:
                below = with_bid(problem, row, critical * 0.9999 / problem.kappa[row])
                assert step_of(solve(below), row) > step
                seen += 1
    assert seen > 0 or problem.page.epsilon == 1.0


def test_the_least_bid_of_an_ad_that_was_not_shown_wins_it_a_slot(market):
    problem = market(3, max_ads=1, reserve_micros=0, temperature=0.0, epsilon=0.0)
    shown = solve(problem).row
    loser = next(int(r) for r in np.flatnonzero(problem.is_ad) if r not in shown)
    needed = least_bids(problem, loser)
    step = int(np.argmax(np.isfinite(needed)))
    bid = needed[step] * 1.0001 / problem.kappa[loser]
    assert problem.bid_micros[loser] < bid
    assert step_of(solve(with_bid(problem, loser, bid)), loser) == step


def test_alone_on_the_page_an_ad_pays_the_reserve(market, quiet):
    problem = market(1, products=2, ads=1, **(quiet | {"reserve_micros": 12_345}))
    alone = replace(
        problem, h_micros=np.zeros(3), allowed=np.ones((3, 2), dtype=bool), item=np.arange(3)
    )
    choice = solve(alone)
    assert choice.row[0] == 2
    assert choice.price_micros[0] == 12_345


@pytest.mark.parametrize("seed", range(40))
def test_one_slot_is_a_second_price_with_organic_worth(market, quiet, seed):
    """VCG on one slot: the winner pays the worth it displaces, net of its own (Vickrey 1961)."""
    problem = market(seed, slots=1, **quiet)
    open_to_all = replace(
        problem, allowed=np.ones(problem.allowed.shape, bool), item=np.arange(11), kappa=np.ones(11)
    )
    choice = solve(open_to_all)
    score, winner = open_to_all.score_micros, int(choice.row[0])
    assert winner == int(np.argmax(score))
    if open_to_all.is_ad[winner]:
        second = np.max(np.delete(score, winner))
        vcg = max(0.0, (second - open_to_all.h_micros[winner]) / open_to_all.q[winner])
        assert choice.price_micros[0] == int(vcg + 1e-6)


def test_two_slots_price_by_hand(market, quiet):
    """s = .1 * (5, 4, 2) at examination (1, .5): the first pays .5 * 4 + .5 * 2, the second 2."""
    problem = market(0, slots=2, products=0, ads=3, **quiet)
    ads = replace(
        problem,
        placement=np.zeros(2, dtype=int),
        slot=np.arange(2),
        examination=np.array([1.0, 0.5]),
        item=np.arange(3),
        h_micros=np.zeros(3),
        q=np.full(3, 0.1),
        bid_micros=np.array([5e6, 4e6, 2e6]),
        kappa=np.ones(3),
        allowed=np.ones((3, 2), dtype=bool),
    )
    assert solve(ads).price_micros.tolist() == [3_000_000, 2_000_000]


def test_an_ad_that_alone_has_worth_wins_a_blind_step_at_the_reserve(market, quiet):
    rule = quiet | {"epsilon": 1.0, "reserve_micros": 7_000}
    problem = market(0, slots=1, products=0, ads=3, **rule)
    problem = replace(
        problem,
        h_micros=np.array([0.0, 500.0, -2.0]),
        bid_micros=np.array([9e6, 8_000.0, 9e6]),
        kappa=np.ones(3),
        allowed=np.ones((3, 2), dtype=bool),
    )
    choice = solve(problem)
    assert choice.row.tolist() == [1]
    assert choice.price_micros.tolist() == [7_000]


def test_the_least_bid_of_an_ad_below_the_reserve_is_told_too(market, quiet):
    problem = market(0, slots=1, products=0, ads=2, **(quiet | {"reserve_micros": 50_000}))
    problem = replace(
        problem,
        h_micros=np.zeros(2),
        q=np.full(2, 0.1),
        bid_micros=np.array([80_000.0, 20_000.0]),
        kappa=np.array([1.0, 0.5]),
        allowed=np.ones((2, 2), dtype=bool),
        item=np.arange(2),
    )
    assert least_bids(problem, 1).tolist() == [pytest.approx(80_000)]
    assert least_bids(problem, 0).tolist() == [50_000]
