"""The propensity column of the record against the frequencies of many equal requests."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from endcap.schema import Campaigns, Query

REQUESTS = 2_000


@pytest.fixture
def pages(build, campaign):
    """Ask one question 2,000 times; only the decision ids differ.

    Bids outweigh worth, so a pick that ignores them shows; an ad may not stand in slot 0, so noise
    that is kept from slot to slot shows.
    """
    rows = (campaign("c0", "i2", bid_micros=600_000), campaign("c1", "i5", bid_micros=900_000))
    engine = build(
        6,
        Campaigns(rows=rows),
        temperature=0.8,
        epsilon=0.3,
        diversity=0.6,
        max_ads=1,
        ad_free_slots=1,
    )
    query = {"user_id": "u1", "placements": {"home": 3}}
    return [engine.decide(Query(**query, decision_id=f"d{n}")) for n in range(REQUESTS)]


def test_every_logged_propensity_is_the_frequency_of_its_pick(pages):
    """Slot by slot, given the slots before, within five standard errors."""
    tries, hits, logged = Counter(), Counter(), defaultdict(set)
    for page in pages:
        rows = tuple(chosen.row for chosen in page.chosen)
        for step, chosen in enumerate(page.chosen):
            tries[rows[:step]] += 1
            hits[rows[: step + 1]] += 1
            logged[rows[: step + 1]].add(round(chosen.propensity, 12))
    assert len(hits) > 60
    assert any(page.chosen[step].campaign_id for page in pages for step in (1, 2))
    for picks, chances in logged.items():
        (chance,), of = chances, tries[picks[:-1]]
        # Rare picks stray further than the normal law says: two hits are granted on top.
        allowed = 5 * np.sqrt(of * chance * (1 - chance)) + 2
        assert abs(hits[picks] - of * chance) <= allowed, (picks, hits[picks], of, chance)


def test_pages_differ_in_nothing_but_chance_and_chances_sum_to_one(pages):
    assert all(page.shortlist == pages[0].shortlist for page in pages)
    assert len({page.noise_key for page in pages}) == REQUESTS
    first = {page.chosen[0].row: page.chosen[0].propensity for page in pages}
    assert len(first) == 6
    assert sum(first.values()) == pytest.approx(1.0)
