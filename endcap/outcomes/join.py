"""Which event belongs to which shown slot, in which window, and censored when."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.schema import UNKNOWN, Action, Dataset, Events, Flag

CLICK_WINDOW_US = 30 * 60 * 1_000_000
"""Without decision ids, a click answers the latest showing of its item within half an hour."""

NEVER = -1


class NextEvent:
    """Answer "when did this user next do this with this item?" for many pairs at once.

    Args:
        user, item, timestamp_us: [N] the events in question, in any order.
    """

    def __init__(
        self,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        timestamp_us: NDArray[np.int64],
    ) -> None:
        self._width = int(item.max(initial=0)) + 1
        pair = user.astype(np.int64) * self._width + item
        self._pairs, pair_code = np.unique(pair, return_inverse=True)
        self._times, time_code = np.unique(timestamp_us, return_inverse=True)
        keys = pair_code.astype(np.int64) * (len(self._times) + 1) + time_code
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]

    def after(
        self,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        instant_us: NDArray[np.int64],
        *,
        strictly: bool = True,
    ) -> NDArray[np.int64]:
        """Return [M] the row of the first such event after each instant; -1 when there is none."""
        if len(self._keys) == 0:
            return np.full(len(user), NEVER, dtype=np.int64)
        pair = user.astype(np.int64) * self._width + item
        code = np.searchsorted(self._pairs, pair)
        inside = np.minimum(code, len(self._pairs) - 1)
        known = (self._pairs[inside] == pair) & (item < self._width) & (item >= 0)
        time_code = np.searchsorted(self._times, instant_us, side="right" if strictly else "left")
        wanted = inside.astype(np.int64) * (len(self._times) + 1) + time_code
        place = np.searchsorted(self._keys, wanted, side="left")
        found = self._keys[np.minimum(place, len(self._keys) - 1)]
        same = (place < len(self._keys)) & (found // (len(self._times) + 1) == inside) & known
        rows = self._order[np.minimum(place, len(self._order) - 1)]
        return np.where(same, rows, NEVER).astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """What came of each impression, [N] in the order of `Dataset.impressions`."""

    clicked: NDArray[np.bool_]
    click_us: NDArray[np.int64]
    """-1 when not clicked."""
    dwell_ms: NDArray[np.int64]
    """-1 unknown."""
    dwell_censored: NDArray[np.bool_]
    censored_us: NDArray[np.int64]
    """Until when the log was watched: labels that come later are not known."""


def join_outcomes(dataset: Dataset) -> Outcomes:
    """Join what was shown with what followed; each click counts for one impression at most.

    With decision ids a click belongs to the slot of its decision that showed its item; without
    them, to the latest showing of the item to the user within half an hour before.
    """
    shown = dataset.impressions
    events = dataset.histories.events
    user = dataset.histories.user_of_event()
    click_of = np.full(len(shown), NEVER, dtype=np.int64)
    clicks = np.flatnonzero(
        ((events["action"] == Action.CLICK) | (events["action"] == Action.VIEW))
        & (events["item"] >= 0)
    )
    by_decision = clicks[dataset.event_decision[clicks] >= 0]
    _join_by_decision(click_of, shown, events, by_decision, dataset.event_decision)
    _join_by_time(click_of, shown, events, user, clicks[dataset.event_decision[clicks] < 0])
    clicked = click_of >= 0
    row = np.where(clicked, click_of, 0)
    dwell = np.where(clicked, events["dwell_ms"][row], UNKNOWN) if len(events) else click_of
    flags = events["flags"][row] if len(events) else np.zeros(len(shown), dtype=np.uint8)
    ends = np.array([dataset.end_of(split) for split in (0, 1, 2)], dtype=np.int64)  # type: ignore[arg-type]
    return Outcomes(
        clicked=clicked,
        click_us=np.where(clicked, events["timestamp_us"][row], NEVER)
        if len(events)
        else click_of.copy(),
        dwell_ms=dwell.astype(np.int64),
        dwell_censored=clicked & ((flags & Flag.CENSORED) > 0),
        censored_us=ends[dataset.impression_split],
    )


def _join_by_decision(
    click_of: NDArray[np.int64],
    shown: NDArray[np.void],
    events: Events,
    clicks: NDArray[np.int64],
    event_decision: NDArray[np.int64],
) -> None:
    with_decision = np.flatnonzero(shown["decision"] >= 0)
    if len(with_decision) == 0 or len(clicks) == 0:
        return
    width = int(max(shown["item"].max(), events["item"].max())) + 1
    shown_key = shown["decision"][with_decision] * width + shown["item"][with_decision]
    click_key = event_decision[clicks] * width + events["item"][clicks]
    # The first click counts; a click event goes before a view of the same page.
    first = np.lexsort(
        (events["timestamp_us"][clicks], events["action"][clicks] != Action.CLICK, click_key)
    )
    keys, starts = np.unique(click_key[first], return_index=True)
    place = np.minimum(np.searchsorted(keys, shown_key), len(keys) - 1)
    hit = keys[place] == shown_key
    rows, of_click = with_decision[hit], clicks[first[starts[place[hit]]]]
    # An item that a page showed twice was clicked where the click says, else at its first place.
    elsewhere = shown["slot"][rows] != events["slot"][of_click]
    elsewhere |= shown["placement"][rows] != events["placement"][of_click]
    order = np.lexsort((elsewhere, of_click))
    once = order[np.unique(of_click[order], return_index=True)[1]]
    click_of[rows[once]] = of_click[once]


def _join_by_time(
    click_of: NDArray[np.int64],
    shown: NDArray[np.void],
    events: Events,
    user: NDArray[np.int32],
    clicks: NDArray[np.int64],
) -> None:
    without = np.flatnonzero(shown["decision"] < 0)
    if len(without) == 0 or len(clicks) == 0:
        return
    # The latest showing before a click is the next one in reversed time.
    reversed_time = NextEvent(
        shown["user"][without], shown["item"][without], -shown["timestamp_us"][without]
    )
    found = reversed_time.after(
        user[clicks], events["item"][clicks], -events["timestamp_us"][clicks], strictly=False
    )
    hit = found >= 0
    rows, of_click = without[found[hit]], clicks[hit]
    lag = events["timestamp_us"][of_click] - shown["timestamp_us"][rows]
    near = lag <= CLICK_WINDOW_US
    rows, of_click = rows[near][::-1], of_click[near][::-1]
    click_of[rows] = of_click  # the earliest click of a showing is written last and stays
