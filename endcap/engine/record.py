"""The decision record: a draft of all that the page rule reads, then what the rule gave."""

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from endcap.decide import expected_attention, problem_of, solve
from endcap.engine.campaigns import LiveCampaigns
from endcap.engine.catalogue import LiveCatalogue
from endcap.engine.request import Request
from endcap.engine.valuing import Valued
from endcap.schema import (
    NO_CAMPAIGN,
    Chosen,
    Decision,
    ModelInputs,
    PageConfig,
    Shortlist,
    Slots,
    Source,
)


@dataclass(frozen=True, kw_only=True)
class Books:
    """Whose ids and codes a shortlist is written with."""

    catalogue: LiveCatalogue
    campaigns: LiveCampaigns
    campaign_bits: NDArray[np.int64]
    num_placements: int


def shortlist_columns(listed: Valued, books: Books, page: PageConfig) -> Shortlist:
    """Write the shortlist by column; without a model, ads compete at the reserve alone."""
    item, campaign = listed.found.item, listed.found.campaign
    is_ad, row = campaign != NO_CAMPAIGN, np.maximum(campaign, 0)
    everywhere = (1 << books.num_placements) - 1
    bid, kappa, allowed = (np.zeros(len(item)), np.ones(len(item)), np.full(len(item), everywhere))
    if is_ad.any():
        offered, pace = books.campaigns.bid_micros[row], books.campaigns.kappa[row]
        bid = np.where(is_ad, offered if listed.is_modelled else page.reserve_micros, 0)
        kappa = np.where(is_ad & listed.is_modelled, pace, 1.0)
        allowed = np.where(is_ad, books.campaign_bits[row], everywhere)
    catalogue, told = books.catalogue, listed.predictions
    ids = books.campaigns.ids
    return Shortlist(
        item=item.tolist(),
        item_id=catalogue.catalogue.item_ids[item].tolist(),
        campaign_id=[ids[c] if c != NO_CAMPAIGN else None for c in campaign.tolist()],
        source=listed.found.source.tolist(),
        q=told.q.tolist(),
        dwell_ms=told.dwell_ms.tolist(),
        buy=told.buy.tolist(),
        margin_micros=listed.margin_micros.tolist(),
        harm_micros=listed.harm_micros.tolist(),
        h_micros=listed.h_micros.tolist(),
        bid_micros=bid.astype(np.int64).tolist(),
        kappa=kappa.tolist(),
        category=catalogue.category[item].tolist(),
        brand=catalogue.brand[item].tolist(),
        seller=catalogue.seller[item].tolist(),
        allowed=allowed.tolist(),
    )


def model_inputs(listed: Valued, request: Request) -> ModelInputs | None:
    """Keep what the model read about the shortlist; nothing when no model answered."""
    if not listed.is_modelled:
        return None
    context = listed.predictions.context
    return ModelInputs(
        history=request.history.tobytes(),
        candidate_item=listed.found.item.tolist(),
        candidate_campaign=listed.found.campaign.tolist(),
        context=b"" if context is None else context.astype("<f4").tobytes(),
    )


def with_page(draft: Decision) -> Decision:
    """Solve a record's own problem and write the page into it; the same for a replay."""
    choice = solve(problem_of(draft))
    filled = np.flatnonzero(choice.row >= 0)
    rows = choice.row[filled]
    listed, slots = draft.shortlist, draft.slots
    attention = expected_attention(
        np.array(slots.examination)[filled],
        np.array(listed.q)[rows] if len(rows) else np.zeros(0),
        np.array(listed.dwell_ms)[rows] if len(rows) else np.zeros(0),
    )
    chosen = [
        _chosen(slots, listed, step, row, propensity, price, held)
        for step, row, propensity, price, held in zip(
            filled.tolist(),
            rows.tolist(),
            choice.propensity[filled].tolist(),
            choice.price_micros[filled].tolist(),
            attention.tolist(),
            strict=True,
        )
    ]
    return msgspec.structs.replace(draft, chosen=chosen)


def _chosen(
    slots: Slots,
    listed: Shortlist,
    step: int,
    row: int,
    propensity: float,
    price_micros: int,
    attention_ms: float,
) -> Chosen:
    return Chosen(
        placement=slots.placement[step],
        slot=slots.slot[step],
        row=row,
        item_id=listed.item_id[row],
        campaign_id=listed.campaign_id[row],
        source=Source(listed.source[row]).name.lower(),
        propensity=propensity,
        price_micros=price_micros,
        attention_ms=attention_ms,
    )
