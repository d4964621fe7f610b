"""What all shoppers did with each item, as of the start of a day, online and offline."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from endcap.features.clock import DAY_US
from endcap.schema import NUM_OWN, Action, Dataset
from endcap.schema.long_array import LongArray

HALF_LIFE_DAYS = 14.0

IN_MEMORY_BYTES = 256 * 2**20
"""The counters of a log's days lie in a mapped file where they take more."""


class CounterColumn(IntEnum):
    """Columns of the counters."""

    IMPRESSIONS = 0
    CLICKS = 1
    CARTS = 2
    PURCHASES = 3
    VIEWS = 4


NUM_COUNTERS = len(CounterColumn)


class FreshColumn(IntEnum):
    """Further columns where a log tells how long what was shown held shoppers; never late."""

    SHOWN = 5
    CLICKS = 6
    TIMED = 7  # shown slots whose dwell is told
    LOG_DWELL = 8  # sum of log(1 + seconds)


NUM_FRESH = len(FreshColumn)

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

    Fresh columns are seen at once: a feed's new items are told by their first minutes.
    """

    def __init__(self, num_items: int, *, with_fresh: bool = False) -> None:
        width = NUM_COUNTERS + NUM_FRESH * with_fresh
        self._settled = np.zeros((num_items, width), dtype=np.float32)
        self._today = np.zeros((num_items, width), dtype=np.float32)
        self._day: int | None = None

    @property
    def num_items(self) -> int:
        """Count the rows."""
        return len(self._settled)

    @property
    def has_fresh(self) -> bool:
        """Whether what happens today is counted for today as well."""
        return self._settled.shape[1] > NUM_COUNTERS

    def grow(self, num_items: int) -> None:
        """Make room for items appended to the catalogue."""
        extra = num_items - self.num_items
        if extra > 0:
            zeros = np.zeros((extra, self._settled.shape[1]), dtype=np.float32)
            self._settled = np.concatenate([self._settled, zeros])
            self._today = np.concatenate([self._today, zeros])

    def observe(
        self,
        day: int,
        item_rows: NDArray[np.int32],
        column: int,
        amount: float | NDArray[np.float64] = 1.0,
    ) -> None:
        """Count events of one kind; days since 1970 (`timestamp_us // DAY_US`)."""
        self._roll(day)
        counts = self._settled if column >= NUM_COUNTERS else self._today
        if len(item_rows) == 1 and isinstance(amount, float):  # as an event of a live shop counts
            if item_rows[0] >= 0:
                counts[item_rows[0], column] += amount
            return
        known = item_rows >= 0
        amounts = np.broadcast_to(amount, known.shape)[known]
        np.add.at(counts[:, column], item_rows[known], amounts)

    def as_of(self, day: int) -> NDArray[np.float32]:
        """Return the decayed counts of all days strictly before `day`, [V, N]; do not change it.

        Fresh columns hold today's counts so far as well.
        """
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
        counters = cls(len(settled), with_fresh=settled.shape[1] > NUM_COUNTERS)
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
    """The counters of every day of a log, for training rows; those of many items lie on disk."""

    def __init__(self, dataset: Dataset) -> None:
        days, items, columns = _counted(dataset)
        self._first = int(days[0]) if len(days) else 0
        counters = Counters(dataset.catalogue.num_items, with_fresh=dataset.shop.times_shown)
        self._fresh = FreshHistory(dataset) if counters.has_fresh else None
        last = int(days[-1]) if len(days) else 0
        edges = np.searchsorted(days, np.arange(self._first, last + 2))
        shape = (last + 1 - self._first, *counters.as_of(self._first).shape)
        size = int(np.prod(shape))
        snapshots = LongArray(size, np.float32, on_disk=size * 4 > IN_MEMORY_BYTES)
        for offset, day in enumerate(range(self._first, last + 1)):
            snapshots.append(counters.as_of(day).ravel())
            if self._fresh is not None:
                self._fresh.observe(counters, day)
            chosen = slice(edges[offset], edges[offset + 1])
            for column in np.unique(columns[chosen]):
                of_kind = items[chosen][columns[chosen] == column]
                counters.observe(day, of_kind, int(column))
        self._totals: dict[int, NDArray[np.float64]] = {}
        self._snapshots: NDArray[np.float32] = snapshots.array().reshape(shape)
        self.final = counters

    def as_of(self, day: int) -> NDArray[np.float32]:
        """Return the snapshot of a day of the log (days after its end are the last day's)."""
        index = min(max(day - self._first, 0), len(self._snapshots) - 1)
        snapshot: NDArray[np.float32] = self._snapshots[index]
        return snapshot

    def totals(self, day: int) -> NDArray[np.float64]:
        """Return the sum of a day's snapshot over all items, added up once."""
        index = min(max(day - self._first, 0), len(self._snapshots) - 1)
        if index not in self._totals:
            self._totals[index] = self._snapshots[index].sum(axis=0, dtype=np.float64)
        return self._totals[index]

    def fresh(self, item: NDArray[np.int32], at_us: int) -> NDArray[np.float32] | None:
        """Return what a request reads in the fresh columns of some items, [C, 4]; None without."""
        if self._fresh is None:
            return None
        before = self.as_of(at_us // DAY_US)[item, NUM_COUNTERS:]
        out: NDArray[np.float32] = before + self._fresh.today(item, at_us)
        return out


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


class FreshHistory:
    """What fresh columns count, by item and time, so that any instant of a day can be asked.

    A dwell is counted when it is over: a request of that instant could not know it earlier.
    """

    def __init__(self, dataset: Dataset) -> None:
        shown, events = dataset.impressions, dataset.histories.events
        clicks = events[(events["action"] == Action.CLICK) & (events["item"] >= 0)]
        shown = shown[shown["item"] >= 0]
        timed = shown[shown["dwell_ms"] >= 0]
        over_us = timed["timestamp_us"] + timed["dwell_ms"].astype(np.int64) * 1_000
        parts = (
            (FreshColumn.SHOWN, shown["item"], shown["timestamp_us"], np.ones(len(shown))),
            (FreshColumn.CLICKS, clicks["item"], clicks["timestamp_us"], np.ones(len(clicks))),
            (FreshColumn.TIMED, timed["item"], over_us, np.ones(len(timed))),
            (FreshColumn.LOG_DWELL, timed["item"], over_us, log_seconds(timed["dwell_ms"])),
        )
        item = np.concatenate([of_item for _, of_item, _, _ in parts]).astype(np.int64)
        at_us = np.concatenate([instant for _, _, instant, _ in parts])
        self._times, rank = np.unique(at_us, return_inverse=True)
        keys = item * (len(self._times) + 1) + rank
        order = np.argsort(keys, kind="stable")
        self._keys, self._item, self._day = keys[order], item[order], at_us[order] // DAY_US
        amounts = np.zeros((len(keys), NUM_FRESH))
        columns = np.repeat([column - NUM_COUNTERS for column, *_ in parts],
                            [len(amount) for *_, amount in parts])  # fmt: skip
        amounts[np.arange(len(keys)), columns] = np.concatenate([amount for *_, amount in parts])
        self._amounts = amounts[order]
        self._sums = np.concatenate([np.zeros((1, NUM_FRESH)), np.cumsum(self._amounts, axis=0)])

    def observe(self, counters: Counters, day: int) -> None:
        """Count a whole day."""
        rows = np.flatnonzero(self._day == day)
        for column in FreshColumn:
            amounts = self._amounts[rows, column - NUM_COUNTERS]
            counters.observe(day, self._item[rows].astype(np.int32), int(column), amounts)

    def today(self, item: NDArray[np.int32], at_us: int) -> NDArray[np.float32]:
        """Return what came of items since midnight, strictly before an instant, [C, 4]."""
        since, until = np.searchsorted(self._times, [at_us // DAY_US * DAY_US, at_us], side="left")
        first = item.astype(np.int64) * (len(self._times) + 1)
        start, end = np.searchsorted(self._keys, [first + since, first + until], side="left")
        out: NDArray[np.float32] = (self._sums[end] - self._sums[start]).astype(np.float32)
        return out


def log_seconds(dwell_ms: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return log(1 + seconds)."""
    out: NDArray[np.float64] = np.log1p(dwell_ms / 1_000.0)
    return out
