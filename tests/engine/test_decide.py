"""Query -> decision: the law of counts, fallbacks, and answers that repeat."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from endcap.decide import noise_key
from endcap.engine import replay
from endcap.errors import QueryError, UnknownDecisionError
from endcap.schema import Campaigns, Query, ShopEvent, decode_decision, encode_decision

DAY_US = 86_400_000_000
NOON_US = 20_000 * DAY_US + DAY_US // 2
SECRET = b"a secret of the tests"


def ask(user="u1", home=5, **fields):
    return Query(user_id=user, placements={"home": home}, **fields)


def test_a_page_holds_products_and_ads_and_is_logged(build):
    engine = build()
    decision = engine.decide(ask())
    assert [chosen.slot for chosen in decision.items_of("home")] == [0, 1, 2, 3, 4]
    assert {chosen.campaign_id for chosen in decision.chosen} >= {None, "c1"}
    assert engine.decision(decision.decision_id) == decision
    assert decision.found == 23
    assert decision.degraded == []
    with pytest.raises(UnknownDecisionError, match="holds no decision 'd99'"):
        engine.decision("d99")


@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.integers(0, 2**32 - 1))
def test_found_is_dropped_plus_valued(build, catalogue, campaign, seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(0, 60))
    items = catalogue(
        count,
        stock=rng.integers(-1, 3, count),
        available=rng.uniform(size=count) < 0.8,
        created_at_us=rng.integers(0, 2, count) * (NOON_US + rng.integers(-9, 9, count)),
    )
    campaigns = tuple(
        campaign(
            f"c{n}",
            *(f"i{row}" for row in rng.integers(0, 60, 3)),
            bid_micros=int(rng.integers(0, 60_000)),
            daily_budget_micros=int(rng.integers(0, 30_000)),
            dayparts=tuple(range(int(rng.integers(1, 24)))),
            placements=((), ("home",), ("other",))[rng.integers(3)],
        )
        for n in range(rng.integers(0, 6))
    )
    engine = build(items, Campaigns(rows=campaigns), candidates=25, shortlist=10)
    query = ask(
        home=int(rng.integers(1, 12)),
        ads=bool(rng.integers(2)),
        categories=((), ("Shoes",), ("Hats", "Shoes > Kind 1"))[rng.integers(3)],
        exclude=tuple(f"i{row}" for row in rng.integers(0, 60, 5)),
    )
    decision = engine.decide(query)
    assert decision.found == sum(decision.dropped.values()) + decision.valued
    assert engine.replay(decision) == decision
    assert bool(decision.chosen) or decision.degraded
    shown = {chosen.item_id for chosen in decision.chosen}
    assert len(shown) == len(decision.chosen)
    assert not shown & set(query.exclude)


def test_a_repeated_decision_id_gets_the_same_answer_and_counts_once(build):
    engine = build(temperature=1.0, epsilon=0.5)
    first = engine.decide(ask(decision_id="mine"))
    assert engine.decide(ask(decision_id="mine")) == first
    assert engine.state.counters.as_of(20_001).sum() == pytest.approx(5 * 0.5 ** (1 / 14))
    with pytest.raises(QueryError, match="'mine' was given to another request"):
        engine.decide(ask(user="u2", decision_id="mine"))


def test_another_engine_with_the_secret_makes_the_same_page(build):
    one, other = (build(temperature=1.0).decide(ask(decision_id="d")) for _ in range(2))
    assert one == other
    assert build(temperature=1.0).decide(ask(decision_id="e")).chosen != one.chosen


def test_an_empty_catalogue_gives_an_empty_page_that_says_so(build):
    decision = build(0).decide(ask())
    assert (decision.chosen, decision.found, decision.valued) == ([], 0, 0)
    assert decision.degraded == ["The page is empty: none of 0 candidates passed the filters."]


def test_a_page_of_which_everything_is_filtered_says_so(build):
    decision = build().decide(ask(categories=("Cars",)))
    assert decision.chosen == []
    assert decision.dropped == {"category": 23}
    assert "none of 23 candidates" in decision.degraded[0]


@pytest.mark.parametrize("broken", ["predict", "nan"])
def test_without_a_model_items_go_by_popularity_and_ads_at_the_reserve(build, predictor, broken):
    engine = build(reserve_micros=12_000, temperature=0.0, epsilon=0.0, diversity=0.0)
    engine.state.counters.observe(19_999, np.array([9, 9, 9, 12], dtype=np.int32), 1)
    predictor.broken.add(broken)
    decision = engine.decide(ask(home=6))
    products = [c.item_id for c in decision.chosen if c.campaign_id is None]
    assert products[:2] == ["i9", "i12"]
    assert {c.source for c in decision.chosen} <= {"popular", "campaign"}
    assert "gave no usable answer" in decision.degraded[0]
    prices = {c.price_micros for c in decision.chosen if c.campaign_id}
    assert prices <= {12_000}
    assert decision.inputs is None
    assert engine.replay(decision) == decision


def test_when_nothing_is_worth_anything_the_page_is_still_full(build, predictor):
    predictor.broken.add("worthless")
    decision = build().decide(ask(ads=False))
    assert len(decision.chosen) == 5
    assert {c.source for c in decision.chosen} == {"popular"}
    assert "No product has a positive worth" in decision.degraded[0]


def test_slots_of_all_placements_are_filled_in_order_of_examination(build):
    query = Query(user_id="u", placements={"side": 2, "home": 3, "never heard of": 1})
    engine = build()
    decision = engine.decide(query)
    assert decision.slots.examination == sorted(decision.slots.examination, reverse=True)
    assert decision.slots.placement[:3] == ["side", "home", "never heard of"]
    assert engine.state.placements == ["home", "side", "never heard of"]


def test_a_stated_default_stands_in_for_an_unknown_examination(build, predictor):
    predictor.broken.add("examination")
    decision = build().decide(ask(home=2))
    assert decision.slots.examination == [1.0, 0.85]
    assert "not identifiable" in decision.degraded[0]


def test_a_large_catalogue_is_searched_by_retrieval_and_four_more_sources(build, predictor):
    engine = build(300, candidates=50, shortlist=50)
    engine.state.counters.observe(19_999, np.array([250], dtype=np.int32), 1)
    decision = engine.decide(ask())
    sources = dict(zip(decision.shortlist.item_id, decision.shortlist.source, strict=True))
    assert decision.found == 50 + 3
    assert sources["i34"] == 0
    assert sources["i250"] == 2
    predictor.broken.add("retrieve")
    fallen = engine.decide(ask())
    assert "retrieved nothing" in fallen.degraded[0]
    assert len(fallen.chosen) == 5


def test_allowed_items_that_retrieval_missed_are_found_in_the_whole_catalogue(build, catalogue):
    items = catalogue(300, available=np.arange(300) >= 290)
    decision = build(items, candidates=50).decide(ask())
    assert len(decision.chosen) == 5
    assert "Retrieval left 0 allowed products for 5 slots; 10 popular" in decision.degraded[0]
    assert decision.found == sum(decision.dropped.values()) + decision.valued


def test_neither_shortlist_nor_noise_depends_on_a_bid(build, campaign):
    def page(bid):
        rows = (campaign("c0", "i2", "i4", bid_micros=bid), campaign("c1", "i7"))
        return build(campaigns=Campaigns(rows=rows)).decide(ask(decision_id="d")).shortlist

    low, high = page(20_000), page(9_000_000)
    assert low.bid_micros != high.bid_micros
    assert (low.item_id, low.campaign_id, low.h_micros) == (
        high.item_id,
        high.campaign_id,
        high.h_micros,
    )


def test_a_campaign_enters_one_creative_the_one_of_most_worth(build):
    listed = build().decide(ask()).shortlist
    ads = [(c, i) for c, i in zip(listed.campaign_id, listed.item_id, strict=True) if c]
    assert ads == [("c0", "i4"), ("c1", "i7")]


def test_dayparts_follow_the_shops_zone(build, campaign):
    """12:00 UTC is 14:00 in Berlin in October."""
    rows = (campaign("c0", "i2", dayparts=(14,)), campaign("c1", "i7", dayparts=(12,)))
    for zone, campaign_id in (("UTC", "c1"), ("Europe/Berlin", "c0")):
        decision = build(campaigns=Campaigns(rows=rows), zone=zone).decide(ask())
        assert {c for c in decision.shortlist.campaign_id if c} == {campaign_id}
        assert decision.dropped == {"daypart": 1}


def test_a_campaign_stands_only_where_it_may(build, campaign):
    rows = (campaign("c0", "i2", placements=("side",), bid_micros=9_000_000),)
    query = Query(user_id="u", placements={"home": 3, "side": 3})
    decision = build(campaigns=Campaigns(rows=rows)).decide(query)
    assert [c.placement for c in decision.chosen if c.campaign_id] == ["side"]
    assert build(campaigns=Campaigns(rows=rows)).decide(ask()).dropped == {"placement": 1}


def test_a_record_survives_json_and_replays_equal_without_an_engine(build):
    engine = build(temperature=0.5, epsilon=0.2, settings={"sample_inputs": 1.0})
    decision = decode_decision(encode_decision(engine.decide(ask())))
    assert replay(decision) == engine.replay(decision) == decision


def test_a_record_keeps_its_noise_key_and_nothing_of_the_secret(build, changed):
    engine = build(temperature=1.0)
    one, other = engine.decide(ask()), engine.decide(ask())
    assert one.noise_key == noise_key(SECRET, one.decision_id).hex()
    assert SECRET not in encode_decision(one) and SECRET.hex().encode() not in encode_decision(one)
    assert replay(changed(one, noise_key=other.noise_key)).chosen != one.chosen
    with pytest.raises(QueryError, match="'d0' cannot be replayed"):
        replay(changed(one, noise_key=""))


def test_predictions_replay_from_the_logged_inputs(build):
    engine = build(settings={"sample_inputs": 1.0})
    decision = engine.decide(ask())
    told = engine.replay_predictions(decision)
    np.testing.assert_allclose(told.q, decision.shortlist.q, atol=1e-5)
    np.testing.assert_allclose(told.buy, decision.shortlist.buy, atol=1e-5)
    bare = build().decide(ask())
    assert bare.inputs is None
    with pytest.raises(QueryError, match="keeps no model inputs"):
        engine.replay_predictions(bare)


def test_inputs_are_kept_for_the_asked_share_of_decisions(build):
    engine = build(settings={"sample_inputs": 0.25})
    kept = sum(engine.decide(ask()).inputs is not None for _ in range(400))
    assert 70 <= kept <= 130


def test_a_shopper_may_have_the_page_of_a_stranger(build):
    engine = build(temperature=0.0)
    events = [
        ShopEvent(user_id="u", event_type="click", timestamp_us=1_000 + k, item_id=f"i{k}")
        for k in range(9)
    ]
    engine.observe(events)
    ask = {"placements": {"home": 3}, "explore": False}
    stranger = engine.decide(Query(user_id="s", **ask))
    page = engine.decide(Query(user_id="u", personal=False, **ask))
    assert page.shortlist.q == stranger.shortlist.q
    assert page.shortlist.q != engine.decide(Query(user_id="u", **ask)).shortlist.q
    assert (page.personal, stranger.personal) == (False, True)
    kept = engine.state.histories.of("u")
    assert len(kept) == 9 + 3  # of the personal page alone


def test_a_page_of_a_stranger_counts_for_its_items(build):
    engine = build(temperature=0.0)
    page = engine.decide(Query(user_id="u", placements={"home": 3}, personal=False))
    shown = engine.state.counters.as_of(page.at_us // 86_400_000_000 + 1)[:, 0]
    assert set(np.flatnonzero(shown)) == {page.shortlist.item[c.row] for c in page.chosen}
