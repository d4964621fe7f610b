"""On which days a shopper was active, bought, or met an item, recent days counting more."""

import numpy as np
from numpy.typing import NDArray

from endcap.features.clock import DAY_US
from endcap.schema import Action, ContextColumn, Events

ITEM_FADES = {
    ContextColumn.ITEM_DAYS: np.inf,
    ContextColumn.ITEM_DAYS_3: 3.0,
    ContextColumn.ITEM_DAYS_15: 15.0,
    ContextColumn.ITEM_DAYS_60: 60.0,
}
ACTIVE_FADES = {
    ContextColumn.DAYS_2: 2.0,
    ContextColumn.DAYS_7: 7.0,
    ContextColumn.DAYS_30: 30.0,
}
BUY_FADES = {
    ContextColumn.BUY_DAYS: np.inf,
    ContextColumn.BUY_DAYS_7: 7.0,
    ContextColumn.BUY_DAYS_30: 30.0,
}
"""Context columns, and the days in which a day's weight falls to 1 / e."""


def count_days(
    context: NDArray[np.float32], history: Events, at_us: int, item: NDArray[np.int32]
) -> None:
    """Fill the columns of days; several events of one day count once.

    Days are whole days back from the question, so that each question counts in its own days.
    """
    if len(history) == 0:
        return
    age_days = np.maximum(at_us - history["timestamp_us"], 0) // DAY_US
    is_buy = history["action"] == Action.PURCHASE
    _of_shopper(context, age_days, ACTIVE_FADES)
    context[:, ContextColumn.TENURE] = np.log1p(age_days[0]) / 3
    if is_buy.any():
        _of_shopper(context, age_days[is_buy], BUY_FADES)
        since = at_us - int(history["timestamp_us"][is_buy][-1])
        context[:, ContextColumn.SINCE_BUY] = 1 / (1 + max(since, 0) / DAY_US)
    _of_items(context, age_days, history["item"], item)


def _of_shopper(
    context: NDArray[np.float32], age_days: NDArray[np.int64], fades: dict[ContextColumn, float]
) -> None:
    days = np.unique(age_days)
    for column, fade in fades.items():
        context[:, column] = np.log1p(np.exp(-days / fade).sum())


def _of_items(
    context: NDArray[np.float32],
    age_days: NDArray[np.int64],
    met: NDArray[np.int32],
    item: NDArray[np.int32],
) -> None:
    wanted, place = np.unique(item, return_inverse=True)
    row = np.minimum(np.searchsorted(wanted, met), len(wanted) - 1)
    hit = (wanted[row] == met) & (met >= 0)
    if not hit.any():
        return
    span = int(age_days.max()) + 1
    pairs = np.unique(row[hit] * span + age_days[hit])
    of_item, days = np.divmod(pairs, span)
    for column, fade in ITEM_FADES.items():
        found = np.bincount(of_item, weights=np.exp(-days / fade), minlength=len(wanted))
        context[:, column] = np.log1p(found)[place]
