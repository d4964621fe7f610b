from endcap.schema import to_micros
from endcap.simulate import campaign_columns, event_columns, item_columns
from endcap.simulate.words import REVIEWS, sentiment_of


def test_the_log_holds_every_shown_slot_and_every_event_in_order(small_run):
    _, _, run = small_run
    log = event_columns(run)
    assert len({len(column) for column in log.values()}) == 1
    assert log["event_type"].count("impression") == len(run.pages) * 10
    assert (
        len(log["event_id"]) == len(set(log["event_id"])) == len(run.pages) * 10 + len(run.events)
    )
    assert log["timestamp"] == sorted(log["timestamp"])


def test_money_is_decimal_and_comes_back_to_the_micro(small_run):
    world, _, run = small_run
    items = item_columns(world.catalogue())
    assert [to_micros(price) for price in items["price"]] == world.price_micros.tolist()
    costs = [to_micros(cost) for cost in items["unit_cost"]]
    assert costs == world.goods.unit_cost_micros.tolist()
    bids = [to_micros(bid) for bid in campaign_columns(run.campaigns)["bid"]]
    assert bids == [row.bid_micros for row in run.campaigns.rows]


def test_only_clicks_tell_dwell_and_only_purchases_quantity(small_run):
    log = event_columns(small_run[2])
    for kind, dwell, quantity in zip(
        log["event_type"], log["dwell_ms"], log["quantity"], strict=True
    ):
        assert (dwell is not None) == (kind == "click")
        assert (quantity is not None) == (kind == "purchase")


def test_a_review_has_the_sentiment_of_its_rating(small_run):
    log = event_columns(small_run[2])
    rated = [
        (int(rating), text)
        for rating, text in zip(log["rating"], log["review"], strict=True)
        if rating is not None
    ]
    assert rated
    assert all(text in REVIEWS[rating] for rating, text in rated)
    assert [sentiment_of(rating) for rating in (1, 2, 3, 4, 5)] == [-1, -1, 0, 1, 1]


def test_impressions_carry_propensity_device_and_campaign(small_run):
    log = event_columns(small_run[2])
    row = log["event_type"].index("impression")
    assert log["propensity"][row] == 0.5
    assert log["device"][row] in {"desktop", "mobile"}
    shown = [
        (log["placement"][n], log["slot"][n], log["campaign_id"][n])
        for n in range(len(log["slot"]))
        if log["event_type"][n] == "impression"
    ]
    ads = {(placement, slot) for placement, slot, campaign in shown if campaign}
    assert ads == {("home", 1), ("aside", 1)}
