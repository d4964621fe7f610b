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
"""For every one of `FIELD_NAMES`, its place in `DIMENSIONS`; a seller is an attribute."""


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


NUM_CONTEXT = len(ContextColumn)

COLUMNS_OF_DIMENSION = {
    "id": (0, 1, 2, 3, 4, 9, 10, 11, 14, 18),
    "category": (5, 6, 7, 17, 19, 20),
    "brand": (8, 21),
    "price": (12, 13, 22),
    "text": (23,),
}
"""Columns of the context that speak of one dimension; the others speak of the shopper alone."""


@dataclass(frozen=True, kw_only=True)
class FieldMatrix:
    """A sparse matrix [V, F] in CSR form: item i's weights over field columns."""

    indptr: NDArray[np.int64]
    indices: NDArray[np.int64]
    weights: NDArray[np.float32]
    fields: NDArray[np.uint8]
    """For every entry, which of `FIELD_NAMES` it belongs to."""
    num_columns: int
