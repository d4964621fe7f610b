"""What a shopper comes back to: each item that was met, by how often, how lately, how popular."""

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from endcap.features.clock import DAY_US
from endcap.schema import Action, Events

_COUNTED = np.zeros(256, dtype=np.bool_)
_COUNTED[
    [
        Action.VIEW,
        Action.CLICK,
        Action.ADD_TO_CART,
        Action.FAVORITE,
        Action.PURCHASE,
        Action.RATING,
    ]
] = True
_COUNTED[Action.OWN :] = True

LEAST = 0.01
"""An item that was met is never less likely than one that was not."""


class ReturnColumn(IntEnum):
    """What is told of an item that a shopper met; counts are log(1 + count)."""

    INSTANTS = 0
    EVENTS = 1
    DAYS = 2
    DAYS_7 = 3  # days that count half after 7 days
    DAYS_30 = 4
    SINCE = 5  # log(days since the last time + half a day)
    POPULARITY = 6  # `popularity_scores`
    MET = 7  # 1


RETURN_PRIOR = tuple(float(column == ReturnColumn.INSTANTS) for column in ReturnColumn)
"""What weights are before a log tells: each instant at which an item was met speaks for it."""


def counted(history: Events) -> Events:
    """Return the events in which a shopper met an item."""
    met: Events = history[_COUNTED[history["action"]] & (history["item"] >= 0)]
    return met


def return_columns(
    history: Events, at_us: int, popularity: NDArray[np.float32], *, resolution_us: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the M items that were met, by row, and their columns [M, R].

    Args:
        history: what happened before `at_us`, in any order.
        popularity: [W] of the first W items, 0 for others.
    """
    met = counted(history)
    items, inverse = np.unique(met["item"], return_inverse=True)
    times = met["timestamp_us"]
    columns = np.ones((len(items), len(ReturnColumn)), dtype=np.float32)
    of_instant, _ = _distinct(inverse, times // resolution_us)
    of_day, ago = _distinct(inverse, np.maximum(at_us // DAY_US - times // DAY_US, 0))
    columns[:, ReturnColumn.INSTANTS] = np.bincount(of_instant)
    columns[:, ReturnColumn.EVENTS] = np.bincount(inverse)
    columns[:, ReturnColumn.DAYS] = np.bincount(of_day)
    columns[:, ReturnColumn.DAYS_7] = np.bincount(of_day, 0.5 ** (ago / 7.0))
    columns[:, ReturnColumn.DAYS_30] = np.bincount(of_day, 0.5 ** (ago / 30.0))
    counts = columns[:, : ReturnColumn.SINCE]
    np.log1p(counts, out=counts)
    last = np.zeros(len(items), dtype=np.int64)
    np.maximum.at(last, inverse, times)
    columns[:, ReturnColumn.SINCE] = np.log(np.maximum(at_us - last, 0) / DAY_US + 0.5)
    known = items < len(popularity)
    columns[:, ReturnColumn.POPULARITY] = 0.0
    columns[known, ReturnColumn.POPULARITY] = popularity[items[known]]
    return items.astype(np.int32), columns


def _distinct(
    item: NDArray[np.int64], when: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the different pairs of an item and a time, by item and time."""
    order = np.lexsort((when, item))
    item, when = item[order], when[order]
    first = np.ones(len(item), dtype=np.bool_)
    first[1:] = (item[1:] != item[:-1]) | (when[1:] != when[:-1])
    return item[first], when[first]


def repeat_scores(
    history: Events,
    at_us: int,
    popularity: NDArray[np.float32],
    weights: Sequence[float] = RETURN_PRIOR,
    *,
    resolution_us: int,
    num_items: int,
) -> NDArray[np.float32]:
    """Return R [V]: by how much likelier an item that was met is than one that was not, in nats.

    It is linear in `return_columns`, above 0 for what was met, and 0 for all else.
    """
    scores = np.zeros(num_items, dtype=np.float32)
    items, columns = return_columns(history, at_us, popularity, resolution_us=resolution_us)
    kept = items < num_items
    told = columns[kept] @ np.asarray(weights, dtype=np.float32)
    scores[items[kept]] = np.maximum(told, LEAST)
    return scores
