"""Item counters that know which rows are not on disk."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from endcap.features import Counters
from endcap.store.tables import counter


class StoredCounters:
    """Counters as the engine asks them, with the items touched since they were written."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._changed: set[int] = set()

    @classmethod
    def read(cls, connection: Connection, start: Counters) -> "StoredCounters":
        """Return a log's counters with the rows that came after it, all of one day."""
        rows = connection.execute(select(counter).order_by(counter.c.row)).all()
        if not rows:
            return cls(start)
        row, day = (np.array([getattr(r, name) for r in rows]) for name in ("row", "day"))
        newest = int(day.max())
        start.grow(int(row.max()) + 1)
        start.as_of(newest)
        settled, today, _ = start.state()
        width = settled.shape[1]
        counts = np.frombuffer(b"".join(r.counts for r in rows), dtype=np.float32)
        counts = counts.reshape(len(rows), 2, width)
        for of_day in np.unique(day):
            chosen = day == of_day
            old = Counters.restore(counts[chosen, 0], counts[chosen, 1], int(of_day))
            old.as_of(newest)
            settled[row[chosen]], today[row[chosen]], _ = old.state()
        return cls(start)

    def observe(
        self, day: int, item_rows: NDArray[np.int32], column: int, amount: float = 1.0
    ) -> None:
        """Count events of one kind on a UTC day."""
        self._counters.observe(day, item_rows, column, amount)
        self._changed.update(item_rows[item_rows >= 0].tolist())

    def as_of(self, day: int) -> NDArray[np.float32]:
        """Return the decayed counts of all days strictly before `day`, [V, N]."""
        return self._counters.as_of(day)

    def grow(self, num_items: int) -> None:
        """Make room for items appended to the catalogue."""
        self._counters.grow(num_items)

    def changed(self) -> "ChangedCounts":
        """Take the counts that are not on disk, as they are now."""
        rows = np.array(sorted(self._changed), dtype=np.int64)
        self._changed = set()
        settled, today, day = self._counters.state()
        return ChangedCounts(self, rows, np.stack([settled[rows], today[rows]], axis=1), day)

    def mark(self, rows: list[int]) -> None:
        """Note that rows are still not on disk."""
        self._changed.update(rows)


@dataclass(frozen=True)
class ChangedCounts:
    """Counts on their way to the disk."""

    counters: StoredCounters
    rows: NDArray[np.int64]
    counts: NDArray[np.float32]
    day: int

    def write(self, connection: Connection) -> None:
        """Write them."""
        put = insert(counter)
        update = put.on_conflict_do_update(
            index_elements=["row"],
            set_={"day": put.excluded.day, "counts": put.excluded.counts},
        )
        rows = [
            {"row": row, "day": self.day, "counts": counts.tobytes()}
            for row, counts in zip(self.rows.tolist(), self.counts, strict=True)
        ]
        if rows:
            connection.execute(update, rows)

    def done(self, *, is_written: bool) -> None:
        """Note that they are on disk, or are not."""
        if not is_written:
            self.counters.mark(self.rows.tolist())
