"""When shoppers come and when they leave: the day's sessions, pauses and farewells."""

import numpy as np
from numpy.typing import NDArray

from endcap.schema import Device
from endcap.simulate.config import DAY_US, HOUR_US, SECOND_US, WorldConfig
from endcap.simulate.memory import Memory
from endcap.simulate.noise import (
    F64,
    I64,
    U64,
    Stream,
    below,
    choice,
    derive,
    exponential,
    keys_of,
    uniform,
)
from endcap.simulate.shoppers import HOUR_WEIGHTS, Shoppers

GAP_US = 35 * 60 * SECOND_US
"""The least pause between two sessions of one shopper."""
_WEEK_PERMILLE = np.array([950, 920, 940, 980, 1020, 1120, 1070], dtype=np.int64)
"""Visits by weekday, Monday first."""
_SECOND_VISIT = 0.25

STAY_LOGIT = 1.05
STAY_PER_CLICK, USUAL_CLICKS, MOST_CLICKS = 0.6, 0.6, 1.5
LEAVE_PER_AD = 0.22
GOODWILL_PER_CLICK, GOODWILL_PER_AD = 0.01, 0.004


class Sessions:
    """The sessions of one day, one row each, sorted by planned start; pages advance them.

    Attributes:
        next_us: when the next page of a session is wanted.
        page: number of that page.
        is_open: whether there will be one.
    """

    def __init__(self, day: int, shopper: I64, number: I64, start_us: I64, device: I64) -> None:
        order = np.lexsort((number, start_us))
        self.day = day
        self.shopper = shopper[order]
        self.number = number[order]
        self.next_us = start_us[order]
        self.device = device[order]
        self.page = np.zeros(len(order), dtype=np.int64)
        self.is_open = np.ones(len(order), dtype=np.bool_)

    def __len__(self) -> int:
        return len(self.shopper)

    def ready(self, before_us: int | None) -> I64:
        """Return the rows whose next page is due, in order of time, one per shopper."""
        due = self.is_open if before_us is None else self.is_open & (self.next_us < before_us)
        rows = np.flatnonzero(due)
        rows = rows[np.lexsort((self.number[rows], self.next_us[rows]))]
        _, first = np.unique(self.shopper[rows], return_index=True)
        return rows[np.sort(first)]

    def advance(self, rows: I64, next_us: I64, stays: NDArray[np.bool_]) -> None:
        """Move sessions to their next page, or close them."""
        self.page[rows] += 1
        self.next_us[rows] = next_us
        self.is_open[rows] = stays
        later = np.zeros(int(self.shopper.max(initial=-1)) + 1, dtype=np.int64)
        later[self.shopper[rows]] = next_us + GAP_US
        waiting = self.is_open & (self.page == 0)
        wait_us = later[self.shopper[waiting]]
        self.next_us[waiting] = np.maximum(self.next_us[waiting], wait_us)


def plan_sessions(
    config: WorldConfig, shoppers: Shoppers, memory: Memory, day: int, first_day: I64
) -> Sessions:
    """Draw the sessions of a day; newcomers come on their first day for certain."""
    weekday = (config.start_us // DAY_US + 3 + day) % 7
    week = _WEEK_PERMILLE[weekday] / 1000 if config.daily_cycle else 1.0
    mean = config.sessions_per_day * week * shoppers.visit_permille / 1000 * memory.goodwill
    number = np.array([0, 1])
    keys = keys_of(config.seed, Stream.VISIT, np.arange(len(shoppers))[:, None], day, number)
    chance = mean[:, None] / (1 + _SECOND_VISIT) * np.array([1, _SECOND_VISIT])
    comes = uniform(keys) < chance
    comes[:, 0] |= (first_day == day) & (day > 0)
    who, which = np.nonzero(comes)
    drawn = keys[who, which]
    start_us = config.start_us + day * DAY_US + _time_of_day(config, shoppers, who, drawn)
    start_us = np.maximum(start_us, memory.free_at_us[who] + GAP_US)
    return Sessions(day, who, which, start_us, _device(shoppers, who, drawn))


def _time_of_day(config: WorldConfig, shoppers: Shoppers, who: I64, keys: U64) -> I64:
    """Half of the visits lie around the favourite hour, half follow the shop's curve."""
    if config.daily_cycle:
        near = (shoppers.favourite_hour[who] - 1 + below(derive(keys, 1), 3)) % 24
        hour = np.where(below(derive(keys, 2), 2) == 0, near, choice(derive(keys, 3), HOUR_WEIGHTS))
    else:
        hour = below(derive(keys, 3), 24)
    return hour * HOUR_US + below(derive(keys, 4), 3_600) * SECOND_US


def _device(shoppers: Shoppers, who: I64, keys: U64) -> I64:
    """Of twenty visits, three are on the other device."""
    usual = shoppers.device[who]
    other = np.where(usual == Device.MOBILE, Device.DESKTOP, Device.MOBILE)
    return np.where(below(derive(keys, 5), 20) < 3, other, usual)


def stay_chance(config: WorldConfig, clicks: F64, ads: F64) -> F64:
    """Return P(one more page) after a page, by the clicks it was worth and its ads."""
    logit = np.full(clicks.shape, STAY_LOGIT)
    if config.page_value:
        logit += STAY_PER_CLICK * (np.minimum(clicks, MOST_CLICKS) - USUAL_CLICKS)
    if config.ad_aversion:
        logit -= LEAVE_PER_AD * ads
    result: F64 = 1 / (1 + np.exp(-logit))
    return result


def goodwill_change(config: WorldConfig, clicks: F64, ads: F64) -> F64:
    """Return what a page adds to a shopper's wish to come back."""
    change = np.zeros(clicks.shape)
    if config.page_value:
        change += GOODWILL_PER_CLICK * (np.minimum(clicks, MOST_CLICKS) - USUAL_CLICKS)
    if config.ad_aversion:
        change -= GOODWILL_PER_AD * ads
    return change


def stays(config: WorldConfig, keys: U64, page: I64, clicks: F64, ads: F64) -> NDArray[np.bool_]:
    """Decide who looks at one more page; `keys` are those of the pages."""
    luck = uniform(derive(keys, Stream.LEAVE))
    return (luck < stay_chance(config, clicks, ads)) & (page + 1 < config.max_pages)


def pause_us(keys: U64) -> I64:
    """Return how long a shopper looks at a page itself: 4 seconds and more, 12 on average."""
    seconds = 4 + 8 * exponential(derive(keys, Stream.PAUSE))
    return (np.minimum(seconds, 120) * SECOND_US).astype(np.int64)
