"""Events -> state: once each, in order, and never beyond a budget."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from endcap.engine import MemoryHistories, MemoryLedger
from endcap.errors import ConfigError, SchemaError
from endcap.schema import (
    IMPRESSION,
    NO_ITEM,
    Action,
    Campaigns,
    Hazard,
    Histories,
    Query,
    ShopEvent,
    make_events,
    shown_by_user,
)

DAY_US = 86_400_000_000
NOON_US = 20_000 * DAY_US + DAY_US // 2


def event(kind="click", item="i3", at=NOON_US, **fields):
    return ShopEvent(user_id="u1", event_type=kind, item_id=item, timestamp_us=at, **fields)


def page(engine, **fields):
    return engine.decide(Query(user_id="u1", placements={"home": 5}, **fields))


def click_on(decision, chosen, **fields):
    return event(item=chosen.item_id, decision_id=decision.decision_id, slot=chosen.slot, **fields)


def ad_of(decision):
    return next(chosen for chosen in decision.chosen if chosen.campaign_id)


def test_an_event_sent_twice_counts_once(build):
    engine = build()
    one, bare = event(event_id="e1"), event(item="i4")
    report = engine.observe([one, bare, one, bare])
    assert (report.accepted, report.repeated) == (2, 2)
    assert len(engine.state.histories.of("u1")) == 2
    assert engine.observe([one]).repeated == 1


def test_the_history_of_a_decision_ends_strictly_before_it(build, predictor):
    engine = build()
    engine.observe([event(at=NOON_US), event(at=NOON_US - 1), event(at=NOON_US + 1)])
    page(engine)
    assert predictor.asked[-1].history["timestamp_us"].tolist() == [NOON_US - 1]


def test_late_events_are_sorted_in_and_a_history_is_bounded():
    store = MemoryHistories(length=3)
    store.append("u", make_events(timestamp_us=[10, 30, 20]))
    store.append("u", make_events(timestamp_us=[5, 40]))
    assert store.of("u")["timestamp_us"].tolist() == [20, 30, 40]
    assert len(store.of("nobody")) == 0


def test_histories_of_a_log_are_taken_over():
    events = make_events(timestamp_us=[1, 2, 9], item=[0, 1, 2])
    store = MemoryHistories.of_log(
        ["a", "b"], Histories(events=events, offsets=np.array([0, 2, 3]))
    )
    assert store.of("b")["item"].tolist() == [2]


def test_an_event_of_an_unknown_item_is_kept_without_it(build):
    engine = build()
    assert engine.observe([event(item="who?")]).unknown_items == 1
    row = engine.state.histories.of("u1")[0]
    assert (row["item"], row["action"]) == (NO_ITEM, Action.CLICK)


def test_counters_count_every_kind_and_the_shown_slots(build):
    engine = build(campaigns=Campaigns())
    decision = page(engine)
    kinds = ["click", "click", "add_to_cart", "purchase", "view", "search"]
    engine.observe([event(kind, event_id=str(n)) for n, kind in enumerate(kinds)])
    shown = decision.chosen[0].item_id
    engine.observe([event("impression", shown, decision_id=decision.decision_id)])
    counts = engine.state.counters.as_of(20_001) / 0.5 ** (1 / 14)
    assert counts[3, 1:5].tolist() == pytest.approx([2, 1, 1, 1])
    assert counts[:, 0].sum() == pytest.approx(5)


def test_a_shown_page_stands_in_the_history_as_a_fit_would_write_it(build):
    """Twin: the log's impressions of the same page, as events."""
    engine = build(temperature=0.0, epsilon=0.0)
    decision = engine.decide(Query(user_id="u1", placements={"home": 4, "side": 2}))
    assert any(chosen.campaign_id for chosen in decision.chosen)
    logged = np.zeros(len(decision.chosen), dtype=IMPRESSION)
    for row, chosen in zip(logged, decision.chosen, strict=True):
        row["timestamp_us"], row["slot"], row["dwell_ms"] = decision.at_us, chosen.slot, -1
        row["item"] = int(chosen.item_id[1:])
        row["campaign"] = int(chosen.campaign_id[1:]) if chosen.campaign_id else -1
        row["placement"] = ("home", "side").index(chosen.placement)
    log = SimpleNamespace(impressions=logged, user_ids=["u1"])
    assert np.array_equal(engine.state.histories.of("u1"), shown_by_user(log).events)


def test_impressions_stay_out_of_the_history(build):
    engine = build()
    engine.observe([event("impression")])
    assert len(engine.state.histories.of("u1")) == 0


def test_a_feeds_showings_clicks_and_dwells_count_at_once(build):
    engine = build(tasks=(Hazard(name="dwell", measures="dwell", space="impressions"),))
    decision = page(engine)
    own = decision.chosen[0].item_id
    engine.observe(
        [
            event("impression", own, decision_id=decision.decision_id, dwell_ms=1_000),
            event("impression", "i19", dwell_ms=3_000),
            event("click", "i19"),
        ]
    )
    fresh = engine.state.counters.as_of(20_000)[:, 5:]
    np.testing.assert_allclose(fresh[int(own[1:])], [1, 0, 1, np.log(2)], rtol=1e-6)
    np.testing.assert_allclose(fresh[19], [1 + ("i19" in [c.item_id for c in decision.chosen]),
                                           1, 1, np.log(4)], rtol=1e-6)  # fmt: skip
    kept = engine.state.histories.of("u1")
    assert kept["dwell_ms"][kept["item"] == 19].max() == 3_000
    assert len(kept) == len(decision.chosen) + 2


def test_a_purchase_takes_stock_and_the_last_one_takes_the_item_off_the_page(build, catalogue):
    stock = np.full(6, -1)
    stock[5] = 3
    engine = build(catalogue(6, stock=stock), Campaigns())
    engine.observe([event("purchase", "i5", quantity=2), event("purchase", "i1", quantity=9)])
    assert "i5" in [chosen.item_id for chosen in page(engine).chosen]
    engine.observe([event("purchase", "i5", event_id="last", quantity=2)])
    decision = page(engine)
    assert decision.dropped == {"out_of_stock": 1}
    assert "i5" not in [chosen.item_id for chosen in decision.chosen]


def test_bought_items_rest_for_the_seen_hours(build):
    engine = build(campaigns=Campaigns(), seen_hours=2.0)
    engine.observe([event("purchase", "i3", at=NOON_US - DAY_US // 24)])
    assert page(engine).dropped == {"bought": 1}
    assert page(engine, at_us=NOON_US + DAY_US // 12).dropped == {}


def test_a_click_on_an_ad_is_charged_its_price_once(build):
    engine = build()
    decision = page(engine)
    ad = ad_of(decision)
    assert ad.price_micros > 0
    clicks = [click_on(decision, ad, event_id=str(n)) for n in range(3)]
    report = engine.observe(clicks)
    assert report.charged_micros == ad.price_micros
    assert engine.observe([click_on(decision, ad, event_id="late")]).charged_micros == 0
    row = engine.state.histories.of("u1")[-1]
    assert row["campaign"] == int(ad.campaign_id[1:])


def test_a_click_on_a_product_or_on_another_item_is_free(build):
    engine = build()
    decision = page(engine)
    product = next(chosen for chosen in decision.chosen if not chosen.campaign_id)
    strays = [
        click_on(decision, product),
        event(item="i19", decision_id=decision.decision_id, slot=ad_of(decision).slot),
        event(item=ad_of(decision).item_id, decision_id="made up", slot=0),
        event(item=ad_of(decision).item_id, campaign_id="c1"),
    ]
    assert engine.observe(strays).charged_micros == 0


def test_a_charge_that_the_budget_cannot_bear_is_refused_and_counted(build, campaign):
    """Two pages at 40,000 a click on a budget of 70,000: the second click is free."""
    rows = (campaign("c0", "i7", daily_budget_micros=70_000),)
    engine = build(campaigns=Campaigns(rows=rows), reserve_micros=40_000, temperature=0.0)
    pages = [page(engine, explore=False) for _ in range(2)]
    assert [ad_of(decision).price_micros for decision in pages] == [40_000, 40_000]
    report = engine.observe([click_on(decision, ad_of(decision)) for decision in pages])
    assert (report.charged_micros, report.refused) == (40_000, 1)
    assert (engine.state.ledger.num_refused, engine.state.ledger.refused_micros) == (1, 40_000)


def test_a_spent_budget_silences_the_campaign_until_the_shops_next_day(build, campaign):
    """22:00 UTC on the 4th is midnight of the 5th in Berlin."""
    rows = (campaign("c0", "i7", bid_micros=900_000, daily_budget_micros=70_000),)
    engine = build(
        campaigns=Campaigns(rows=rows),
        zone="Europe/Berlin",
        reserve_micros=40_000,
        temperature=0.0,
        epsilon=0.0,
    )
    decision = page(engine)
    ad = ad_of(decision)
    assert 40_000 <= ad.price_micros <= 70_000
    engine.observe([click_on(decision, ad)])
    evening = NOON_US + 10 * DAY_US // 24
    assert page(engine, at_us=evening - 1).dropped == {"budget": 1}
    assert page(engine, at_us=evening).dropped == {}


@settings(max_examples=50, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 60)), max_size=60))
def test_no_order_of_charges_exceeds_a_budget_or_charges_a_token_twice(charges):
    ledger, charged, first = MemoryLedger(), 0, set()
    for token, price in charges:
        told = ledger.charge(str(token), "c", day=1, price_micros=price, budget_micros=100)
        assert (told is None) == (token in first)
        first.add(token)
        charged += told or 0
    assert charged == ledger.spent_micros(["c"], 1)[0] <= 100
    assert ledger.spent_micros(["c"], 2).tolist() == [0]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
@settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 1000))
def test_a_day_of_clicks_never_exceeds_a_budget(build, campaign, zone, seed):
    budget = 300_000
    rows = tuple(
        campaign(f"c{n}", f"i{n}", daily_budget_micros=budget, bid_micros=90_000 * (n + 1))
        for n in range(4)
    )
    engine = build(campaigns=Campaigns(rows=rows), zone=zone, temperature=0.5)
    for n in range(30):
        decision = page(engine, decision_id=f"{seed}/{n}")
        engine.observe([click_on(decision, chosen) for chosen in decision.chosen])
    day = 20_000 + 719_163  # ordinal of 1970-01-01 is 719,163; noon UTC is this day in both zones
    spent = engine.state.ledger.spent_micros([f"c{n}" for n in range(4)], day)
    assert spent.sum() > 0
    assert spent.max() <= budget


def test_new_items_are_appended_and_shown(build, catalogue, predictor):
    engine = build(campaigns=Campaigns())
    engine.put_items(catalogue(24))
    assert predictor.num_items == 24
    decision = page(engine, explore=False)
    assert decision.found == 24
    assert "i23" in [chosen.item_id for chosen in decision.chosen]


def test_items_in_other_rows_are_refused_with_a_remedy(build, catalogue):
    engine = build()
    with pytest.raises(SchemaError, match=r"row 19 must hold 'i19'\. Mark an item"):
        engine.put_items(catalogue(19))
    swapped = catalogue(20)
    swapped.item_ids[[3, 4]] = swapped.item_ids[[4, 3]]
    with pytest.raises(SchemaError, match=r"row 3 must hold 'i3'"):
        engine.put_items(swapped)


def test_campaigns_keep_their_rows_and_their_pacing(build, campaign):
    engine = build()
    engine.put_pacing({"c1": 0.5})
    with pytest.raises(SchemaError, match="2 known campaigns first and in their order"):
        engine.put_campaigns(Campaigns(rows=(campaign("c1", "i7"),)))
    rows = (campaign("c0", "i2"), campaign("c1", "i7"), campaign("c2", "i9"))
    engine.put_campaigns(Campaigns(rows=rows))
    listed = page(engine).shortlist
    paced = dict(zip(listed.campaign_id, listed.kappa, strict=True))
    assert (paced["c0"], paced["c1"], paced["c2"]) == (1.0, 0.5, 1.0)
    with pytest.raises(ConfigError, match=r"'c1' must lie in \(0, 1\], got 0"):
        engine.put_pacing({"c1": 0})
    with pytest.raises(ConfigError, match="names campaign 'c9'"):
        engine.put_pacing({"c9": 1})


@pytest.mark.parametrize(
    ("told", "counted"),
    [
        ("checkout_done", [3]),  # by a stem
        ("addtocart", [2]),  # a common word
        ("Page-View", [4]),
        ("both", [1, 4]),  # one row tells two events
        ("noise", []),
    ],
)
def test_a_live_kind_is_named_as_a_fit_names_it(build, changed, told, counted):
    engine = build()
    kinds = {"checkout*": "purchase", "both": "click+view", "noise": "ignore"}
    engine.shop = changed(engine.shop, log=changed(engine.shop.log, event_types=kinds))
    event = ShopEvent(user_id="u", event_type=told, timestamp_us=DAY_US, item_id="i1")
    engine.observe([event])
    assert np.flatnonzero(engine.state.counters.as_of(9)[1]).tolist() == counted
    assert len(engine.state.histories.of("u")) == len(counted)
