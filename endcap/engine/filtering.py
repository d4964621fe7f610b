"""State and query as the facts that the filters of `decide` read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.decide import AdFacts, Circumstances, ItemFacts, drop_reasons
from endcap.engine.candidates import Found, find_candidates
from endcap.engine.live import LiveShop
from endcap.engine.popularity import popularity
from endcap.engine.protocols import Predictor
from endcap.engine.request import Request
from endcap.schema import NO_CAMPAIGN, Action, Dropped, Source

HOUR_US = 3_600_000_000


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The candidates with their reasons, and where each campaign may stand."""

    found: Found
    reasons: NDArray[np.uint8]
    campaign_bits: NDArray[np.int64]
    """[campaigns] bit p for the p-th placement."""

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Tell who is to be valued."""
        return np.equal(self.reasons, Dropped.KEPT)


def find_and_judge(
    request: Request, placements: list[str], predictor: Predictor, shop: LiveShop
) -> Judged:
    """Find candidates and filter them; where too little is left, look at the whole catalogue."""
    found = find_candidates(request, predictor, shop)
    judged = judge(found, request, placements, shop)
    products = int((judged.kept & ~found.is_ad).sum())
    if products >= request.num_slots or shop.catalogue.num_items <= shop.page.candidates:
        return judged
    allowed = _allowed_items(request, shop)
    fresh = allowed[~np.isin(allowed, found.item[~found.is_ad])][: shop.page.candidates]
    if len(fresh) == 0:
        return judged
    request.degraded.append(
        f"Retrieval left {products} allowed products for {request.num_slots} slots; "
        f"{len(fresh)} popular ones of the whole catalogue were added."
    )
    return judge(found.and_products(fresh, Source.POPULAR), request, placements, shop)


def judge(found: Found, request: Request, placements: list[str], shop: LiveShop) -> Judged:
    """Give every candidate a reason to be dropped, or none."""
    bits = shop.campaigns.stands_in(placements)
    now = Circumstances(
        at_us=request.at_us, ads=request.query.ads, reserve_micros=shop.page.reserve_micros
    )
    items = _item_facts(found.item, request, shop)
    ads = _ad_facts(found, request, bits, shop)
    return Judged(found=found, reasons=drop_reasons(items, ads, now), campaign_bits=bits)


def _allowed_items(request: Request, shop: LiveShop) -> NDArray[np.int32]:
    """List every product of the catalogue that no filter drops, the most popular first."""
    rows = np.arange(shop.catalogue.num_items, dtype=np.int32)
    products = Found(
        item=rows,
        campaign=np.full(len(rows), NO_CAMPAIGN, dtype=np.int32),
        source=np.full(len(rows), Source.POPULAR, dtype=np.uint8),
    )
    now = Circumstances(at_us=request.at_us, ads=False, reserve_micros=0)
    facts = _item_facts(rows, request, shop)
    kept: NDArray[np.int32] = rows[drop_reasons(facts, _no_ads(products), now) == Dropped.KEPT]
    met = popularity(request.counters)[kept]
    return kept[np.argsort(-met, kind="stable")]


def _item_facts(item: NDArray[np.int32], request: Request, shop: LiveShop) -> ItemFacts:
    catalogue = shop.catalogue
    excluded = np.zeros(catalogue.num_items, dtype=bool)
    excluded[catalogue.rows(request.query.exclude)] = True
    return ItemFacts(
        available=catalogue.catalogue.available[item],
        stock=shop.shelves.stock[item],
        created_at_us=catalogue.catalogue.created_at_us[item],
        excluded=excluded[item],
        in_categories=catalogue.in_categories(request.query.categories)[item],
        bought=_bought_lately(request, catalogue.num_items, shop.page.seen_hours)[item],
    )


def _bought_lately(request: Request, num_items: int, hours: float) -> NDArray[np.bool_]:
    bought = np.zeros(num_items, dtype=bool)
    if hours > 0:
        history = request.history
        lately = history["timestamp_us"] >= request.at_us - hours * HOUR_US
        rows = history["item"][lately & (history["action"] == Action.PURCHASE)]
        bought[rows[rows >= 0]] = True
    return bought


def _ad_facts(found: Found, request: Request, bits: NDArray[np.int64], shop: LiveShop) -> AdFacts:
    if not found.is_ad.any():
        return _no_ads(found)
    row, is_ad, campaigns = np.maximum(found.campaign, 0), found.is_ad, shop.campaigns
    spent = shop.ledger.spent_micros(campaigns.ids, request.local_day)
    return AdFacts(
        is_ad=is_ad,
        start_at_us=campaigns.start_at_us[row],
        end_at_us=campaigns.end_at_us[row],
        speaks_now=campaigns.speaks[row, request.hour],
        stands_here=bits[row] > 0,
        budget_left_micros=(campaigns.budget_micros - spent)[row],
        paced_micros=(campaigns.kappa * campaigns.bid_micros)[row],
    )


def _no_ads(found: Found) -> AdFacts:
    count = len(found.item)
    zeros = np.zeros(count, dtype=np.int64)
    return AdFacts(
        is_ad=np.zeros(count, dtype=bool),
        start_at_us=zeros,
        end_at_us=zeros,
        speaks_now=zeros > 0,
        stands_here=zeros > 0,
        budget_left_micros=zeros,
        paced_micros=np.zeros(count),
    )
