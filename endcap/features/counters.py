"""What all shoppers did with each item, as of the start of a day, online and offline."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from endcap.features.clock import DAY_US
from endcap.schema import NUM_OWN, Action, Dataset

HALF_LIFE_DAYS = 14.0


class CounterColumn(IntEnum):
    """Columns of the counters."""

    IMPRESSIONS = 0
    CLICKS = 1
    CARTS = 2
    PURCHASES = 3
    VIEWS = 4


NUM_COUNTERS = len(CounterColumn)

COLUMN_OF_ACTION: dict[int, CounterColumn] = {
    Action.IMPRESSION: CounterColumn.IMPRESSIONS,
    Action.CLICK: CounterColumn.CLICKS,
    Action.ADD_TO_CART: CounterColumn.CARTS,
    Action.FAVORITE: CounterColumn.CARTS,
    Action.PURCHASE: CounterColumn.PURCHASES,
    Action.VIEW: CounterColumn.VIEWS,
    **{Action.OWN + k: CounterColumn.VIEWS for k in range(NUM_OWN + 1)},
}


class Counters:
    """Counts per item that halve in 14 days and change at midnight UTC only.

    A count of today is seen tomorrow, so nothing of an instant reaches its own prediction, and a
    training row reads what a request of that day read. Days must not run backwards.
    """

    def __init__(self, num_items: int) -> None:
        self._settled = np.zeros((num_items, NUM_COUNTERS), dtype=np.float32)
        self._today = np.zeros((num_items, NUM_COUNTERS), dtype=np.float32)
        self._day: int | None = None

    @property
    def num_items(self) -> int:
        """Count the rows."""
        return len(self._settled)

    def grow(self, num_items: int) -> None:
        """Make room for items appended to the catalogue."""
        extra = num_items - self.num_items
        if extra > 0:
            zeros = np.zeros((extra, NUM_COUNTERS), dtype=np.float32)
            self._settled = np.concatenate([self._settled, zeros])
            self._today = np.concatenate([self._today, zeros])

    def observe(
        self, day: int, item_rows: NDArray[np.int32], column: int, amount: float = 1.0
    ) -> None:
        """Count events of one kind; days since 1970 (`timestamp_us // DAY_US`)."""
        self._roll(day)
        np.add.at(self._today[:, column], item_rows[item_rows >= 0], amount)

    def as_of(self, day: int) -> NDArray[np.float32]:
        """Return the decayed counts of all days strictly before `day`, [V, N]; do not change it."""
        self._roll(day)
        return self._settled

    def state(self) -> tuple[NDArray[np.float32], NDArray[np.float32], int]:
        """Return what an artifact keeps: settled counts, today's counts, the day."""
        return self._settled, self._today, -1 if self._day is None else self._day

    @classmethod
    def restore(
        cls, settled: NDArray[np.float32], today: NDArray[np.float32], day: int
    ) -> "Counters":
        """Make counters from `state`."""
        counters = cls(len(settled))
        counters._settled, counters._today = settled.copy(), today.copy()
        counters._day = None if day < 0 else day
        return counters

    def _roll(self, day: int) -> None:
        if self._day is None:
            self._day = day
        days = day - self._day
        if days <= 0:
            return
        decay = np.float32(0.5 ** (1.0 / HALF_LIFE_DAYS))
        settled = (self._settled + self._today) * decay
        for _ in range(min(days - 1, 400)):
            settled = settled * decay
        self._settled = settled
        self._today = np.zeros_like(self._today)
        self._day = day


class CounterHistory:
    """The counters of every day of a log, for training rows."""

    def __init__(self, dataset: Dataset) -> None:
        days, items, columns = _counted(dataset)
        self._first = int(days[0]) if len(days) else 0
        counters = Counters(dataset.catalogue.num_items)
        self._snapshots: list[NDArray[np.float32]] = []
        last = int(days[-1]) if len(days) else 0
        edges = np.searchsorted(days, np.arange(self._first, last + 2))
        for offset, day in enumerate(range(self._first, last + 1)):
            self._snapshots.append(counters.as_of(day))
            chosen = slice(edges[offset], edges[offset + 1])
            for column in np.unique(columns[chosen]):
                of_kind = items[chosen][columns[chosen] == column]
                counters.observe(day, of_kind, int(column))
        self.final = counters

    def as_of(self, day: int) -> NDArray[np.float32]:
        """Return the snapshot of a day of the log (days after its end are the last day's)."""
        index = min(max(day - self._first, 0), len(self._snapshots) - 1)
        return self._snapshots[index]


def _counted(
    dataset: Dataset,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Return day, item and counter column of every event and impression that counts, by day."""
    events, shown = dataset.histories.events, dataset.impressions
    column_of = np.full(256, -1, dtype=np.int64)
    for action, column in COLUMN_OF_ACTION.items():
        column_of[action] = column
    days = np.concatenate([events["timestamp_us"], shown["timestamp_us"]]) // DAY_US
    items = np.concatenate([events["item"], shown["item"]])
    shown_column = np.full(len(shown), int(CounterColumn.IMPRESSIONS))
    columns = np.concatenate([column_of[events["action"]], shown_column])
    counted = np.flatnonzero((columns >= 0) & (items >= 0))
    order = counted[np.argsort(days[counted], kind="stable")]
    return days[order], items[order], columns[order]
