"""The events that a baseline reads, as columns."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from endcap.schema import Action, Dataset, Split

DAY_US = 86_400_000_000

UNWANTED = (
    Action.PADDING,
    Action.IMPRESSION,
    Action.REMOVE_FROM_CART,
    Action.REFUND,
    Action.NOT_INTERESTED,
)
"""Kinds of event that do not say that a shopper wants the item."""

Numbers = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class EventTable:
    """Events that name an item, sorted by user, then time; ties in arrival order."""

    user: NDArray[np.int64]
    item: NDArray[np.int64]
    action: NDArray[np.int64]
    instant: NDArray[np.int64]
    """Number of the instant at the log's resolution: events of one instant have no order."""
    day: NDArray[np.int64]
    """Number of the UTC day; in a log without a clock, the instant."""
    today: int
    """The first day that is not over when the question is asked, so that ages start at 1."""
    num_users: int
    num_items: int

    @property
    def age(self) -> NDArray[np.int64]:
        """Days before `today`."""
        return self.today - self.day

    def where(self, mask: Numbers) -> "EventTable":
        """Keep some of the rows: a mask, or their numbers in the order wanted."""
        return EventTable(
            user=self.user[mask],
            item=self.item[mask],
            action=self.action[mask],
            instant=self.instant[mask],
            day=self.day[mask],
            today=self.today,
            num_users=self.num_users,
            num_items=self.num_items,
        )

    def latest(self, count: int) -> NDArray[np.int64]:
        """Return the rows of every user's last `count` events."""
        last = np.searchsorted(self.user, self.user, side="right") - 1
        return np.flatnonzero(last - np.arange(len(last)) < count)

    def distinct(self, *columns: Numbers) -> NDArray[np.int64]:
        """Return the first row of every distinct (user, item, ...columns)."""
        keys = np.stack([self.user, self.item, *columns])
        return np.sort(np.unique(keys, axis=1, return_index=True)[1])

    def matrix(
        self, values: Numbers | None = None, rows: NDArray[np.int64] | None = None
    ) -> sparse.csr_array:
        """Build users x items: the sum of `values` over `rows`, or 1 where there is an event."""
        at = self.distinct() if rows is None else rows
        data = np.ones(len(at)) if values is None else np.asarray(values, dtype=np.float64)
        shape = (self.num_users, self.num_items)
        return sparse.csr_array((data, (self.user[at], self.item[at])), shape=shape)

    def users_per_item(self) -> NDArray[np.int64]:
        """Count the distinct users of every item."""
        return np.bincount(self.item[self.distinct()], minlength=self.num_items).astype(np.int64)


def table_of(dataset: Dataset, *splits: Split, asked_at_us: int) -> EventTable:
    """Take the wanted events of some splits, as seen from an instant."""
    events = dataset.histories.events
    kept = np.isin(dataset.event_split, splits) & (events["item"] >= 0)
    kept &= ~np.isin(events["action"], UNWANTED)
    resolution_us, has_clock = dataset.shop.resolution_us, dataset.shop.has_clock
    instant = events["timestamp_us"][kept] // resolution_us
    return EventTable(
        user=dataset.histories.user_of_event()[kept].astype(np.int64),
        item=events["item"][kept].astype(np.int64),
        action=events["action"][kept].astype(np.int64),
        instant=instant,
        day=events["timestamp_us"][kept] // DAY_US if has_clock else instant,
        today=-(-asked_at_us // (DAY_US if has_clock else resolution_us)),
        num_users=dataset.histories.num_users,
        num_items=dataset.catalogue.num_items,
    )
