"""A shopper's tastes: clicks against what was to be expected of the slots they were shown.

Clicks over expectation are held to the level above by so many expected clicks: the shopper to the
shop, the top category, brand and words to the shopper, the leaf to its top category. Training days
say by how many (`train.tastes`).
"""

import numpy as np
from numpy.typing import NDArray

from endcap.features.columns import ItemColumns
from endcap.features.counters import CounterColumn
from endcap.schema import Action, ContextColumn, Events

CLICK_PRIOR = 20.0
"""Impressions of an average item with which every item's click rate starts."""

LATER_SLOT = 0.85
"""What a slot draws against the one before it, for expectations."""

_LATER = LATER_SLOT ** np.arange(11)


def match_shown(
    context: NDArray[np.float32],
    history: Events,
    shown: Events,
    item: NDArray[np.int32],
    columns: ItemColumns,
    counters: NDArray[np.float32],
    totals: NDArray[np.float64],
) -> None:
    """Fill the taste columns of candidates, as logs of taste over the shopper's own rate."""
    clicked, groups = clicked_items(history), columns.groups
    seen, strength = shown["item"], columns.scales.tastes
    expected = expected_clicks(shown, counters, totals)
    times = np.bincount(seen, minlength=int(item.max(initial=-1)) + 1)[item]
    context[:, ContextColumn.ITEM_SHOWN] = np.log1p(times)

    def taste(
        of_item: NDArray[np.int64], prior: NDArray[np.float64], held_by: float
    ) -> NDArray[np.float64]:
        hits = np.bincount(of_item[clicked].ravel(), minlength=len(prior))
        of_seen = of_item[seen]
        each = expected if of_seen.ndim == 1 else np.repeat(expected, of_seen.shape[1])
        hoped = np.bincount(of_seen.ravel(), weights=each, minlength=len(prior))
        found: NDArray[np.float64] = (hits + held_by * prior) / (hoped + held_by)
        found[0] = prior[0]  # what is unknown says nothing
        return found

    shopper = (len(clicked) + strength.shopper) / (expected.sum() + strength.shopper)
    of_top = taste(groups.top, np.full(groups.num_tops, shopper), strength.top)
    of_leaf = taste(groups.leaf, of_top[groups.top_of_leaf], strength.leaf)
    of_brand = taste(groups.brand, np.full(groups.num_brands, shopper), strength.brand)
    of_word = taste(columns.words, np.full(groups.num_words, shopper), strength.word)
    words = columns.words[item]
    by_word = (np.log(of_word / shopper)[words] * (words > 0)).sum(axis=1)
    context[:, ContextColumn.TOP_TASTE] = np.log(of_top[groups.top[item]] / shopper)
    context[:, ContextColumn.LEAF_TASTE] = np.log(of_leaf[groups.leaf[item]] / shopper)
    context[:, ContextColumn.BRAND_TASTE] = np.log(of_brand[groups.brand[item]] / shopper)
    context[:, ContextColumn.WORD_TASTE] = by_word / np.maximum((words > 0).sum(axis=1), 1)
    context[:, ContextColumn.SHOPPER_RATE] = np.log(shopper)


def clicked_items(history: Events) -> NDArray[np.int32]:
    """Return the items of a history's clicks, one per click."""
    is_click = (history["action"] == Action.CLICK) & (history["item"] >= 0)
    out: NDArray[np.int32] = history["item"][is_click]
    return out


def clicked_times(history: Events) -> NDArray[np.int64]:
    """Return the instants of a history's clicks on items."""
    is_click = (history["action"] == Action.CLICK) & (history["item"] >= 0)
    out: NDArray[np.int64] = history["timestamp_us"][is_click]
    return out


def expected_clicks(
    shown: Events, counters: NDArray[np.float32], totals: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return the clicks to be expected of shown slots: the item's own rate, less in a later one."""
    total = counters.sum(axis=0, dtype=np.float64) if totals is None else totals
    rate = (total[CounterColumn.CLICKS] + 1.0) / (total[CounterColumn.IMPRESSIONS] + 20.0)
    item = shown["item"]
    known = item < len(counters)
    rows = counters[np.where(known, item, 0)] * known[:, None]
    clicks, times = rows[:, CounterColumn.CLICKS], rows[:, CounterColumn.IMPRESSIONS]
    later = _LATER[np.minimum(shown["slot"], len(_LATER) - 1)]
    out: NDArray[np.float64] = (clicks + CLICK_PRIOR * rate) / (times + CLICK_PRIOR) * later
    return out
