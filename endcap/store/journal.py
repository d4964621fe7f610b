"""The journal: every acknowledged event once, on disk before the acknowledgement."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future

import msgspec
from sqlalchemy import Connection, func, insert, select

from endcap.schema import ShopEvent, Taken
from endcap.store.database import Reading
from endcap.store.shoppers import StoredShoppers
from endcap.store.tables import journal, shopper, sql_of
from endcap.store.writer import MAX_JOBS, Writer

KEEP = sql_of(insert(journal))

Row = tuple[int, str, str, int, bytes]

CHUNK = 500
"""Keys that are looked up, and events that are read, at once."""


class Batch:
    """Events on their way to the disk, and who waits for them."""

    def __init__(self, subjects: list[str], events: Sequence[ShopEvent]) -> None:
        self.subjects, self.events = subjects, events
        self.keys = [event.key for event in events]
        self.future: Future[Taken] = Future()
        # It cannot be cancelled: what is on disk must be told to the state.
        self.future.set_running_or_notify_cancel()
        self.taken = Taken(events=[])

    def keep(self, known: set[str], number: int) -> list[Row]:
        """Return the rows of what is new, which follow a number; their keys are known then."""
        rows, new = [], []
        for key, subject, event in zip(self.keys, self.subjects, self.events, strict=True):
            if key not in known:
                known.add(key)
                number += 1
                line = msgspec.json.encode(msgspec.structs.replace(event, user_id=""))
                rows.append((number, key, subject, event.timestamp_us, line))
                new.append(event)
        self.taken = Taken(events=new, repeated=len(self.events) - len(new), upto=number)
        return rows


class StoredJournal:
    """Events by number, in the order in which they were taken."""

    def __init__(
        self, writer: Writer, reading: Reading, shoppers: StoredShoppers, *, position: int
    ) -> None:
        self._writer, self._reading, self._shoppers = writer, reading, shoppers
        self.position = position
        """The number of the last event that is part of the state."""
        self.on_change: Callable[[], None] = lambda: None
        [[newest]] = reading.rows(select(func.max(journal.c.number)))
        self._last = max(position, newest or 0)
        self._waiting: deque[Batch] = deque()
        self._writing: list[Batch] = []

    def submit(self, events: Sequence[ShopEvent]) -> "Future[Taken]":
        """Hand events in; the future is done when those that are new are on disk.

        Its error is a `StoreError` when they could not be written; none of them was kept.
        """
        batch = Batch([self._shoppers.find(event.user_id).subject for event in events], events)
        self._waiting.append(batch)
        self._writer.submit(lambda _: None)
        return batch.future

    def choose(self) -> None:
        """Choose the batches that wait."""
        self._writing = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_JOBS))]

    def write(self, connection: Connection) -> None:
        """Write the batches: one search for their keys, one insertion."""
        known = _known_keys(connection, [key for batch in self._writing for key in batch.keys])
        rows: list[Row] = []
        for batch in self._writing:
            rows += batch.keep(known, self._last + len(rows))
        if rows:
            connection.exec_driver_sql(KEEP, rows)

    def written(self) -> None:
        """Hand the batches on."""
        for batch in self._writing:
            self._last = batch.taken.upto
            batch.future.set_result(batch.taken)

    def failed(self, error: Exception) -> None:
        """Tell who waits."""
        for batch in self._writing:
            batch.future.set_exception(error)

    def take(self, events: Sequence[ShopEvent]) -> Taken:
        """Keep the events that are new; they are on disk when this returns.

        Raises:
            StoreError: they could not be written; none of them was kept.
        """
        return self.submit(events).result()

    def applied(self, taken: Taken) -> None:
        """Note that these events, and all taken before them, are part of the state."""
        self.position = max(self.position, taken.upto)
        self.on_change()

    def rest(self) -> Iterator[Taken]:
        """Yield the events that are on disk and not part of the state."""
        number = self.position
        wanted = (
            select(journal.c.number, journal.c.event, shopper.c.user_id)
            .join(shopper, shopper.c.subject == journal.c.subject)
            .order_by(journal.c.number)
            .limit(CHUNK)
        )
        while True:
            rows = self._reading.rows(wanted.where(journal.c.number > number))
            if not rows:
                return
            number = rows[-1].number
            yield Taken(events=[_decoded(row.event, row.user_id) for row in rows], upto=number)


def _known_keys(connection: Connection, keys: list[str]) -> set[str]:
    known: set[str] = set()
    for start in range(0, len(keys), CHUNK):
        wanted = select(journal.c.key).where(journal.c.key.in_(keys[start : start + CHUNK]))
        known.update(connection.scalars(wanted))
    return known


def _decoded(line: bytes, user_id: str) -> ShopEvent:
    return msgspec.structs.replace(msgspec.json.decode(line, type=ShopEvent), user_id=user_id)
