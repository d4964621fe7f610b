"""What shoppers do with pages they are shown: all pages at once, by luck that is looked up."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.simulate.attention import Layout, cascade_chance, cascade_clicks, neighbour_factor
from endcap.simulate.config import HOUR_US, SECOND_US
from endcap.simulate.goods import F32
from endcap.simulate.noise import (
    F64,
    I64,
    U64,
    Stream,
    derive,
    exponential,
    keys_of,
    normal,
    uniform,
    uniform32,
)
from endcap.simulate.truth import (
    BUY_AFTER_CART,
    DELAY_MEDIAN_HOURS,
    DELAY_SIGMA,
    DELAY_WEIGHT,
    DWELL_PER_SCALE,
    DWELL_SHAPE,
    WITHIN_7_DAYS,
    Mind,
    Truth,
    truth_of,
)

IDLE_MS = 600_000
"""After so long without a sign of life the dwell is cut off."""
LOST_TAB_MEAN_MS = 400_000.0


@dataclass(frozen=True, kw_only=True)
class Pages:
    """Pages as shown: N page views of L slots, in the order of the world's layout."""

    shopper: I64
    day: I64
    """Of the session's start, counted from the world's first day."""
    session: I64
    """Number of the session in the shopper's day."""
    page: I64
    """Number of the page in the session."""
    at_us: I64
    device: I64
    item: I64
    """[N, L] rows; -1 is an empty slot."""
    campaign: I64
    """[N, L] rows; -1 is a product."""

    def __len__(self) -> int:
        return len(self.shopper)


@dataclass(frozen=True)
class Responses:
    """What came of pages. Every array but `truth` and `chance` is about the clicked slots alone."""

    truth: Truth
    """[N, L]"""
    chance: F32
    """[N, L] P(click) in its slot, on its page: examination, truth and neighbours."""
    row: I64
    """[K] page of each click, in order of page, then slot."""
    place: I64
    """[K] place in the layout."""
    dwell_ms: I64
    """[K] how long the item held the shopper, uncensored."""
    observed_ms: I64
    """[K] what the shop's log sees of it."""
    censored: NDArray[np.bool_]
    cart: NDArray[np.bool_]
    purchase: NDArray[np.bool_]
    delay_us: I64
    """[K] from the end of the visit to the purchase, where there is one."""


def respond(seed: int, mind: Mind, layout: Layout, pages: Pages) -> Responses:
    """Let shoppers respond to pages; nothing is remembered, so the order of pages is free."""
    truth = truth_of(mind, pages.shopper, pages.at_us, pages.item, pages.campaign)
    is_shown = pages.item >= 0
    chance = layout.examination[pages.device] * truth.q
    if mind.config.neighbours:
        chance *= neighbour_factor(layout, is_shown & (pages.campaign >= 0))
    chance *= is_shown
    keys = derive(page_keys(seed, pages)[:, None], _ticket(pages))
    luck = uniform32(derive(keys, Stream.CLICK))
    if mind.config.cascade:
        row, place = np.nonzero(cascade_clicks(layout, luck, chance))
        chance = cascade_chance(layout, chance)
    else:
        row, place = np.nonzero(luck < chance)
    clicked = keys[row, place]
    dwell_ms = _dwell(clicked, truth.dwell_ms[row, place])
    observed_ms, censored = _observe(mind, clicked, dwell_ms)
    cart, purchase = _basket(mind, clicked, truth.buy[row, place])
    delay_us = _delay(clicked) if mind.config.delays else np.zeros(len(row), dtype=np.int64)
    return Responses(
        truth, chance, row, place, dwell_ms, observed_ms, censored, cart, purchase, delay_us
    )


def page_keys(seed: int, pages: Pages) -> U64:
    """Return one key per page view; the page's content has no part in it."""
    return keys_of(seed, Stream.PAGE, pages.shopper, pages.day, pages.session, pages.page)


def _ticket(pages: Pages) -> I64:
    """Number what stands in a slot: an item has the same luck wherever it stands on a page."""
    return (pages.item << 20) + pages.campaign + 1


def _dwell(keys: U64, mean_ms: F32) -> I64:
    scale = mean_ms.astype(np.float64) / DWELL_PER_SCALE
    drawn = scale * exponential(derive(keys, Stream.DWELL)) ** (1 / DWELL_SHAPE)
    return np.maximum(drawn, 1).astype(np.int64)


def _observe(mind: Mind, keys: U64, dwell_ms: I64) -> tuple[I64, NDArray[np.bool_]]:
    if not mind.config.censoring:
        return dwell_ms, np.zeros(len(dwell_ms), dtype=np.bool_)
    lost_ms = LOST_TAB_MEAN_MS * exponential(derive(keys, Stream.LOST))
    limit_ms = np.clip(lost_ms, 1, IDLE_MS).astype(np.int64)
    return np.minimum(dwell_ms, limit_ms), dwell_ms > limit_ms


def _basket(mind: Mind, keys: U64, buy: F32) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """A purchase needs a cart; `buy` counts only those within seven days."""
    within = WITHIN_7_DAYS if mind.config.delays else 1.0
    chance = buy / np.float32(BUY_AFTER_CART * within)
    cart = uniform(derive(keys, Stream.CART)) < chance
    return cart, cart & (uniform(derive(keys, Stream.BUY)) < BUY_AFTER_CART)


def _delay(keys: U64) -> I64:
    """Minutes, hours or days: a mixture of three lognormals."""
    drawn = derive(keys, Stream.DELAY)
    part = np.searchsorted(np.cumsum(DELAY_WEIGHT)[:-1], uniform(drawn), side="right")
    hours: F64 = DELAY_MEDIAN_HOURS[part] * np.exp(DELAY_SIGMA[part] * normal(derive(drawn, 1)))
    return (hours * HOUR_US).astype(np.int64) + SECOND_US
