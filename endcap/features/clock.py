"""Time as the model reads it: phases of the day and week, and gaps in log-spaced buckets."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from endcap.schema import NUM_DWELLS, NUM_GAPS

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
WEEK_US = 7 * DAY_US
MONDAY_US = 4 * DAY_US  # 1970-01-05, the first Monday


def local_us(timestamps_us: NDArray[np.int64], zone: ZoneInfo) -> NDArray[np.int64]:
    """Shift UTC instants to the wall clock of a zone; offsets are looked up once per hour."""
    if zone.key == "UTC" or len(timestamps_us) == 0:
        return timestamps_us
    hours, inverse = np.unique(timestamps_us // HOUR_US, return_inverse=True)
    offsets = np.array([_offset_us(int(hour), zone) for hour in hours], dtype=np.int64)
    return timestamps_us + offsets[inverse].reshape(timestamps_us.shape)


def _offset_us(hour: int, zone: ZoneInfo) -> int:
    instant = datetime.fromtimestamp(hour * 3600, tz=UTC).astimezone(zone)
    offset = instant.utcoffset()
    return 0 if offset is None else round(offset.total_seconds()) * 1_000_000


def phases(timestamps_us: NDArray[np.int64], zone: ZoneInfo) -> NDArray[np.float32]:
    """Return sine and cosine of the hour of day and of the weekday, [..., 4].

    The remainder is taken in whole microseconds first: float32 resolves epoch seconds to 128 s.
    """
    local = local_us(timestamps_us, zone)
    day = (local % DAY_US).astype(np.float64) * (2 * np.pi / DAY_US)
    week = ((local - MONDAY_US) % WEEK_US).astype(np.float64) * (2 * np.pi / WEEK_US)
    stacked = np.stack([np.sin(day), np.cos(day), np.sin(week), np.cos(week)], axis=-1)
    return stacked.astype(np.float32)


def gap_bucket(gap_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sort gaps into 32 buckets, each twice as long as the one before; bucket 1 ends at 1 s.

    Bucket 0 is "no earlier event" and stands for negative gaps.
    """
    seconds = np.maximum(gap_us, 0) / 1_000_000
    bucket = 1 + np.floor(np.log2(1.0 + seconds)).astype(np.int64)
    return np.where(gap_us < 0, 0, np.minimum(bucket, NUM_GAPS - 1))


def dwell_bucket(dwell_ms: NDArray[np.int32]) -> NDArray[np.int64]:
    """Sort dwell into 16 buckets doubling from 100 ms; 0 is unknown."""
    bucket = 1 + np.floor(np.log2(1.0 + np.maximum(dwell_ms, 0) / 100.0)).astype(np.int64)
    return np.where(dwell_ms < 0, 0, np.minimum(bucket, NUM_DWELLS - 1))


def delay_edges_hours(within_hours: float, num_bins: int) -> NDArray[np.float64]:
    """Return [num_bins + 1] edges of delays: 0, then log-spaced to the horizon.

    The first bin ends at an hour, or at an equal share of a horizon of few hours.
    """
    first = min(1.0, within_hours / num_bins)
    return np.concatenate([[0.0], np.geomspace(first, within_hours, num_bins)])
