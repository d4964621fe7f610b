"""The page rule: rules kept, welfare, blindness to bids."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from endcap.decide import solve
from endcap.decide.page import fill, table_of
from endcap.errors import QueryError


def assert_rules_kept(problem, rows):
    page, filled = problem.page, np.flatnonzero(rows >= 0)
    picks = rows[filled]
    assert len(set(problem.item[picks])) == len(picks)
    assert problem.allowed[picks, problem.placement[filled]].all()
    assert problem.is_ad[picks].sum() <= page.max_ads
    for codes, cap in (
        (problem.category, page.max_per_category),
        (problem.seller, page.max_per_seller),
    ):
        known = codes[picks][codes[picks] >= 0]
        assert not cap or np.bincount(known, minlength=1).max() <= cap
    ad_steps = filled[problem.is_ad[picks]]
    assert (problem.slot[ad_steps] >= page.ad_free_slots).all()
    for a in ad_steps:
        for b in ad_steps[ad_steps > a]:
            same = problem.placement[a] == problem.placement[b]
            assert not same or abs(problem.slot[a] - problem.slot[b]) > page.min_ad_gap


def test_every_rule_holds_on_every_page(market, rules):
    ads = 0
    for seed in range(80):
        problem = market(seed, slots=8, **rules)
        rows = solve(problem).row
        assert_rules_kept(problem, rows)
        ads += problem.is_ad[rows[rows >= 0]].sum()
    assert ads > 40


def test_a_gap_holds_to_both_sides_when_the_middle_is_examined_last(market, quiet):
    """Slots 0 and 2 are filled first; an ad in slot 1 would touch both."""
    problem = market(0, slots=3, products=3, ads=3, **(quiet | {"min_ad_gap": 1}))
    problem = replace(
        problem,
        placement=np.zeros(3, dtype=int),
        slot=np.array([0, 2, 1]),
        item=np.arange(6),
        allowed=np.ones((6, 2), dtype=bool),
        h_micros=np.array([1.0, 1.0, 1.0, 9.0, 9.0, 9.0]),
    )
    assert problem.is_ad[solve(problem).row].tolist() == [True, True, False]


def welfare(problem, rows):
    filled = rows >= 0
    return float((problem.examination[filled] * problem.score_micros[rows[filled]]).sum())


def best_welfare(problem):
    """Try every ordered page, empty slots left to the worthless."""
    count, best = problem.num_candidates, 0.0
    options = [r for r in range(count) if problem.score_micros[r] > 0]
    for rows in permutations(options, problem.num_steps):
        picks = np.array(rows)
        try:
            assert_rules_kept(problem, picks)
        except AssertionError:
            continue
        best = max(best, welfare(problem, picks))
    return best


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("rule", [{}, {"max_ads": 1}, {"reserve_micros": 90_000}])
def test_greedy_is_the_best_page_under_the_ads_rules(market, quiet, seed, rule):
    problem = market(seed, slots=3, products=4, ads=3, **(quiet | rule))
    problem = replace(problem, allowed=np.ones((7, 2), dtype=bool), item=np.arange(7))
    eligible = ~problem.is_ad | (problem.paced_micros >= problem.page.reserve_micros)
    problem = replace(problem, allowed=problem.allowed & eligible[:, None])
    assert welfare(problem, solve(problem).row) == pytest.approx(best_welfare(problem), rel=1e-9)


def test_gap_and_ad_limit_together_cost_little(market, quiet):
    """On a page examined from the top down; greedy is then not always the best page."""
    shares = []
    for seed in range(60):
        rule = quiet | {"max_ads": 2, "min_ad_gap": 1}
        problem = market(seed, slots=3, products=4, ads=3, **rule)
        problem = replace(
            problem,
            placement=np.zeros(3, dtype=int),
            slot=np.arange(3),
            allowed=np.ones((7, 2), dtype=bool),
            item=np.arange(7),
        )
        shares.append(welfare(problem, solve(problem).row) / best_welfare(problem))
    assert min(shares) > 0.9
    assert np.mean(shares) > 0.995


def test_worth_redundancy_and_noise_never_look_at_bids(market, rules):
    problem = market(7, **rules)
    reversed_bids = np.where(problem.is_ad, problem.bid_micros.max() * 2 - problem.bid_micros, 0.0)
    one, other = table_of(problem), table_of(replace(problem, bid_micros=reversed_bids))
    assert np.array_equal(one.redundancy_scale, other.redundancy_scale)
    assert np.array_equal(one.noise.on_score, other.noise.on_score)
    assert np.array_equal(one.noise.explores, other.noise.explores)


def test_own_bid_never_changes_an_earlier_pick(market, rules):
    for seed in range(40):
        problem = market(seed, **rules)
        table = table_of(problem)
        full = fill(table).pick[:, 0]
        for step in np.flatnonzero(table.rules.is_ad[full]):
            without = fill(table, absent=full[[step]]).pick[:, 0]
            assert np.array_equal(full[:step], without[:step])


def test_redundancy_takes_the_twin_of_the_first_pick_down(market, quiet):
    """Same category .7 and brand .3: the twin of worth 9 keeps 9 - .5 * 9 = 4.5, below 5."""
    problem = market(0, slots=2, products=3, ads=0, **(quiet | {"diversity": 0.5}))
    problem = replace(
        problem,
        h_micros=np.array([10.0, 9.0, 5.0]),
        category=np.array([1, 1, 2]),
        brand=np.array([1, 1, 2]),
        seller=np.array([-1, -1, -1]),
    )
    choice = solve(problem)
    assert choice.row.tolist() == [0, 2]
    assert choice.runner_up.tolist() == [1, 1]


def test_an_unknown_category_is_like_no_other(market, quiet):
    rule = quiet | {"max_per_category": 1, "diversity": 1.0}
    problem = market(0, slots=3, products=3, ads=0, **rule)
    problem = replace(problem, category=np.full(3, -1), brand=np.full(3, -1))
    assert sorted(solve(problem).row) == [0, 1, 2]


def test_many_candidates_fill_the_page_that_few_would(market, rules, monkeypatch):
    """Rows of the likeness worked out one by one equal those worked out at once."""
    pages = [market(seed, slots=8, **rules) for seed in range(10)]
    at_once = [solve(problem) for problem in pages]
    monkeypatch.setattr("endcap.decide.likeness.FEW", 0)
    for problem, expected in zip(pages, at_once, strict=True):
        choice = solve(problem)
        assert np.array_equal(choice.row, expected.row)
        assert np.array_equal(choice.price_micros, expected.price_micros)
        assert np.array_equal(choice.propensity, expected.propensity)


def test_what_has_no_positive_value_is_left_out(market, quiet):
    problem = market(0, slots=3, products=2, ads=0, **quiet)
    choice = solve(replace(problem, h_micros=np.array([5.0, -1.0])))
    assert choice.row.tolist() == [0, -1, -1]
    assert choice.propensity.tolist() == [1.0, 1.0, 1.0]


def test_no_candidates_give_an_empty_page(market):
    choice = solve(market(0, slots=3, products=0, ads=0))
    assert choice.row.tolist() == [-1, -1, -1]
    assert choice.price_micros.tolist() == [0, 0, 0]


def test_slots_out_of_order_are_refused(market):
    problem = market(0)
    with pytest.raises(QueryError, match="in order of examination"):
        replace(problem, examination=problem.examination[::-1])
