"""Widths and columns on which the features that fill arrays and the model that reads them agree."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

NUM_PHASES = 4
"""Sine and cosine of the hour of day and of the weekday."""

NUM_GAPS = 32
"""Buckets of the time between two instants; 0 is "no earlier event"."""

NUM_DWELLS = 17
"""Buckets of dwell; 0 is unknown."""

FIELD_NAMES = ("category", "leaf", "brand", "seller", "price", "attribute", "text")
"""The fields whose vectors add up to an item's, beside its id and its neighbours."""

DIMENSIONS = ("id", "neighbours", "category", "brand", "price", "text", "attribute")
"""What a product is to a shopper: the parts that a candidate's attention is spread over."""

DIMENSION_OF_FIELD = (2, 2, 3, 6, 4, 6, 5)
"""For every one of `FIELD_NAMES`, its place in `DIMENSIONS`; a seller is an attribute, and so are
the shop's further amounts (`items.numbers`)."""


class ContextColumn(IntEnum):
    """The columns of a candidate's context; all are of order one."""

    SAME_ITEM_CLICKS = 0  # log1p of the shopper's clicks and views of this item
    SAME_ITEM_CARTS = 1
    SAME_ITEM_PURCHASES = 2
    SAME_ITEM_HOURS = 3  # 1 / (1 + hours since), 0 if never met
    SAME_ITEM_DAYS = 4  # 1 / (1 + days since)
    SAME_LEAF = 5  # log1p of events in this leaf category
    SAME_LEAF_HOURS = 6
    SAME_LEAF_PURCHASES = 7
    SAME_BRAND = 8
    POPULARITY = 9  # log1p of everybody's clicks, views, carts and purchases
    CLICK_RATE = 10  # log of the smoothed click rate against the shop's
    BUY_RATE = 11  # log of the smoothed purchases per click against the shop's
    PRICE = 12  # log price, standardised over training items
    PRICE_AGAINST_USUAL = 13  # log price minus the mean log price of what the shopper met
    ITEM_AGE = 14  # 1 / (1 + days since the item could first be shown)
    HISTORY_LENGTH = 15  # log1p of the number of events
    SINCE_LAST = 16  # 1 / (1 + days since the last event)
    SAME_TOP = 17  # log1p of events in this top category
    ITEM_SHOWN = 18  # log1p of times the item was shown to this shopper
    LEAF_TASTE = 19  # log of clicks over expectation in the leaf, against the shopper's own
    TOP_TASTE = 20
    BRAND_TASTE = 21
    PRICE_GAP_SQUARED = 22
    WORD_TASTE = 23  # the same, averaged over the words of the title
    SHOPPER_RATE = 24  # log of clicks over expectation in all that was shown
    ITEM_DAYS = 25  # log1p of the days on which the shopper met this item
    ITEM_DAYS_3 = 26  # the same, a day counting exp(-age / 3 days)
    ITEM_DAYS_15 = 27
    ITEM_DAYS_60 = 28
    DAYS_2 = 29  # log1p of the shopper's active days, a day counting exp(-age / 2 days)
    DAYS_7 = 30
    DAYS_30 = 31
    BUY_DAYS = 32  # log1p of the days on which the shopper bought
    BUY_DAYS_7 = 33
    BUY_DAYS_30 = 34
    SINCE_BUY = 35  # 1 / (1 + days since the last purchase), 0 if never
    TENURE = 36  # a third of log1p of the days since the first event that is kept
    DAY_SINE = 37  # of the hour of day at which it is asked
    DAY_COSINE = 38
    WEEK_SINE = 39  # of the weekday
    WEEK_COSINE = 40
    SECONDS_SINCE_LAST = 41  # a fifth of log1p of the seconds since the last event, 0 without one
    LAST_GAP = 42  # the same, of the time between the last two events
    VISIT_EVENTS = 43  # log1p of the events within half an hour before the last one
    LAST_CLICK = 44  # 1 if the last event was a click
    LAST_CART = 45  # 1 if it was a cart or a favourite
    LAST_PURCHASE = 46  # 1 if it was a purchase
    # The next two tell of the first of the shop's `items.numbers`; 0 where it has none.
    NUMBER = 47  # log amount, standardised over training items; 0 where unknown
    NUMBER_UNKNOWN = 48
    # The rest is read where a log tells how long what was shown held the shopper; else 0.
    ITEM_DWELL = 49  # mean log dwell of all shoppers on this item up to the instant, standardised
    ITEM_CLICKED = 50  # log of its click rate up to the instant, against the shop's
    ITEM_TIMES = 51  # log1p of how often it was shown
    OWN_DWELL = 52  # the shopper's mean log dwell, standardised
    LAST_DWELL = 53  # log dwell of the last shown
    LAST_3_DWELL = 54
    LAST_10_DWELL = 55
    LAST_5_CLICKED = 56  # clicks since the fifth last shown, less what is usual in the shop
    LAST_20_CLICKED = 57


NUM_CONTEXT = len(ContextColumn)

CLOCK_COLUMNS = slice(ContextColumn.DAY_SINE, ContextColumn.WEEK_COSINE + 1)
"""Where `features.phases` of the question stand."""

MOMENT_COLUMNS = tuple(range(ContextColumn.DAY_SINE, ContextColumn.LAST_PURCHASE + 1))
"""Columns that tell of the moment of a question: its clock, and how a visit goes on."""

SHOPPER_COLUMNS = (
    ContextColumn.HISTORY_LENGTH,
    ContextColumn.SINCE_LAST,
    ContextColumn.SHOPPER_RATE,
    *range(ContextColumn.DAYS_2, ContextColumn.TENURE + 1),
    *MOMENT_COLUMNS,
    *range(ContextColumn.OWN_DWELL, ContextColumn.LAST_20_CLICKED + 1),
)
"""Columns that tell of the shopper alone: all that is known of a question without an item."""

COLUMNS_OF_DIMENSION = {
    "id": (
        *range(ContextColumn.SAME_ITEM_CLICKS, ContextColumn.SAME_ITEM_DAYS + 1),
        *range(ContextColumn.POPULARITY, ContextColumn.BUY_RATE + 1),
        ContextColumn.ITEM_AGE,
        ContextColumn.ITEM_SHOWN,
        *range(ContextColumn.ITEM_DAYS, ContextColumn.ITEM_DAYS_60 + 1),
        *range(ContextColumn.ITEM_DWELL, ContextColumn.ITEM_TIMES + 1),
    ),
    "category": (
        *range(ContextColumn.SAME_LEAF, ContextColumn.SAME_LEAF_PURCHASES + 1),
        ContextColumn.SAME_TOP,
        ContextColumn.LEAF_TASTE,
        ContextColumn.TOP_TASTE,
    ),
    "brand": (ContextColumn.SAME_BRAND, ContextColumn.BRAND_TASTE),
    "price": (
        ContextColumn.PRICE,
        ContextColumn.PRICE_AGAINST_USUAL,
        ContextColumn.PRICE_GAP_SQUARED,
    ),
    "text": (ContextColumn.WORD_TASTE,),
    "attribute": (ContextColumn.NUMBER, ContextColumn.NUMBER_UNKNOWN),
}
"""Columns of the context that speak of one dimension; `SHOPPER_COLUMNS` speak of none."""


@dataclass(frozen=True, kw_only=True)
class FieldMatrix:
    """A sparse matrix [V, F] in CSR form: item i's weights over field columns."""

    indptr: NDArray[np.int64]
    indices: NDArray[np.int64]
    weights: NDArray[np.float32]
    fields: NDArray[np.uint8]
    """For every entry, which of `FIELD_NAMES` it belongs to."""
    num_columns: int
