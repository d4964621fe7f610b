"""Events as the encoder reads them: one window of a shopper's past as columns."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from endcap.features.clock import dwell_bucket, gap_bucket, phases
from endcap.schema import NUM_PHASES, Action, Events, empty_events, join_events


@dataclass(frozen=True, kw_only=True)
class HistoryInputs:
    """Windows of events, padded on the right: arrays [B, T] (and `clock` [B, T, 4])."""

    item: NDArray[np.int64]
    """Catalogue row; -1 for padding and for events without an item."""
    action: NDArray[np.int64]
    """0 is padding."""
    gap: NDArray[np.int64]
    """Bucket of the time since the event before."""
    dwell: NDArray[np.int64]
    is_ad: NDArray[np.int64]
    clock: NDArray[np.float32]
    length: NDArray[np.int64]
    """[B] events in each window."""


def with_events(known: Events, new: Events, *, length: int, shown: int) -> Events:
    """Add events to a shopper's history; ties keep their order of arrival.

    Args:
        length: the latest events that are kept, all that a model reads of them;
        shown: and so many of the latest impressions.
    """
    joined = join_events([known, new])
    times = joined["timestamp_us"]
    if np.any(times[1:] < times[:-1]):
        joined = joined[np.argsort(times, kind="stable")]
    if len(joined) <= min(length, shown):
        return joined
    is_shown = joined["action"] == Action.IMPRESSION
    kept = np.concatenate([np.flatnonzero(is_shown)[-shown:], np.flatnonzero(~is_shown)[-length:]])
    bounded: Events = joined[np.sort(kept)]
    return bounded


def history_inputs(
    windows: list[Events], *, zone: ZoneInfo, has_clock: bool, pad_to: int = 0
) -> HistoryInputs:
    """Lay windows of events out as the encoder's arrays.

    The outcome and the dwell of an event are known after it, so they may stand in its own row here:
    a question reads rows strictly before its instant only.
    """
    length = np.array([len(window) for window in windows], dtype=np.int64)
    width = max(int(length.max(initial=0)), pad_to, 1)
    shape = (len(windows), width)
    item = np.full(shape, -1, dtype=np.int64)
    action, gap, dwell, is_ad = (np.zeros(shape, dtype=np.int64) for _ in range(4))
    clock = np.zeros((*shape, NUM_PHASES), dtype=np.float32)
    flat: Events = np.concatenate(windows) if windows else empty_events()
    if len(flat) == 0:
        return HistoryInputs(
            item=item, action=action, gap=gap, dwell=dwell, is_ad=is_ad, clock=clock, length=length
        )
    filled = np.arange(width) < length[:, None]
    item[filled] = flat["item"]
    action[filled] = flat["action"]
    dwell[filled] = dwell_bucket(flat["dwell_ms"])
    is_ad[filled] = flat["campaign"] >= 0
    if has_clock:
        gap[filled] = _gaps(flat["timestamp_us"], length)
        clock[filled] = phases(flat["timestamp_us"], zone)
    return HistoryInputs(
        item=item, action=action, gap=gap, dwell=dwell, is_ad=is_ad, clock=clock, length=length
    )


def _gaps(timestamps_us: NDArray[np.int64], length: NDArray[np.int64]) -> NDArray[np.int64]:
    since = np.diff(timestamps_us, prepend=timestamps_us[:1])
    firsts = (np.cumsum(length) - length)[length > 0]
    since[firsts] = -1
    return gap_bucket(since)
