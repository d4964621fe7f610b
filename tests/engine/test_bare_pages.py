"""Pages of which little is known: no items, nobody known, nothing left; the law holds."""

import numpy as np
import pytest

from endcap.engine import explain, replay
from endcap.errors import QueryError
from endcap.schema import Campaigns, Query, ShopEvent, decode_decision, encode_decision

DAY_US = 86_400_000_000
NOON_US = 20_000 * DAY_US + DAY_US // 2


def ask(user="u1", **fields):
    return Query(user_id=user, placements={"home": 3, "side": 2}, **fields)


def assert_whole(decision):
    """The law of every decision, and that its record is enough."""
    assert decision.found == sum(decision.dropped.values()) + decision.valued
    assert replay(decode_decision(encode_decision(decision))) == decision


def test_an_empty_catalogue_without_and_with_campaigns(build, campaign):
    """An ad of an item that is not there is no candidate."""
    for campaigns in (Campaigns(), Campaigns(rows=(campaign("c0", "i2"),))):
        decision = build(0, campaigns).decide(ask())
        assert (decision.found, decision.dropped, decision.valued) == (0, {}, 0)
        assert decision.chosen == []
        assert "none of 0 candidates" in decision.degraded[-1]
        assert_whole(decision)
        with pytest.raises(QueryError, match=r"slot 0 of 'home' of decision d0; .* are \[\]"):
            explain(decision, 0)


def test_an_empty_catalogue_fills_up_and_then_has_pages(build, catalogue):
    engine = build(0, Campaigns())
    assert engine.decide(ask()).chosen == []
    engine.put_items(catalogue(3))
    decision = engine.decide(ask())
    assert len(decision.chosen) == 3  # three items for five slots
    assert_whole(decision)


def test_an_unknown_shopper_gets_a_whole_page_and_no_history(build, predictor):
    engine = build()
    engine.observe([
        ShopEvent(user_id="u1", event_type="click", item_id="i3", timestamp_us=NOON_US - DAY_US)
    ])  # fmt: skip
    decision = engine.decide(ask("nobody"))
    assert len(decision.chosen) == 5
    assert decision.degraded == []
    assert len(predictor.asked[-1].history) == 0
    assert_whole(decision)
    engine.decide(ask("u1"))
    assert len(predictor.asked[-1].history) == 1


def test_two_unknown_shoppers_see_one_page_under_one_noise(build):
    one, other = (build().decide(ask(user, decision_id="d")) for user in ("a", "b"))
    assert (one.chosen, one.shortlist) == (other.chosen, other.shortlist)


def test_each_filter_is_counted_and_nothing_is_left(build, catalogue, campaign):
    """Ten items: 2 not available, 3 without stock, 2 excluded, 3 still to come."""
    items = catalogue(
        10,
        available=np.arange(10) >= 2,
        stock=np.where((np.arange(10) >= 2) & (np.arange(10) < 5), 0, -1),
        created_at_us=np.where(np.arange(10) >= 7, NOON_US + 1, 0),
    )
    rows = (campaign("c0", "i5", daily_budget_micros=1), campaign("c1", "i9"))
    engine = build(items, Campaigns(rows=rows))
    decision = engine.decide(ask(exclude=("i5", "i6")))
    assert decision.dropped == {
        "unavailable": 2,
        "out_of_stock": 3,
        "excluded": 3,  # and the ad of i5
        "not_yet": 4,  # and the ad of i9
    }
    assert (decision.found, decision.valued, decision.chosen) == (12, 0, [])
    assert "none of 12 candidates" in decision.degraded[-1]
    assert_whole(decision)


def test_a_large_catalogue_of_which_everything_is_filtered(build, catalogue):
    items = catalogue(300, available=np.zeros(300, dtype=bool))
    decision = build(items, candidates=50).decide(ask())
    assert decision.chosen == []
    assert decision.dropped == {"unavailable": decision.found}
    assert_whole(decision)


def test_an_excluded_item_is_no_ad_either(build, campaign):
    rows = tuple(campaign(f"c{n}", f"i{n}") for n in range(1, 6))
    engine = build(6, Campaigns(rows=rows), max_ads=2)
    exclude = tuple(f"i{n}" for n in range(1, 6))
    decision = engine.decide(ask(exclude=exclude))
    assert [chosen.item_id for chosen in decision.chosen] == ["i0"]
    assert decision.dropped == {"excluded": 10}
    assert_whole(decision)
