"""Filters: why a candidate is dropped before it is valued. The first reason wins."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.schema import UNKNOWN, Dropped

Reasons = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class ItemFacts:
    """What the filters read of every candidate's item, [C]."""

    available: NDArray[np.bool_]
    stock: NDArray[np.int64]
    """-1 is unlimited or unknown."""
    created_at_us: NDArray[np.int64]
    excluded: NDArray[np.bool_]
    """Whether the query named it."""
    in_categories: NDArray[np.bool_]
    """Whether it lies in a category of the query; all True when the query names none."""
    bought: NDArray[np.bool_]
    """Whether the shopper bought it within `PageConfig.seen_hours`."""


@dataclass(frozen=True, kw_only=True)
class AdFacts:
    """What the filters read of every candidate's campaign, [C]; products need only `is_ad`."""

    is_ad: NDArray[np.bool_]
    start_at_us: NDArray[np.int64]
    end_at_us: NDArray[np.int64]
    """First instant after the flight."""
    speaks_now: NDArray[np.bool_]
    """Whether the hour of the shop's day is one of its dayparts."""
    stands_here: NDArray[np.bool_]
    """Whether it may stand in any placement of the query."""
    budget_left_micros: NDArray[np.int64]
    """Of today's budget, in the shop's zone."""
    paced_micros: NDArray[np.float64]
    """kappa * bid."""


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What the filters read of the request."""

    at_us: int
    ads: bool
    reserve_micros: int


def drop_reasons(items: ItemFacts, ads: AdFacts, now: Circumstances) -> Reasons:
    """Return `Dropped` of every candidate, uint8 [C]; 0 is kept.

    Each candidate has one reason, the first that applies in the order of `Dropped`, so
    found = sum(dropped) + valued holds by construction.
    """
    reasons: Reasons = np.zeros(len(items.available), dtype=np.uint8)
    verdicts = _item_verdicts(items, now) + _ad_verdicts(ads, now)
    for reason, applies in reversed(verdicts):
        reasons[applies] = reason
    return reasons


def count_reasons(reasons: Reasons) -> dict[str, int]:
    """Count the dropped candidates by the name of their reason, in lower case."""
    counts = np.bincount(reasons, minlength=len(Dropped))
    return {
        reason.name.lower(): int(counts[reason])
        for reason in Dropped
        if reason is not Dropped.KEPT and counts[reason]
    }


def _item_verdicts(items: ItemFacts, now: Circumstances) -> list[tuple[Dropped, NDArray[np.bool_]]]:
    return [
        (Dropped.UNAVAILABLE, ~items.available),
        (Dropped.OUT_OF_STOCK, (items.stock != UNKNOWN) & (items.stock <= 0)),
        (Dropped.EXCLUDED, items.excluded),
        (Dropped.CATEGORY, ~items.in_categories),
        (Dropped.BOUGHT, items.bought),
        (Dropped.NOT_YET, items.created_at_us > now.at_us),
    ]


def _ad_verdicts(ads: AdFacts, now: Circumstances) -> list[tuple[Dropped, NDArray[np.bool_]]]:
    """Judge the ads; a budget that cannot pay one click at the reserve is used up.

    The budget's test looks at the reserve, not at the bid: otherwise a lower bid could open what a
    higher one closes, and the truth would not pay.
    """
    flight = (now.at_us >= ads.start_at_us) & (now.at_us < ads.end_at_us)
    broke = ads.budget_left_micros < max(now.reserve_micros, 1)
    return [
        (Dropped.ADS_OFF, ads.is_ad & (not now.ads)),
        (Dropped.FLIGHT, ads.is_ad & ~flight),
        (Dropped.DAYPART, ads.is_ad & ~ads.speaks_now),
        (Dropped.PLACEMENT, ads.is_ad & ~ads.stands_here),
        (Dropped.BUDGET, ads.is_ad & broke),
        (Dropped.BELOW_RESERVE, ads.is_ad & (ads.paced_micros < now.reserve_micros)),
    ]
