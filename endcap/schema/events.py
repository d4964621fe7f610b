"""Events as bytes: one dtype for a training row, a stored history and a request's history."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any

import numpy as np
from numpy.typing import NDArray

NO_ITEM = -1
NO_CAMPAIGN = -1
NO_SLOT = 255
UNKNOWN = -1  # dwell_ms and price_micros that the log does not tell

EVENT = np.dtype(
    [
        ("timestamp_us", "<i8"),  # UTC, microseconds
        ("price_micros", "<i8"),  # what the shopper saw or paid; -1 unknown
        ("item", "<i4"),  # row of the catalogue; -1 for an event without an item
        ("campaign", "<i4"),  # row of the campaigns; -1 for a product
        ("dwell_ms", "<i4"),  # -1 unknown
        ("action", "u1"),
        ("placement", "u1"),
        ("slot", "u1"),  # counted from 0 inside a placement; 255 unknown
        ("flags", "u1"),
    ]
)
"""One event, 32 bytes. Rows of one user are sorted by `timestamp_us`, ties in arrival order."""

IMPRESSION = np.dtype(
    [
        ("timestamp_us", "<i8"),
        ("decision", "<i8"),  # row of the decision (page) in its log; -1 when the log has none
        ("user", "<i4"),
        ("item", "<i4"),
        ("campaign", "<i4"),
        ("propensity", "<f4"),  # chance with which the policy chose it here; nan unknown
        ("placement", "u1"),
        ("slot", "u1"),
        ("device", "u1"),
        ("flags", "u1"),
        ("dwell_ms", "<i4"),  # how long it held the shopper, clicked or not; -1 unknown
    ]
)
"""One shown slot, 40 bytes: what a decision put where, and how long it held the shopper."""

Events = NDArray[np.void]
"""A structured array of dtype `EVENT`."""

Impressions = NDArray[np.void]
"""A structured array of dtype `IMPRESSION`."""


class Action(IntEnum):
    """The kinds of event that Endcap knows; 0 is padding, a shop's own kinds start at `OWN`."""

    PADDING = 0
    IMPRESSION = 1
    VIEW = 2
    CLICK = 3
    ADD_TO_CART = 4
    REMOVE_FROM_CART = 5
    FAVORITE = 6
    PURCHASE = 7
    REFUND = 8
    RATING = 9
    NOT_INTERESTED = 10
    SEARCH = 11
    OWN = 12

    @classmethod
    def of(cls, event_type: str) -> "Action":
        """Name the action of an event type; what is not ours is the shop's own."""
        known = cls.__members__.get(event_type.upper(), cls.OWN)
        return cls.OWN if known is cls.PADDING else known


NUM_OWN = 8
"""Own event types that may have a number of their own: those that tasks ask for."""

NUM_ACTIONS = len(Action) + NUM_OWN


class Flag(IntFlag):
    """Bits of `EVENT.flags` and `IMPRESSION.flags`."""

    CENSORED = 1  # the dwell is at least this long: the tab was lost or the shopper went idle


class Device(IntEnum):
    """What the page was seen on; examination falls faster on a small screen."""

    UNKNOWN = 0
    DESKTOP = 1
    MOBILE = 2


@dataclass(frozen=True, kw_only=True)
class Histories:
    """Many users' events as one array and offsets.

    User row u owns `events[offsets[u] : offsets[u + 1]]`.
    """

    events: Events
    offsets: NDArray[np.int64]

    @property
    def num_users(self) -> int:
        """Count the users, those without events included."""
        return len(self.offsets) - 1

    def of(self, user: int) -> Events:
        """Return one user's events, oldest first (a view, not a copy)."""
        return self.events[self.offsets[user] : self.offsets[user + 1]]

    def user_of_event(self) -> NDArray[np.int32]:
        """Return the user row of every event."""
        users = np.arange(self.num_users, dtype=np.int32)
        return np.repeat(users, np.diff(self.offsets))


def empty_events(count: int = 0) -> Events:
    """Make `count` events with every optional field unknown, ready to be filled."""
    events: Events = np.zeros(count, dtype=EVENT)
    events["price_micros"] = UNKNOWN
    events["item"] = NO_ITEM
    events["campaign"] = NO_CAMPAIGN
    events["dwell_ms"] = UNKNOWN
    events["slot"] = NO_SLOT
    return events


def make_events(**columns: Any) -> Events:
    """Build events from columns of one length; what is not given is unknown.

    Example:
        make_events(timestamp_us=[0, 5], item=[3, 4], action=[Action.VIEW, Action.PURCHASE])
    """
    events = empty_events(len(next(iter(columns.values()))) if columns else 0)
    for name, values in columns.items():
        events[name] = values
    return events


def join_events(parts: Sequence[Events]) -> Events:
    """Put events one after the other; `np.concatenate` would compare their dtypes each time."""
    joined: Events = np.empty(sum(len(part) for part in parts), dtype=EVENT)
    start = 0
    for part in parts:
        joined[start : start + len(part)] = part
        start += len(part)
    return joined


def group_starts(timestamps_us: NDArray[np.int64], resolution_us: int) -> NDArray[np.int64]:
    """For each event of ONE user, sorted by time, find where its instant's group starts.

    Rows of one instant, at the log's resolution, form a group: what is asked at an event may read
    events before the group's start only (strictly before in time, not in index).

    Returns:
        int64 [T]: `starts[i]` is the number of events strictly before the instant of event i.
    """
    instants = timestamps_us // max(resolution_us, 1)
    return np.searchsorted(instants, instants, side="left").astype(np.int64)
