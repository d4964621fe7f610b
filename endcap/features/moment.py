"""The moment at which a shopper is asked of: its clock, and how their visit goes on.

When, within the hour or the day, somebody comes back hangs on little else; days and counts of
`activity` cannot tell one minute of silence from ten.
"""

from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from endcap.features.clock import DAY_US, HOUR_US, phases
from endcap.schema import CLOCK_COLUMNS, Action, ContextColumn, Events

VISIT_US = HOUR_US // 2
"""Events of so long before the last one belong to its visit."""

LAST_ACTIONS = {
    ContextColumn.LAST_CLICK: [Action.CLICK],
    ContextColumn.LAST_CART: [Action.ADD_TO_CART, Action.FAVORITE],
    ContextColumn.LAST_PURCHASE: [Action.PURCHASE],
}


def tell_moment(context: NDArray[np.float32], history: Events, at_us: int, zone: ZoneInfo) -> None:
    """Fill the columns of the clock and of the shopper's last events.

    Args:
        history: the shopper's events strictly before `at_us`, oldest first, known items only.
    """
    context[:, CLOCK_COLUMNS] = phases(np.array([at_us], dtype=np.int64), zone)[0]
    if len(history) == 0:
        return
    times = history["timestamp_us"]
    since_us = max(at_us - int(times[-1]), 0)
    context[:, ContextColumn.SINCE_LAST] = 1 / (1 + since_us / DAY_US)
    context[:, ContextColumn.SECONDS_SINCE_LAST] = _log_seconds(since_us)
    if len(times) > 1:
        context[:, ContextColumn.LAST_GAP] = _log_seconds(int(times[-1] - times[-2]))
    visit = np.searchsorted(times, times[-1] - VISIT_US)
    context[:, ContextColumn.VISIT_EVENTS] = np.log1p(len(times) - visit)
    for column, actions in LAST_ACTIONS.items():
        context[:, column] = history["action"][-1] in actions


def _log_seconds(gap_us: int) -> float:
    """Return log1p of seconds over 5, of order one for minutes and for weeks."""
    return float(np.log1p(max(gap_us, 0) / 1e6) / 5)
