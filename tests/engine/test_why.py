"""A slot explains itself from its record."""

import pytest

from endcap.engine import explain
from endcap.errors import QueryError
from endcap.schema import Campaigns, Query, decode_decision, encode_decision


@pytest.fixture
def engine(build):
    return build(temperature=0.0, epsilon=0.0)


@pytest.fixture
def decision(engine):
    made = engine.decide(Query(user_id="u1", placements={"home": 5}, exclude=("i1",)))
    return decode_decision(encode_decision(made))


def slot_of(decision, *, is_ad):
    return next(c.slot for c in decision.chosen if (c.campaign_id is not None) == is_ad)


def test_an_ad_tells_its_price_and_the_least_bid_that_holds_its_slot(engine, decision):
    slot = slot_of(decision, is_ad=True)
    told = engine.why(decision, slot)
    price = next(c.price_micros for c in decision.chosen if c.slot == slot)
    assert f"A click costs {price}" in told.price[0]
    assert "The least bid that holds this slot is" in told.price[1]
    assert "score s =" in told.value[-1]
    assert str(told).startswith("i7 (ad of c1) stands in slot")
    assert str(told).splitlines() == list(told.lines)


def test_a_product_tells_its_worth_and_the_bid_that_would_have_won_its_slot(build):
    engine = build(temperature=0.0, epsilon=0.0, max_ads=1)
    decision = engine.decide(Query(user_id="u1", placements={"home": 3}))
    told = engine.why(decision, slot_of(decision, is_ad=False))
    assert "50000 for itself + 5000 x 10.0 s of dwell = 50000" in told.value[1]
    assert "x margin 3000000 = 300000" in told.value[1]
    assert "nothing is charged" in told.price[0]


def test_the_named_bid_does_win_the_slot(build, campaign):
    def page(bid):
        rows = (campaign("c0", "i4", bid_micros=bid),)
        engine = build(campaigns=Campaigns(rows=rows), temperature=0.0, epsilon=0.0)
        decision = engine.decide(Query(user_id="u1", placements={"home": 3}, decision_id="d"))
        return engine, decision

    engine, decision = page(20_000)
    assert all(c.campaign_id is None for c in decision.chosen)
    line = engine.why(decision, 2).price[0]
    bid = int(line.split("; ")[1].split(" ")[0])
    assert all(c.campaign_id is None for c in page(bid - 1)[1].chosen)
    assert any(c.campaign_id == "c0" for c in page(bid + 1)[1].chosen)


def test_a_record_explains_itself_without_an_engine(engine, decision):
    assert explain(decision, 1) == engine.why(decision, 1)
    assert explain(decision, 1, "home") == engine.why(decision, 1)


def test_a_record_that_was_changed_says_so_instead_of_explaining(decision, changed):
    first, *rest = decision.chosen
    other = changed(decision, chosen=[changed(first, row=first.row + 1), *rest])
    with pytest.raises(QueryError, match=r"d0 does not replay: slot 0 of 'home' holds row \d+ in"):
        explain(other, 0)


def test_filters_and_chances_are_told(engine, decision):
    told = engine.why(decision, 0)
    assert "found 23, dropped excluded 1, valued 22" in told.filters[0]
    assert any("its chance given the slots before was 1.0000" in line for line in told.choice)
    assert any("of the page" in line for line in told.choice)


def test_a_slot_that_is_not_there_names_those_that_are(engine, decision):
    with pytest.raises(QueryError, match=r"slot 9 of 'home' .* filled slots are \[0, 1, 2, 3, 4\]"):
        engine.why(decision, 9)
