"""What stands between a shopper's past and a candidate, as dense columns: the candidate's context.

The same function builds training rows and requests. A row reads events strictly before its
question, its own item's fields and counters, and never another candidate.
"""

from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from endcap.features.activity import count_days
from endcap.features.clock import DAY_US, HOUR_US
from endcap.features.columns import ItemColumns
from endcap.features.counters import NUM_COUNTERS, NUM_FRESH, CounterColumn
from endcap.features.dwelt import match_dwelt
from endcap.features.moment import tell_moment
from endcap.features.tastes import CLICK_PRIOR, match_shown
from endcap.schema import NUM_CONTEXT, SHOPPER_COLUMNS, Action, ContextColumn, Events

UTC = ZoneInfo("UTC")

MAX_EVENTS = 512
"""Events of a shopper that a context reads, the latest: as many as an engine keeps."""

MAX_SHOWN = 2_048
"""Shown slots of a shopper that a context reads, the latest."""

BUY_PRIOR = 10.0

_OF_ITEMS = np.setdiff1d(np.arange(NUM_CONTEXT), SHOPPER_COLUMNS)


def candidate_context(
    history: Events,
    at_us: int,
    item: NDArray[np.int32],
    columns: ItemColumns,
    counters: NDArray[np.float32],
    *,
    zone: ZoneInfo | None = UTC,
) -> NDArray[np.float32]:
    """Build the context of candidates [C] of one shopper at one instant, [C, X].

    Args:
        history: the shopper's events strictly before `at_us`, oldest first; the last 512 are read.
            Rows of action IMPRESSION tell what was shown, and are counted apart: the last 2,048.
        item: rows; -1 asks of the shopper without an item, and only their own columns are filled.
        counters: [V, N] as of the start of the day (`Counters.as_of`).
        zone: the shop's; None in an order-only log, whose ages mean nothing and stay 0.
    """
    did, shown = split_history(history)
    return context_of(did, shown, at_us, item, columns, counters, zone=zone)


def context_of(  # noqa: PLR0913 (all that one candidate reads)
    history: Events,
    shown: Events,
    at_us: int,
    item: NDArray[np.int32],
    columns: ItemColumns,
    counters: NDArray[np.float32],
    *,
    zone: ZoneInfo | None = UTC,
    fresh: NDArray[np.float32] | None = None,
    totals: NDArray[np.float64] | None = None,
) -> NDArray[np.float32]:
    """Build the same from what the shopper did and what they were shown, known items only.

    Args:
        fresh: [C, 4] fresh counters of the candidates, where `counters` does not hold them up to
            the instant (a fit has those of the start of the day).
        totals: the sum of `counters` over all items, where it is known already.
    """
    totals = counters.sum(axis=0, dtype=np.float64) if totals is None else totals
    context = np.zeros((len(item), NUM_CONTEXT), dtype=np.float32)
    history, shown = history[-MAX_EVENTS:], shown[-MAX_SHOWN:]
    without, item = item < 0, np.maximum(item, 0)
    _match_history(context, history, at_us, item, columns, zone is not None)
    _read_counters(context, item, counters, totals)
    if len(shown):
        match_shown(context, history, shown, item, columns, counters, totals)
    if columns.scales.dwell is not None:
        fresh = fresh_of(item, counters) if fresh is None else fresh
        match_dwelt(context, history, shown, fresh, columns.scales.dwell)
    log_price = columns.log_price[item]
    context[:, ContextColumn.PRICE] = log_price
    context[:, [ContextColumn.NUMBER, ContextColumn.NUMBER_UNKNOWN]] = columns.number[item]
    met = history["item"][history["item"] >= 0]
    met = met[columns.has_price[met]]
    if len(met):
        gap = log_price - columns.log_price[met].mean(dtype=np.float32)
        gap = np.where(columns.has_price[item], gap, 0)
        context[:, ContextColumn.PRICE_AGAINST_USUAL] = gap
        context[:, ContextColumn.PRICE_GAP_SQUARED] = np.square(gap)
    context[:, ContextColumn.HISTORY_LENGTH] = np.log1p(len(history)) / 4
    if zone is not None:
        created = columns.created_at_us[item]
        age_days = np.maximum(at_us - created, 0) / DAY_US
        context[:, ContextColumn.ITEM_AGE] = np.where(created > 0, 1 / (1 + age_days), 0)
        count_days(context, history, at_us, item)
        tell_moment(context, history, at_us, zone)
    if without.any():
        context[np.ix_(without, _OF_ITEMS)] = 0
    return context


def fresh_of(item: NDArray[np.int32], counters: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the fresh counters of items, [C, 4]; 0 for items and counters without any."""
    found = np.zeros((len(item), NUM_FRESH), dtype=np.float32)
    known = item < len(counters)
    if counters.shape[1] > NUM_COUNTERS:
        found[known] = counters[item[known], NUM_COUNTERS:]
    return found


def split_history(history: Events) -> tuple[Events, Events]:
    """Part a history into what the shopper did, and what was shown."""
    is_shown = history["action"] == Action.IMPRESSION
    if not is_shown.any():
        return history, history[:0]
    return history[~is_shown], history[is_shown & (history["item"] >= 0)]


_KINDS = np.zeros((256, 3), dtype=np.float32)  # action -> clicks and views, carts, purchases
_KINDS[[Action.VIEW, Action.CLICK], 0] = 1
_KINDS[Action.OWN :, 0] = 1
_KINDS[[Action.ADD_TO_CART, Action.FAVORITE], 1] = 1
_KINDS[Action.PURCHASE, 2] = 1


def _match_history(
    context: NDArray[np.float32],
    history: Events,
    at_us: int,
    item: NDArray[np.int32],
    columns: ItemColumns,
    has_clock: bool,
) -> None:
    met = history[history["item"] >= 0]
    if len(met) == 0:
        return
    kinds = _KINDS[met["action"]]
    age_us = np.maximum(at_us - met["timestamp_us"], 0)
    age = age_us.astype(np.float64) if has_clock else np.full(len(met), np.inf)
    same_item = item[:, None] == met["item"][None, :]
    counts = same_item.astype(np.float32) @ kinds
    context[:, ContextColumn.SAME_ITEM_CLICKS : ContextColumn.SAME_ITEM_PURCHASES + 1] = np.log1p(
        counts
    )
    youngest = np.where(same_item, age, np.inf).min(axis=1)
    context[:, ContextColumn.SAME_ITEM_HOURS] = 1 / (1 + youngest / HOUR_US)
    context[:, ContextColumn.SAME_ITEM_DAYS] = 1 / (1 + youngest / DAY_US)
    leaf = columns.leaf[item]
    same_leaf = (leaf[:, None] == columns.leaf[met["item"]]) & (leaf >= 0)[:, None]
    in_leaf = same_leaf.astype(np.float32) @ kinds
    context[:, ContextColumn.SAME_LEAF] = np.log1p(in_leaf.sum(axis=1))
    context[:, ContextColumn.SAME_LEAF_PURCHASES] = np.log1p(in_leaf[:, 2])
    youngest = np.where(same_leaf, age, np.inf).min(axis=1)
    context[:, ContextColumn.SAME_LEAF_HOURS] = 1 / (1 + youngest / HOUR_US)
    top = columns.top[item]
    same_top = (top[:, None] == columns.top[met["item"]]) & (top >= 0)[:, None]
    context[:, ContextColumn.SAME_TOP] = np.log1p(same_top.sum(axis=1))
    brand = columns.brand[item]
    same_brand = (brand[:, None] == columns.brand[met["item"]]) & (brand >= 0)[:, None]
    context[:, ContextColumn.SAME_BRAND] = np.log1p(same_brand.sum(axis=1))


def _read_counters(
    context: NDArray[np.float32],
    item: NDArray[np.int32],
    counters: NDArray[np.float32],
    total: NDArray[np.float64],
) -> None:
    known = item < len(counters)
    rows = counters[np.where(known, item, 0)] * known[:, None]
    clicks = rows[:, CounterColumn.CLICKS]
    purchases = rows[:, CounterColumn.PURCHASES]
    used = clicks + rows[:, CounterColumn.VIEWS] + rows[:, CounterColumn.CARTS] + purchases
    context[:, ContextColumn.POPULARITY] = np.log1p(used) / 3
    context[:, ContextColumn.CLICK_RATE] = _log_rate(
        clicks,
        rows[:, CounterColumn.IMPRESSIONS],
        total[CounterColumn.CLICKS],
        total[CounterColumn.IMPRESSIONS],
        CLICK_PRIOR,
    )
    context[:, ContextColumn.BUY_RATE] = _log_rate(
        purchases, clicks, total[CounterColumn.PURCHASES], total[CounterColumn.CLICKS], BUY_PRIOR
    )


def _log_rate(
    hits: NDArray[np.float32],
    tries: NDArray[np.float32],
    all_hits: float,
    all_tries: float,
    prior: float,
) -> NDArray[np.float32]:
    """Return log((hits + prior r) / (tries + prior) / r), r the rate of the whole shop."""
    rate = (all_hits + 1.0) / (all_tries + 20.0)
    logs = np.log((hits + prior * rate) / (tries + prior) / rate)
    return np.clip(logs, -4, 4).astype(np.float32)
