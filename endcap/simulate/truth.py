"""The true probabilities: what a model can at best find out about a shopper and an item."""

from dataclasses import dataclass
from math import gamma

import numpy as np
from numpy.typing import NDArray

from endcap.simulate.advertisers import Advertisers, ad_factor
from endcap.simulate.config import HOUR_US, WorldConfig
from endcap.simulate.goods import F32, Goods
from endcap.simulate.memory import WANT_DAYS, Memory
from endcap.simulate.noise import I64
from endcap.simulate.shoppers import Shoppers
from endcap.simulate.words import TOPS

DWELL_SHAPE = 0.8
"""Of a Weibull; below 1 those who stay tend to stay (Liu, White and Dumais 2010)."""
DWELL_PER_SCALE = gamma(1 + 1 / DWELL_SHAPE)

BUY_AFTER_CART = 0.45
DELAY_WEIGHT = np.array([0.34, 0.16, 0.50])
DELAY_MEDIAN_HOURS = np.array([8 / 60, 8.0, 72.0])
DELAY_SIGMA = np.array([1.0, 0.7, 0.7])
WITHIN_7_DAYS = 0.943
"""Share of purchases within seven days of the click, under the mixture above."""

_PRICE_WEIGHT = np.float32(0.8)
_HIGHEST_Q = np.float32(0.95)
_NEVER_DAYS = np.float32(-1e8)


@dataclass(frozen=True)
class Truth:
    """What is true of each candidate; arrays of one shape."""

    q: F32
    """P(click | examined), without neighbours."""
    dwell_ms: F32
    """E[dwell | click], uncensored."""
    buy: F32
    """P(bought within 7 days | click)."""


@dataclass(frozen=True, kw_only=True)
class Mind:
    """All that a true probability depends on; a view of the world, not a copy."""

    config: WorldConfig
    goods: Goods
    shoppers: Shoppers
    advertisers: Advertisers
    memory: Memory
    price_micros: I64
    """[V] today's."""
    stock: I64
    """[V]"""


def truth_of(mind: Mind, shopper: I64, at_us: I64, item: I64, campaign: I64) -> Truth:
    """Return the truth about pages of candidates.

    Args:
        shopper: [N] rows.
        at_us: [N] instants.
        item: [N, C] rows; -1 (an empty slot) gives nonsense, which callers mask.
        campaign: [N, C] rows, -1 for a product.
    """
    who = shopper[:, None]
    days = _days(mind.config, at_us)[:, None]
    match = match_of(mind, who, item)
    appeal = mind.goods.appeal[item]
    wish = appeal + match + _moment(mind, who, days, at_us[:, None], item)
    q = _sigmoid(wish + np.float32(mind.config.base_logit))
    q *= ad_factor(mind.advertisers, campaign, _hour(at_us)[:, None])
    return Truth(
        q=np.minimum(q, _HIGHEST_Q),
        dwell_ms=_dwell(mind.config, match, appeal),
        buy=_buy(mind, who, item, match, appeal),
    )


def _days(config: WorldConfig, at_us: I64) -> F32:
    """Return days since the world began."""
    return ((at_us - config.start_us) / (24 * HOUR_US)).astype(np.float32)


def _hour(at_us: I64) -> I64:
    return at_us // HOUR_US % 24


def _sigmoid(x: F32) -> F32:
    return np.float32(1) / (np.float32(1) + np.exp(-x))


def match_of(mind: Mind, who: I64, item: I64) -> F32:
    """Return how items suit shoppers, float32 [N, C]: what their tastes add to the log-odds.

    Category, brand, style, price, and a part that no column tells. `who` is [N, 1].
    """
    goods, shoppers = mind.goods, mind.shoppers
    match = shoppers.leaf_taste[who, goods.leaf[item]]
    match += shoppers.brand_taste[who, goods.brand[item]]
    match += shoppers.style_taste[who, goods.style[item]]
    match += np.einsum("nk,nck->nc", shoppers.latent[who[:, 0]], goods.latent[item])
    off = goods.relative_price[item] - shoppers.price_wish[who]
    match -= _PRICE_WEIGHT * off * off
    return match


def _moment(mind: Mind, who: I64, days: F32, at_us: I64, item: I64) -> F32:
    """What is added to the log-odds of a click by what happened before, and by the hour."""
    config, goods, memory = mind.config, mind.goods, mind.memory
    leaf = goods.leaf[item]
    added = np.zeros(item.shape, dtype=np.float32)
    if config.complements:
        left = np.exp(-np.maximum(days - memory.want_at[who], 0) / np.float32(WANT_DAYS))
        added += memory.want[who, leaf] * left
    if config.category_hours:
        added += _CATEGORY_HOUR[goods.top[item], _hour(at_us)]
    if config.fatigue:
        added += _fading(memory.clicked_at[who, item], days, -0.9, 1.0)
    if config.satiation:
        added += _fading(memory.kind_bought_at[who, leaf], days, -1.0, 7.0)
    _add_owned(config, added, memory.bought_at[who, item], days, goods.is_consumable[item])
    return added


def _fading(since: F32, days: F32, amount: float, time: float) -> F32:
    """Return an amount that fades with the days since something happened; 0 where it never did."""
    result = np.zeros(since.shape, dtype=np.float32)
    row, column = np.nonzero(since > _NEVER_DAYS)
    age = np.maximum(days[row, 0] - since[row, column], 0)
    result[row, column] = np.float32(amount) * np.exp(-age / np.float32(time))
    return result


def _add_owned(
    config: WorldConfig, added: F32, since: F32, days: F32, again: NDArray[np.bool_]
) -> None:
    """What was bought is wanted less for a month; what is used up is soon wanted more."""
    row, column = np.nonzero(since > _NEVER_DAYS)
    age = np.maximum(days[row, 0] - since[row, column], 0)
    used_up = again[row, column]
    if config.satiation:
        time = np.where(used_up, np.float32(1.5), np.float32(30))
        added[row, column] += np.float32(-2.5) * np.exp(-age / time)
    if config.repeats:
        wanted = np.float32(1.8) * (1 - np.exp(-age / np.float32(4)))
        added[row, column] += np.where(used_up, wanted, np.float32(0))


def _dwell(config: WorldConfig, match: F32, appeal: F32) -> F32:
    liking = np.float32(0.15) * match + np.float32(0.5) * appeal
    return np.float32(config.dwell_mean_ms) * np.exp(liking - np.float32(0.15))


def cart_chance(mind: Mind, who: I64, item: I64, match: F32, appeal: F32) -> F32:
    """Return P(put into the cart | click); a dear item is put there seldom."""
    price = mind.price_micros[item].astype(np.float32) / np.float32(30e6)
    dear = np.log(price) * mind.shoppers.price_sensitivity[who]
    logit = np.float32(mind.config.cart_logit) + np.float32(0.3) * match
    chance = _sigmoid(logit + np.float32(0.5) * appeal - np.float32(0.8) * dear)
    if mind.config.stock_limits:
        chance *= mind.stock[item] > 0
    return chance


def _buy(mind: Mind, who: I64, item: I64, match: F32, appeal: F32) -> F32:
    within = WITHIN_7_DAYS if mind.config.delays else 1.0
    return cart_chance(mind, who, item, match, appeal) * np.float32(BUY_AFTER_CART * within)


def _category_hours() -> F32:
    """Return log-odds by top category and hour: 0.4 in each one's eight good hours, else -0.15."""
    first = (7 + 3 * np.arange(len(TOPS))) % 24
    after = (np.arange(24) - first[:, None]) % 24
    return np.where(after < 8, 0.4, -0.15).astype(np.float32)


_CATEGORY_HOUR = _category_hours()
