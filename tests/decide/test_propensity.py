"""Logged propensities against the frequencies of many decision ids."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from endcap.decide import noise_key, solve
from endcap.decide.noise import draw_noise, keyed_uniforms
from endcap.decide.propensity import chances
from endcap.errors import ConfigError

SECRET = b"a secret of the tests"
IDS = 3_000


def again(problem, name):
    return replace(problem, key=noise_key(SECRET, name))


def assert_frequency(hits, tries, chance):
    """Five standard errors: a true propensity fails once in a million."""
    spread = np.sqrt(max(chance * (1 - chance), 1e-9) / tries)
    assert abs(hits / tries - chance) <= 5 * spread + 1e-9, (hits, tries, chance)


def test_frequencies_equal_the_logged_propensities(market):
    """Step by step, given the picks before it, under masks, redundancy and epsilon."""
    problem = market(
        5, slots=3, products=3, ads=3, temperature=0.6, epsilon=0.2, diversity=0.7, max_ads=1
    )
    tries, hits, logged = {}, {}, {}
    for n in range(IDS):
        choice = solve(again(problem, str(n)))
        for step in range(3):
            before = tuple(choice.row[:step])
            pick = (*before, int(choice.row[step]))
            tries[before] = tries.get(before, 0) + 1
            hits[pick] = hits.get(pick, 0) + 1
            logged.setdefault(pick, set()).add(round(float(choice.propensity[step]), 12))
    for pick, chance in logged.items():
        assert len(chance) == 1
        assert_frequency(hits[pick], tries[pick[:-1]], chance.pop())
    first = {pick: hits[pick] for pick in hits if len(pick) == 1}
    assert len(first) >= 4


def test_an_ad_masked_at_the_first_slot_is_logged_right_at_the_second(market, quiet):
    """Noise kept from step to step gives .600 where .500 is logged (ads.md section 1)."""
    problem = market(0, slots=2, products=2, ads=1, **(quiet | {"temperature": 1.0}))
    problem = replace(
        problem,
        placement=np.zeros(2, dtype=int),
        slot=np.arange(2),
        h_micros=np.full(3, 1e5),
        bid_micros=np.zeros(3),
        item=np.arange(3),
        allowed=np.ones((3, 2), dtype=bool),
        page=replace_page(problem.page, ad_free_slots=1),
    )
    hits = 0
    for n in range(IDS):
        choice = solve(again(problem, str(n)))
        assert choice.propensity[1] == pytest.approx(0.5)
        hits += int(choice.row[1] == 2)
    assert_frequency(hits, IDS, 0.5)


def replace_page(page, **changes):
    return msgspec.structs.replace(page, **changes)


def test_without_exploration_every_pick_is_certain(market):
    choice = solve(replace(market(2, temperature=0.5, epsilon=0.5), explore=False))
    assert np.array_equal(choice.propensity, np.ones(5))
    assert not choice.ignores_bids.any()


def test_epsilon_alone_mixes_two_certain_picks(market, quiet):
    problem = market(4, slots=1, **(quiet | {"epsilon": 0.25}))
    problem = replace(problem, allowed=np.ones(problem.allowed.shape, dtype=bool))
    best, worthiest = int(np.argmax(problem.score_micros)), int(np.argmax(problem.h_micros))
    assert best != worthiest
    chance = {best: 0.75, worthiest: 0.25}
    for n in range(200):
        choice = solve(again(problem, str(n)))
        assert choice.propensity[0] == pytest.approx(chance[int(choice.row[0])])


def test_where_nothing_has_worth_the_bids_count_on_every_step(market, quiet):
    problem = market(6, products=0, ads=3, **(quiet | {"epsilon": 1.0}))
    worthless = replace(problem, h_micros=np.zeros(3), allowed=np.ones((3, 2), dtype=bool))
    choice = solve(worthless)
    assert choice.row[0] >= 0
    assert choice.propensity[0] == 1.0
    assert not choice.ignores_bids.any()


def test_chances_are_powers_of_the_value():
    assert chances(np.array([[1.0, 2.0, 0.0]]), 0.5).tolist() == [pytest.approx([0.2, 0.8, 0.0])]
    assert chances(np.array([[1.0, 2.0, 2.0]]), 0.0).tolist() == [[0.0, 1.0, 0.0]]
    assert chances(np.array([[0.0, -1.0]]), 0.5).tolist() == [[0.0, 0.0]]


def test_noise_is_fresh_for_every_step_and_candidate():
    noise = draw_noise(b"key", steps=30, candidates=40, temperature=1.0, epsilon=0.5)
    drawn = np.concatenate([noise.on_score, noise.on_worth])
    assert len(np.unique(drawn)) == drawn.size
    assert abs(np.corrcoef(noise.on_score[:-1].ravel(), noise.on_score[1:].ravel())[0, 1]) < 0.1
    assert noise.on_score.mean() == pytest.approx(0.5772, abs=0.1)
    assert noise.on_score.std() == pytest.approx(np.pi / np.sqrt(6), abs=0.1)


def test_uniforms_never_touch_the_ends():
    drawn = keyed_uniforms(b"key", 100_000)
    assert drawn.min() > 0.0
    assert drawn.max() < 1.0
    assert drawn.mean() == pytest.approx(0.5, abs=0.005)


def test_a_short_secret_is_refused():
    with pytest.raises(ConfigError, match=r"at least 16 bytes, got 3; secrets.token_bytes"):
        noise_key(b"abc", "d1")
