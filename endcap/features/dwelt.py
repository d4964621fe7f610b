"""How long items and a shopper's latest slots held shoppers, where a log tells it of all shown."""

import numpy as np
from numpy.typing import NDArray

from endcap.features.columns import DwellScales
from endcap.features.counters import NUM_COUNTERS, FreshColumn, log_seconds
from endcap.features.tastes import clicked_times
from endcap.schema import ContextColumn, Events

ITEM_PRIOR, SHOPPER_PRIOR = 1.0, 2.0
"""Slots of the usual dwell with which an item and a shopper start."""

_LAST_DWELLS = (
    (ContextColumn.LAST_DWELL, 1),
    (ContextColumn.LAST_3_DWELL, 3),
    (ContextColumn.LAST_10_DWELL, 10),
)
_LAST_CLICKS = ((ContextColumn.LAST_5_CLICKED, 5), (ContextColumn.LAST_20_CLICKED, 20))


def match_dwelt(
    context: NDArray[np.float32],
    history: Events,
    shown: Events,
    fresh: NDArray[np.float32],
    scales: DwellScales,
) -> None:
    """Fill the dwell columns of candidates.

    Args:
        fresh: [C, 4] the candidates' fresh counters, up to the instant.
    """
    _read_item(context, fresh, scales)
    timed = shown[shown["dwell_ms"] >= 0]
    if len(timed):
        dwell = (log_seconds(timed["dwell_ms"]) - scales.mean) / scales.scale
        context[:, ContextColumn.OWN_DWELL] = dwell.sum() / (len(dwell) + SHOPPER_PRIOR)
        for column, last in _LAST_DWELLS:
            context[:, column] = dwell[-last:].mean()
    times = clicked_times(history)
    for column, last in _LAST_CLICKS:
        latest = shown[-last:]
        if len(latest):
            clicks = np.count_nonzero(times >= latest["timestamp_us"][0])
            context[:, column] = min(clicks / len(latest), 1.0) - scales.click_rate


def _read_item(
    context: NDArray[np.float32], fresh: NDArray[np.float32], scales: DwellScales
) -> None:
    def of(column: FreshColumn) -> NDArray[np.float32]:
        return fresh[:, column - NUM_COUNTERS]

    shown, timed = of(FreshColumn.SHOWN), of(FreshColumn.TIMED)
    above = (of(FreshColumn.LOG_DWELL) - timed * scales.mean) / scales.scale
    context[:, ContextColumn.ITEM_DWELL] = above / (timed + ITEM_PRIOR)
    hits = of(FreshColumn.CLICKS) + ITEM_PRIOR * scales.click_rate
    rate = hits / (shown + ITEM_PRIOR) / scales.click_rate
    context[:, ContextColumn.ITEM_CLICKED] = np.clip(np.log(rate), -4, 4)
    context[:, ContextColumn.ITEM_TIMES] = np.log1p(shown)
