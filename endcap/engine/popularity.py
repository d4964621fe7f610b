"""What others bought and clicked of late: the fallback of every other source."""

import numpy as np
from numpy.typing import NDArray

from endcap.features import CounterColumn
from endcap.schema import Predictions

MAX_CLICK_CHANCE = 0.1
"""P(click | examined) given to the most popular item when no model answers; a stated guess."""

_COLUMNS = (
    CounterColumn.CLICKS,
    CounterColumn.VIEWS,
    CounterColumn.CARTS,
    CounterColumn.PURCHASES,
)


def popularity(counters: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the number of times each item was met, put in a cart or bought, decayed, [V]."""
    met: NDArray[np.float64] = counters[:, list(_COLUMNS)].sum(axis=1, dtype=np.float64)
    return met


def popular_rows(counters: NDArray[np.float32], limit: int) -> NDArray[np.int32]:
    """Return up to `limit` item rows, the most popular first; ties by row."""
    met = popularity(counters)
    top = np.arange(len(met))
    if limit < len(met):
        top = np.sort(np.argpartition(-met, limit)[:limit])
    return top[np.argsort(-met[top], kind="stable")].astype(np.int32)


def popularity_predictions(counters: NDArray[np.float32], item: NDArray[np.int32]) -> Predictions:
    """Answer without a model: chances of a click in order of popularity, no dwell, no purchase."""
    met = popularity(counters)
    largest = float(met.max()) if len(met) else 0.0
    q = MAX_CLICK_CHANCE * (met[item] + 1.0) / (largest + 1.0)
    return Predictions(q=q, dwell_ms=np.zeros(len(item)), buy=np.zeros(len(item)))
