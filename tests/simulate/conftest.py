"""A stand-in for the product's engine: pages of uniformly random items, or of a fixed list."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from endcap.schema import (
    Campaigns,
    Catalogue,
    Chosen,
    Decision,
    PageConfig,
    Query,
    ShopEvent,
    Shortlist,
    Slots,
    ValueConfig,
)
from endcap.simulate import Pages, World, WorldConfig, WorldRun

EMPTY_SHORTLIST = Shortlist(
    item=[], item_id=[], campaign_id=[], source=[], q=[], dwell_ms=[], buy=[], margin_micros=[],
    harm_micros=[], h_micros=[], bid_micros=[], kappa=[], category=[], brand=[], seller=[],
    allowed=[],
)  # fmt: skip


class RandomEngine:
    """Shows random items; in the slots of `ad_places` the ad of a random campaign instead."""

    def __init__(self, seed: int = 1, ad_places: Sequence[int] = ()) -> None:
        self.random = np.random.default_rng(seed)
        self.ad_places = ad_places
        self.heard: list[object] = []
        self.days = 0

    def put_items(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.days += 1

    def put_campaigns(self, campaigns: Campaigns) -> None:
        self.campaigns = campaigns

    def observe(self, events: Sequence[ShopEvent]) -> None:
        self.heard.extend(events)

    def decide(self, query: Query) -> Decision:
        self.heard.append(query)
        places = [(name, slot) for name, count in query.placements.items() for slot in range(count)]
        items = self.pick(query, len(places))
        chosen = [
            self.ad(name, slot)
            if query.ads and place in self.ad_places
            else self.slot(name, slot, str(self.catalogue.item_ids[item]), None, 0)
            for place, ((name, slot), item) in enumerate(zip(places, items, strict=True))
        ]
        return Decision(
            decision_id=query.decision_id or "", subject=query.user_id, at_us=query.at_us or 0,
            model_version="none", policy="random", page=PageConfig(), value=ValueConfig(),
            device=query.device, ads=query.ads, explore=query.explore,
            slots=Slots(placement=[], slot=[], examination=[]), shortlist=EMPTY_SHORTLIST,
            chosen=chosen, found=len(items), dropped={}, valued=len(items),
        )  # fmt: skip

    def pick(self, query: Query, count: int) -> np.ndarray:
        return self.random.choice(self.catalogue.num_items, count, replace=False)

    def ad(self, name: str, slot: int) -> Chosen:
        campaign = self.campaigns.rows[self.random.integers(len(self.campaigns))]
        price = campaign.bid_micros // 2
        return self.slot(name, slot, campaign.item_ids[0], campaign.campaign_id, price)

    @staticmethod
    def slot(name: str, slot: int, item_id: str, campaign_id: str | None, price: int) -> Chosen:
        return Chosen(
            placement=name, slot=slot, row=0, item_id=item_id, campaign_id=campaign_id,
            source="test", propensity=0.5, price_micros=price, attention_ms=0.0,
        )  # fmt: skip


RARE = WorldConfig(
    shoppers=700, new_shoppers_per_day=4, sessions_per_day=0.33, base_logit=-2.9, cart_logit=-1.9
)
"""A shop whose shoppers come, click and buy seldom: there, chances are nearly odds."""


@pytest.fixture(scope="session")
def rare() -> WorldConfig:
    return RARE


@pytest.fixture(scope="session")
def random_engine() -> type[RandomEngine]:
    return RandomEngine


def pages_of(world: World, count: int, *, ads: Sequence[int] = (), seed: int = 0) -> Pages:
    """Make pages of random items for random shoppers at random times of the world's day."""
    random = np.random.default_rng(seed)
    layout = (count, world.config.slots)
    campaign = np.full(layout, -1)
    if ads:
        campaign[:, list(ads)] = random.integers(0, world.config.campaigns, (count, len(ads)))
    return Pages(
        shopper=random.integers(0, world.config.shoppers, count),
        day=np.full(count, world.day),
        session=np.zeros(count, dtype=np.int64),
        page=np.arange(count),
        at_us=world.opening_us + random.integers(0, 86_400, count) * 1_000_000,
        device=random.integers(1, 3, count),
        item=random.integers(0, world.config.items, layout),
        campaign=campaign,
    )


@pytest.fixture
def make_pages() -> Callable[..., Pages]:
    return pages_of


@pytest.fixture(scope="session")
def small_run() -> tuple[World, RandomEngine, WorldRun]:
    """Three days of a small world with two ads on every page: the world after, engine, run."""
    world = World(WorldConfig(shoppers=250, items=120, campaigns=8, seed=3))
    engine = RandomEngine(ad_places=(1, 7))
    return world, engine, world.run(engine, days=3)
