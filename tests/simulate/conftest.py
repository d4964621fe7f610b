"""A stand-in for the product's engine: pages of uniformly random items, or of a fixed list."""

from collections.abc import Sequence

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


@pytest.fixture
def random_engine() -> type[RandomEngine]:
    return RandomEngine
