"""Laws of a run: order of time, budgets, the same luck for every policy."""

from collections import defaultdict

import numpy as np
import pytest

from endcap.errors import ConfigError
from endcap.schema import Query, ShopEvent, ValueConfig
from endcap.simulate import World, WorldConfig, value_of
from endcap.simulate.config import DAY_US

SMALL = WorldConfig(shoppers=150, items=100, campaigns=6, seed=5)


@pytest.fixture(scope="module")
def busy(random_engine):
    """Shoppers who click and buy much, in a day that is one long slice and a short one."""
    config = WorldConfig(shoppers=200, items=60, base_logit=2.0, slice_minutes=1400)
    world, engine = World(config), random_engine()
    world.run(engine, days=2)
    return world, engine


def heard_by_shopper(world, engine):
    """What the engine heard: (time, whether it is a page, what), by shopper, as it came."""
    heard = defaultdict(list)
    for one in engine.heard:
        is_page = isinstance(one, Query)
        at_us = one.at_us if is_page else one.timestamp_us
        heard[world.shopper_of_user[one.user_id]].append((at_us, is_page, one))
    return heard


def test_the_engine_hears_of_each_shopper_in_order_of_time(small_run, busy):
    for world, engine in (small_run[:2], busy):
        for heard in heard_by_shopper(world, engine).values():
            times = [at_us for at_us, _, _ in heard]
            assert (np.diff(times) >= 0).all()
            pages = [number for number, (_, is_page, _) in enumerate(heard) if is_page]
            assert all(times[n] > times[n - 1] for n in pages if n)


def test_the_engines_days_never_run_backwards(busy):
    _, engine = busy
    days = [
        (one.at_us if isinstance(one, Query) else one.timestamp_us) // DAY_US
        for one in engine.heard
    ]
    assert (np.diff(days) >= 0).all()
    assert days[-1] > days[0]


def test_a_purchase_is_heard_before_the_shoppers_next_page(busy):
    early = 0
    for heard in heard_by_shopper(*busy).values():
        for number, (bought_us, _, one) in enumerate(heard):
            later_pages = [at_us for at_us, is_page, _ in heard[number:] if is_page]
            same_day = later_pages and later_pages[0] // DAY_US == bought_us // DAY_US
            early += bool(same_day and is_purchase(one))
    assert early > 20


def is_purchase(one):
    return isinstance(one, ShopEvent) and one.event_type == "purchase"


def test_no_event_before_its_page_and_every_event_names_it(small_run):
    _, engine, run = small_run
    page_us = {query.decision_id: query.at_us for query in engine.heard if isinstance(query, Query)}
    assert len(page_us) == len(run.pages) == len(run.decisions)
    for event in run.events:
        assert event.timestamp_us > page_us[event.decision_id]
        assert event.slot is not None
    kinds = {event.event_type for event in run.events}
    assert kinds >= {"click", "add_to_cart", "purchase"}


def test_a_purchase_follows_a_click_of_the_same_user_and_item(small_run):
    _, _, run = small_run
    clicks = {(e.user_id, e.item_id, e.decision_id) for e in run.events if e.event_type == "click"}
    later = [event for event in run.events if event.event_type in ("purchase", "rating")]
    assert later
    assert all((e.user_id, e.item_id, e.decision_id) in clicks for e in later)


def test_event_ids_are_unique_and_ad_events_name_their_campaign(small_run):
    _, _, run = small_run
    assert len({event.event_id for event in run.events}) == len(run.events)
    for event in run.events:
        is_ad = (event.placement, event.slot) in {("home", 1), ("aside", 1)}
        assert (event.campaign_id is not None) == is_ad


def test_the_engine_gets_new_items_and_campaigns_every_day(small_run):
    _, engine, run = small_run
    assert engine.days == 3
    assert engine.catalogue.num_items == 120 + 2 * 3
    created = engine.catalogue.created_at_us
    assert created.max() == run.config.start_us + 2 * DAY_US
    assert (created <= run.config.start_us + 2 * DAY_US).all()


def test_no_budget_is_ever_exceeded_and_a_refused_click_is_free(random_engine):
    world = World(WorldConfig(shoppers=300, items=100, campaigns=2, base_logit=-1.0))
    run = world.run(random_engine(ad_places=(0, 2, 4, 6)), days=2)
    budgets = world.advertisers.daily_budget_micros
    assert run.spent_micros
    for (campaign, _), spent in run.spent_micros.items():
        assert spent <= budgets[campaign]
    assert run.pages.ad_micros.sum() == sum(run.spent_micros.values())
    ad_clicks = [e for e in run.events if e.event_type == "click" and e.campaign_id]
    owed = sum(
        next(row for row in run.campaigns.rows if row.campaign_id == e.campaign_id).bid_micros // 3
        for e in ad_clicks
    )
    assert run.pages.ad_micros.sum() < owed


def test_the_same_world_and_policy_give_the_same_bytes(random_engine):
    first, second = (World(SMALL).run(random_engine(), days=2) for _ in range(2))
    assert first.events == second.events
    for name in vars(first.pages):
        np.testing.assert_array_equal(getattr(first.pages, name), getattr(second.pages, name))


def test_a_copy_goes_its_own_way_from_the_same_state(random_engine):
    world = World(SMALL)
    world.run(random_engine(), days=1)
    other = world.copy()
    first, second = world.run(random_engine(2), days=1), other.run(random_engine(2), days=1)
    assert first.events == second.events
    assert first.first_day == 1
    assert World(SMALL).day == 0


def first_pages(pages):
    """The first page of each shopper's day: when, in which session, under which decision id."""
    rows = np.argsort(pages.at_us, kind="stable")
    _, first = np.unique(pages.shopper[rows], return_index=True)
    return {
        int(pages.shopper[n]): (pages.at_us[n], pages.session[n], pages.decision_id[n])
        for n in rows[first]
    }


def test_two_policies_meet_the_same_shoppers_at_the_same_first_page(random_engine):
    first = World(SMALL).run(random_engine(1), days=1)
    second = World(SMALL).run(random_engine(2), days=1)
    starts = [first_pages(run.pages) for run in (first, second)]
    assert len(starts[0]) > 50
    assert starts[0] == starts[1]
    assert set(first.pages.decision_id) & set(second.pages.decision_id)


def test_policies_that_share_slots_share_their_luck(make_pages):
    """Half of the slots differ; paired outcomes vary less than independent ones."""
    world = World(SMALL)
    pages = make_pages(world, 8_000)
    other = make_pages(world, 8_000, seed=1)
    mixed = pages.item.copy()
    mixed[:, 5:] = other.item[:, 5:]
    clicks = [
        np.bincount(world.respond(shown).row, minlength=8_000)
        for shown in (pages, type(pages)(**{**vars(pages), "item": mixed}))
    ]
    assert np.corrcoef(*clicks)[0, 1] > 0.5


def test_expected_value_agrees_with_what_came_of_it(small_run):
    _, _, run = small_run
    pages = run.pages
    for realised, expected in (
        (pages.clicks, pages.expected_clicks),
        (pages.dwell_ms, pages.expected_dwell_ms),
    ):
        spread = np.std(realised - expected) * np.sqrt(len(pages))
        assert abs(realised.sum() - expected.sum()) < 4 * spread
    np.testing.assert_allclose(
        np.bincount(run.shown.page_row, run.shown.chance, len(pages)), pages.expected_clicks
    )


def test_value_is_the_sum_of_its_parts_at_the_shops_rates(small_run):
    _, _, run = small_run
    value = value_of(run, ValueConfig(click_micros=7, dwell_micros_per_second=3))
    pages = run.pages
    row = int(np.argmax(pages.clicks))
    parts = 7 * pages.clicks[row] + 0.003 * pages.dwell_ms[row]
    assert value.realised[row] == pytest.approx(
        parts + pages.margin_micros[row] + pages.ad_micros[row]
    )
    assert value.expected.shape == value.realised.shape


def test_ratings_say_how_content_the_shopper_is():
    from endcap.simulate.later import Due, rating_of, satisfaction

    world = World()
    ratings, content = [], []
    for number in range(3_000):
        shopper, item = number % world.config.shoppers, number * 7 % 400
        due = Due(
            due_us=0, kind="rating", shopper=shopper, item=item, price_micros=1, luck=number,
            source=ShopEvent(user_id="u", event_type="click", timestamp_us=0),
        )  # fmt: skip
        ratings.append(rating_of(world.mind, due))
        content.append(satisfaction(world.mind, shopper, item))
    assert set(ratings) == {1, 2, 3, 4, 5}
    assert np.corrcoef(ratings, content)[0, 1] > 0.6


def test_a_run_without_ratings_has_none_and_the_same_purchases(random_engine):
    def purchases(ratings):
        config = WorldConfig(shoppers=200, items=100, base_logit=-1, ratings=ratings)
        run = World(config).run(random_engine(), days=3)
        rated = [e for e in run.events if e.event_type == "rating"]
        return bool(rated), [
            (e.user_id, e.item_id) for e in run.events if e.event_type == "purchase"
        ]

    assert purchases(True)[0]
    assert not purchases(False)[0]
    assert purchases(True)[1] == purchases(False)[1]


def test_stock_falls_by_what_is_sold(random_engine):
    world = World(WorldConfig(shoppers=200, items=60, base_logit=2, new_items=False))
    world.stock[:] = 1_000
    run = world.run(random_engine(), days=1)
    sold = sum(event.event_type == "purchase" for event in run.events)
    assert sold > 30
    assert world.stock.sum() == 60_000 - sold


def test_nothing_is_sold_that_is_not_there(random_engine):
    world = World(WorldConfig(shoppers=200, items=60, base_logit=2, new_items=False))
    world.stock[:] = 1
    run = world.run(random_engine(), days=1)
    bought = [event.item_id for event in run.events if event.event_type == "purchase"]
    assert len(bought) == len(set(bought)) > 20


def test_no_days_is_an_error(random_engine):
    with pytest.raises(ConfigError, match="days must be 1 or more, got 0"):
        World(SMALL).run(random_engine(), days=0)


def test_two_runs_of_a_world_make_the_log_of_one(random_engine):
    world, whole = World(SMALL), World(SMALL)
    engine = random_engine()
    first, later = world.run(engine, days=2), world.run(engine, days=1)
    joined, once = first.followed_by(later), whole.run(random_engine(), days=3)
    assert (joined.first_day, joined.days) == (once.first_day, once.days)
    for name in ("decision_id", "shopper", "at_us", "expected_clicks"):
        np.testing.assert_array_equal(getattr(joined.pages, name), getattr(once.pages, name))
    np.testing.assert_array_equal(joined.shown.item_id, once.shown.item_id)
    np.testing.assert_array_equal(joined.shown.page_row, once.shown.page_row)
    assert joined.events == once.events
    assert joined.spent_micros == once.spent_micros
    assert [d.decision_id for d in joined.decisions] == [d.decision_id for d in once.decisions]


def test_a_run_is_followed_by_the_day_after_it_alone(random_engine):
    first = World(SMALL).run(random_engine(), days=1)
    again = World(SMALL).run(random_engine(), days=1)
    with pytest.raises(ConfigError, match="followed by one from day 1, got one from day 0"):
        first.followed_by(again)


def test_subjects_name_each_shopper_of_the_decisions_once(random_engine):
    run = World(SMALL).run(random_engine(), days=1)
    pairs = run.subjects()
    assert len(pairs) == len(set(pairs)) == len(set(run.pages.user_id))
    assert dict(pairs) == {user: user for user in run.pages.user_id}  # this engine keys by name
