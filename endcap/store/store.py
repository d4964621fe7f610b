"""All that must outlive a crash, in one file; what the engine reads of it is in memory."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from msgspec import structs
from sqlalchemy import Connection

from endcap.errors import StoreError
from endcap.schema import Decision, Taken
from endcap.store.counters import StoredCounters
from endcap.store.database import Database
from endcap.store.decisions import MAX_UNWRITTEN, StoredDecisions
from endcap.store.erasing import Erased, erase_person
from endcap.store.journal import StoredJournal
from endcap.store.keys import Keys
from endcap.store.shelves import StoredShelves, read_catalogue
from endcap.store.shoppers import StoredHistories, StoredShoppers, StoredSubjects
from endcap.store.start import Report, Start, begin, check_fits, read_meta, write_meta
from endcap.store.writer import Writer

WRITE_EVERY_S = 1.0
"""Histories, counters and stock are written behind so often; a restart replays what came since."""

CACHE_BYTES = 256 * 2**20
"""Histories in memory."""


class Changed(Protocol):
    """A part of the state on its way to the disk."""

    def write(self, connection: Connection) -> None:
        """Write it."""
        ...

    def done(self, *, is_written: bool) -> None:
        """Note that it is on disk, or is not."""
        ...


class Store:
    """A journal of events, written first, and the state that they made, written behind.

    Events are on disk before they change the state. What they change is written about once a
    second, together with the number of the last event in it; `replay` brings a state that was left
    behind up to the journal's end. One thread at a time, that of the engine, but for `Future`s.

    Args:
        url: `sqlite:///FILE`; the file is made where there is none.
        start: what a new store begins with, and what an old one must fit.

    Raises:
        StoreError: the file cannot be used, or the model does not fit it.
    """

    def __init__(
        self,
        url: str,
        start: Start,
        *,
        report: Report = lambda *_: None,
        cache_bytes: int = CACHE_BYTES,
        write_every_s: float = WRITE_EVERY_S,
    ) -> None:
        self._database = Database(url)
        self.path = self._database.path
        try:
            with self._database.writing.begin() as connection:
                told = read_meta(connection) or begin(connection, start, report)
                check_fits(self.path, told, start)
                self.catalogue = read_catalogue(connection, start.catalogue)
                self.counters = StoredCounters.read(connection, start.counters)
        except BaseException:
            self._database.close()
            raise
        self.secret, self.placements, self._meta = told.secret, told.placements, told
        self._open(cache_bytes)
        self._every_s, self._written_at = write_every_s, time.monotonic()
        self._is_closed = self._is_dirty = self._is_replayed = False
        self._idle = threading.Event()  # no state is on its way to the disk
        self._idle.set()

    def _open(self, cache_bytes: int) -> None:
        reading, told = self._database.reading, self._meta
        self._shoppers = StoredShoppers(reading, cache_bytes=cache_bytes)
        self.decisions = StoredDecisions(reading, position=told.decision)
        self._writer = Writer(self._database.writing, self.path)
        self.histories = StoredHistories(self._shoppers)
        self.subjects = StoredSubjects(self._shoppers)
        self.shelves = StoredShelves(
            self._writer, self.catalogue, before_put=lambda: self.flush().result()
        )
        self.keys = Keys(reading)
        self.journal = StoredJournal(self._writer, reading, self._shoppers, position=told.event)
        self.journal.on_change = self.decisions.on_change = self._note_change
        self._writer.first = [self._shoppers, self.decisions, self.journal]

    def replay(
        self, *, apply: Callable[[Taken], object], count_shown: Callable[[str, Decision], None]
    ) -> int:
        """Bring the state up to the journal's end, as a restart must; return how many events.

        Raises:
            StoreError: an engine stands on this store already.
        """
        if self._is_replayed:
            raise StoreError(f"An engine stands on the store {self.path}; close it, and open anew.")
        self._is_replayed = True
        for user_id, decision in self.decisions.rest():
            count_shown(user_id, decision)
        before = self.journal.position
        for taken in self.journal.rest():
            apply(taken)
        return self.journal.position - before

    def flush(self) -> "Future[None]":
        """Write what is not on disk; what comes meanwhile waits for the next time.

        One after the other: what a failed one took must be back before the next one takes.
        """
        self._idle.wait()
        self._idle.clear()
        changed: list[Changed] = [
            self._shoppers.changed(), self.counters.changed(), self.shelves.changed(),
        ]  # fmt: skip
        told = structs.replace(
            self._meta, event=self.journal.position, placements=list(self.placements)
        )
        newest = self.decisions.newest

        def write(connection: Connection) -> None:
            for each in changed:
                each.write(connection)
            number = self.decisions.number_of(connection, newest)
            write_meta(connection, structs.replace(told, decision=number))

        def done(future: "Future[None]") -> None:
            is_written = future.exception() is None
            self._is_dirty |= not is_written
            for each in changed:
                each.done(is_written=is_written)
            self._idle.set()

        self._written_at, self._is_dirty = time.monotonic(), False
        written = self._writer.submit(write)
        written.add_done_callback(done)
        return written

    @property
    def num_cached(self) -> int:
        """Count the shoppers in memory."""
        return self._shoppers.num_cached

    @property
    def num_waiting(self) -> int:
        """Count what waits for the next transaction."""
        return self._writer.num_waiting

    @property
    def num_unwritten(self) -> int:
        """Count the records that are not on disk."""
        return self.decisions.num_unwritten

    @property
    def trouble(self) -> str | None:
        """Why the last transaction failed; None when it did not."""
        return self._writer.trouble

    @property
    def has_trouble(self) -> bool:
        """Whether the state could not be written the last time."""
        return self.trouble is not None

    def settled(self) -> "Future[None]":
        """Return what is done once all records made so far are on disk."""
        return self._writer.submit(lambda _: None)

    def erase(self, user_id: str) -> Erased:
        """Forget a person, in memory and on disk; `checkpoint` empties the log beside the file.

        Events of theirs that were handed in before must have been applied (`settled`). Nothing else
        happens meanwhile, or a page of theirs could read them once more.
        """
        subject = self.subjects.known(user_id)
        self._shoppers.forget(user_id)
        if subject is not None:
            self.decisions.forget_inputs(subject)
        return self._writer.submit(lambda connection: erase_person(connection, user_id)).result()

    def checkpoint(self) -> None:
        """Move all that was committed into the file itself, and empty the log beside it.

        May be called from any thread, and may take seconds.

        Raises:
            StoreError: another process reads the file meanwhile.
        """
        self._database.checkpoint()

    def check_room(self) -> None:
        """Refuse further records while too many wait for a disk that does not take them.

        Raises:
            StoreError: they do.
        """
        if self.trouble is not None and self.decisions.num_unwritten > MAX_UNWRITTEN:
            raise StoreError(self.trouble)

    def must_wait(self, decision: Decision) -> bool:
        """Tell whether a page may be answered only once its record is on disk.

        Money and propensities rest on the record of a page with ads or exploration; any page waits
        when too many records do.
        """
        page = decision.page
        is_risky = decision.explore and max(page.temperature, page.epsilon) > 0
        has_ad = any(chosen.campaign_id is not None for chosen in decision.chosen)
        return has_ad or is_risky or self.decisions.num_unwritten > MAX_UNWRITTEN

    def close(self) -> None:
        """Write all that is not on disk, and let the file go."""
        if self._is_closed:
            return
        self._is_closed = True
        self.flush()
        self._writer.close()
        self._database.close()

    def tick(self) -> None:
        """Write behind if something changed and the last time is long enough ago."""
        if (self.trouble is None and not self._is_dirty) or not self._idle.is_set():
            return
        if time.monotonic() - self._written_at >= self._every_s:
            self.flush()

    def _note_change(self) -> None:
        self._is_dirty = True
        self.tick()
