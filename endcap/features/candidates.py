"""What stands between a shopper's past and a candidate, as dense columns: the candidate's context.

The same function builds training rows and requests. A row reads events strictly before its
question, its own item's fields and counters, and never another candidate.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.features.clock import DAY_US, HOUR_US
from endcap.features.counters import CounterColumn
from endcap.features.items import codes, title_words
from endcap.schema import (
    NUM_CONTEXT,
    Action,
    Catalogue,
    ContextColumn,
    Events,
    leaf_category,
    top_category,
)

MAX_EVENTS = 512
"""Events of a shopper that a context reads, the latest: as many as an engine keeps."""

MAX_SHOWN = 2_048
"""Shown slots of a shopper that a context reads, the latest."""

CLICK_PRIOR = 20.0
BUY_PRIOR = 10.0


@dataclass(frozen=True, kw_only=True)
class ItemColumns:
    """The columns of the catalogue that a context reads, by item row."""

    leaf: NDArray[np.int64]
    """Codes that agree or differ; -1 unknown."""
    top: NDArray[np.int64]
    brand: NDArray[np.int64]
    words: NDArray[np.int64]
    """[V, 8] numbers of the title's words; 0 is none."""
    log_price: NDArray[np.float32]
    """Standardised; 0 where unknown."""
    has_price: NDArray[np.bool_]
    created_at_us: NDArray[np.int64]

    @staticmethod
    def of(catalogue: Catalogue, *, price_mean: float, price_scale: float) -> "ItemColumns":
        """Read the columns; the price scale was fitted on training items (`price_scale_of`)."""
        has_price = catalogue.price_micros > 0
        log_price = np.zeros(catalogue.num_items, dtype=np.float32)
        logs = np.log(np.maximum(catalogue.price_micros, 1))
        log_price[has_price] = ((logs - price_mean) / price_scale)[has_price]
        return ItemColumns(
            leaf=codes([leaf_category(str(path)) for path in catalogue.categories]),
            top=codes([top_category(str(path)) for path in catalogue.categories]),
            brand=codes([str(brand) for brand in catalogue.brands]),
            words=title_words([str(title) for title in catalogue.titles]),
            log_price=log_price,
            has_price=has_price,
            created_at_us=catalogue.created_at_us,
        )


def price_scale_of(catalogue: Catalogue, in_training: NDArray[np.bool_]) -> tuple[float, float]:
    """Return mean and standard deviation of the log prices of the items that training met."""
    prices = catalogue.price_micros[in_training & (catalogue.price_micros > 0)]
    if len(prices) == 0:
        return 0.0, 1.0
    logs = np.log(prices)
    return float(logs.mean()), max(float(logs.std()), 1e-3)


def candidate_context(
    history: Events,
    at_us: int,
    item: NDArray[np.int32],
    columns: ItemColumns,
    counters: NDArray[np.float32],
    *,
    has_clock: bool = True,
) -> NDArray[np.float32]:
    """Build the context of candidates [C] of one shopper at one instant, [C, X].

    Args:
        history: the shopper's events strictly before `at_us`, oldest first; the last 512 are read.
            Rows of action IMPRESSION tell what was shown, and are counted apart: the last 2,048.
        counters: [V, N] as of the start of the day (`Counters.as_of`).
        has_clock: False in an order-only log, whose ages mean nothing and stay 0.
    """
    context = np.zeros((len(item), NUM_CONTEXT), dtype=np.float32)
    history, shown = split_history(history)
    history, shown = history[-MAX_EVENTS:], shown[-MAX_SHOWN:]
    _match_history(context, history, at_us, item, columns, has_clock)
    _read_counters(context, item, counters)
    if len(shown):
        _match_shown(context, history, shown, item, columns, counters)
    log_price = columns.log_price[item]
    context[:, ContextColumn.PRICE] = log_price
    met = history["item"][history["item"] >= 0]
    met = met[columns.has_price[met]]
    if len(met):
        gap = log_price - columns.log_price[met].mean(dtype=np.float32)
        gap = np.where(columns.has_price[item], gap, 0)
        context[:, ContextColumn.PRICE_AGAINST_USUAL] = gap
        context[:, ContextColumn.PRICE_GAP_SQUARED] = np.square(gap)
    context[:, ContextColumn.HISTORY_LENGTH] = np.log1p(len(history)) / 4
    if has_clock:
        created = columns.created_at_us[item]
        age_days = np.maximum(at_us - created, 0) / DAY_US
        context[:, ContextColumn.ITEM_AGE] = np.where(created > 0, 1 / (1 + age_days), 0)
        if len(history):
            since = max(at_us - int(history["timestamp_us"][-1]), 0)
            context[:, ContextColumn.SINCE_LAST] = 1 / (1 + since / DAY_US)
    return context


PRIOR_CLICKS = 1.0
"""Expected clicks by which a shopper's taste is shrunk to the level above."""

LATER_SLOT = 0.85
"""What a slot draws against the one before it, for expectations."""


def split_history(history: Events) -> tuple[Events, Events]:
    """Part a history into what the shopper did, and what was shown."""
    is_shown = history["action"] == Action.IMPRESSION
    if not is_shown.any():
        return history, history[:0]
    return history[~is_shown], history[is_shown & (history["item"] >= 0)]


def _match_shown(
    context: NDArray[np.float32],
    history: Events,
    shown: Events,
    item: NDArray[np.int32],
    columns: ItemColumns,
    counters: NDArray[np.float32],
) -> None:
    """Compare the shopper's clicks with what was to be expected of the slots they were shown.

    A shown slot is expected to draw its item's own click rate, less in a later slot. Clicks over
    expectation are shrunk from the shopper to the top category to the leaf, and from the shopper to
    the brand and to each word, by one pseudo-click (hierarchical empirical Bayes).
    """
    clicked = history["item"][(history["action"] == Action.CLICK) & (history["item"] >= 0)]
    seen = shown["item"]
    expected = _item_rates(counters, seen) * LATER_SLOT ** np.minimum(shown["slot"], 10)
    times = np.bincount(seen, minlength=int(item.max(initial=-1)) + 1)[item]
    context[:, ContextColumn.ITEM_SHOWN] = np.log1p(times)

    def taste(of_item: NDArray[np.int64], prior: NDArray[np.float64]) -> NDArray[np.float64]:
        size = len(prior)
        hits = np.bincount(of_item[clicked].ravel(), minlength=size)
        each = np.repeat(expected, of_item[seen].size // max(len(seen), 1))
        hoped = np.bincount(of_item[seen].ravel(), weights=each, minlength=size)
        found: NDArray[np.float64] = (hits + PRIOR_CLICKS * prior) / (hoped + PRIOR_CLICKS)
        found[0] = prior[0]  # what is unknown says nothing
        return found

    shopper = (len(clicked) + PRIOR_CLICKS) / (expected.sum() + PRIOR_CLICKS)
    top, leaf, brand = columns.top + 1, columns.leaf + 1, columns.brand + 1
    of_top = taste(top, np.full(int(top.max()) + 1, shopper))
    prior = np.full(int(leaf.max()) + 1, shopper)
    prior[leaf] = of_top[top]
    of_leaf = taste(leaf, prior)
    of_brand = taste(brand, np.full(int(brand.max()) + 1, shopper))
    of_word = taste(columns.words, np.full(int(columns.words.max()) + 1, shopper))
    words = columns.words[item]
    by_word = (np.log(of_word / shopper)[words] * (words > 0)).sum(axis=1)
    context[:, ContextColumn.TOP_TASTE] = np.log(of_top[top[item]] / shopper)
    context[:, ContextColumn.LEAF_TASTE] = np.log(of_leaf[leaf[item]] / shopper)
    context[:, ContextColumn.BRAND_TASTE] = np.log(of_brand[brand[item]] / shopper)
    context[:, ContextColumn.WORD_TASTE] = by_word / np.maximum((words > 0).sum(axis=1), 1)
    context[:, ContextColumn.SHOPPER_RATE] = np.log(shopper)


def _item_rates(counters: NDArray[np.float32], item: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return each item's click rate, shrunk to the shop's."""
    total = counters.sum(axis=0, dtype=np.float64)
    rate = (total[CounterColumn.CLICKS] + 1.0) / (total[CounterColumn.IMPRESSIONS] + 20.0)
    known = item < len(counters)
    rows = counters[np.where(known, item, 0)] * known[:, None]
    clicks, shown = rows[:, CounterColumn.CLICKS], rows[:, CounterColumn.IMPRESSIONS]
    out: NDArray[np.float64] = (clicks + CLICK_PRIOR * rate) / (shown + CLICK_PRIOR)
    return out


_KINDS = np.zeros((256, 3), dtype=np.float32)  # action -> clicks and views, carts, purchases
_KINDS[[Action.VIEW, Action.CLICK, Action.OWN], 0] = 1
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
    context: NDArray[np.float32], item: NDArray[np.int32], counters: NDArray[np.float32]
) -> None:
    known = item < len(counters)
    rows = counters[np.where(known, item, 0)] * known[:, None]
    total = counters.sum(axis=0, dtype=np.float64)
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
