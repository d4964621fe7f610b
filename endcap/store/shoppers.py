"""Shoppers behind a cache: who they are, their random key, their history."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice

import numpy as np
from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects.sqlite import insert

from endcap.features import MAX_EVENTS, MAX_SHOWN, with_events
from endcap.schema import EVENT, Events, empty_events
from endcap.store.database import Reading
from endcap.store.tables import shopper, sql_of

FIND = sql_of(
    select(shopper.c.subject, shopper.c.events).where(shopper.c.user_id == bindparam("user_id"))
)

ENTRY_BYTES = 600
"""What a shopper takes in memory beside the events, about."""


@dataclass
class Shopper:
    """A shopper in the cache."""

    subject: str
    events: Events
    saved: Events | None
    """The events on disk; None before the first time."""

    @property
    def num_bytes(self) -> int:
        """Tell what they take in memory."""
        return ENTRY_BYTES + self.events.nbytes


class StoredShoppers:
    """Everyone who ever came; in memory are those of late, up to so many bytes.

    Those whose history is not on disk yet stay in memory whatever the bound.
    """

    def __init__(self, reading: Reading, *, cache_bytes: int) -> None:
        self._reading, self._bound = reading, cache_bytes
        self._cache: OrderedDict[str, Shopper] = OrderedDict()
        self._bytes = 0
        self._new: dict[str, str] = {}  # subject by user id, not on disk
        self._writing: list[tuple[str, str]] = []
        self._changed: set[str] = set()

    @property
    def num_cached(self) -> int:
        """Count the shoppers in memory."""
        return len(self._cache)

    def find(self, user_id: str) -> Shopper:
        """Return a shopper, made on first sight."""
        known = self._cache.get(user_id)
        if known is not None:
            self._cache.move_to_end(user_id)
            return known
        known = self._read(user_id)
        if known is None:
            known = Shopper(subject=secrets.token_hex(12), events=empty_events(), saved=None)
            self._new[user_id] = known.subject
            self._changed.add(user_id)
        self._evict()
        self._cache[user_id] = known
        self._bytes += known.num_bytes
        return known

    def known(self, user_id: str) -> Shopper | None:
        """Return a shopper who came before; None for a stranger, of whom nothing is kept."""
        return self._cache.get(user_id) or self._read(user_id)

    def add(self, user_id: str, events: Events) -> None:
        """Add events to a history."""
        if len(events) == 0:
            return
        known = self.find(user_id)
        before = known.num_bytes
        known.events = with_events(known.events, events, length=MAX_EVENTS, shown=MAX_SHOWN)
        self._bytes += known.num_bytes - before
        self._changed.add(user_id)

    def choose(self) -> None:
        """Choose those who are new."""
        self._writing = list(self._new.items())

    def forget(self, user_id: str) -> None:
        """Drop a shopper from memory; nothing of them is written any more."""
        known = self._cache.pop(user_id, None)
        self._bytes -= 0 if known is None else known.num_bytes
        self._new.pop(user_id, None)
        self._changed.discard(user_id)

    def write(self, connection: Connection) -> None:
        """Write the keys of those who are new: no record may stand on disk without its person."""
        rows = [
            {"user_id": user_id, "subject": subject, "events": b""}
            for user_id, subject in self._writing
        ]
        if rows:
            connection.execute(insert(shopper).on_conflict_do_nothing(), rows)

    def written(self) -> None:
        """Forget those whose keys are on disk."""
        for user_id, subject in self._writing:
            if self._new.get(user_id) == subject:  # else forgotten, and back as a stranger
                del self._new[user_id]

    def failed(self, error: Exception) -> None:
        """Leave those who are new for the next time."""

    def changed(self) -> "ChangedHistories":
        """Take the histories that are not on disk."""
        # Whoever was forgotten meanwhile is not there any more.
        taken = {u: self._cache[u] for u in self._changed if u in self._cache}
        self._changed.clear()
        return ChangedHistories(self, {u: (known, known.events) for u, known in taken.items()})

    def mark(self, user_ids: set[str]) -> None:
        """Note that histories are still not on disk."""
        self._changed |= user_ids

    def _read(self, user_id: str) -> Shopper | None:
        rows = self._reading.rows(FIND, (user_id,))
        if not rows:
            return None
        events: Events = np.frombuffer(rows[0].events, dtype=EVENT)
        return Shopper(subject=rows[0].subject, events=events, saved=events)

    def _evict(self) -> None:
        if self._bytes <= self._bound:
            return
        for user_id in list(islice(self._cache, 64)):  # the longest unseen; those not on disk stay
            known = self._cache[user_id]
            if known.saved is known.events:
                self._bytes -= known.num_bytes
                del self._cache[user_id]
            if self._bytes <= self._bound:
                return


@dataclass(frozen=True)
class ChangedHistories:
    """Histories on their way to the disk."""

    shoppers: StoredShoppers
    taken: dict[str, tuple[Shopper, Events]]

    def write(self, connection: Connection) -> None:
        """Write them."""
        rows = [
            {"user_id": user_id, "subject": known.subject, "events": events.tobytes()}
            for user_id, (known, events) in self.taken.items()
        ]
        if rows:
            put = insert(shopper)
            update = put.on_conflict_do_update(
                index_elements=["user_id"], set_={"events": put.excluded.events}
            )
            connection.execute(update, rows)

    def done(self, *, is_written: bool) -> None:
        """Note that they are on disk, or are not."""
        if not is_written:
            self.shoppers.mark(set(self.taken))
            return
        for known, events in self.taken.values():
            known.saved = events


class StoredHistories:
    """The shoppers as the engine reads their histories."""

    def __init__(self, shoppers: StoredShoppers) -> None:
        self._shoppers = shoppers

    def of(self, user_id: str) -> Events:
        """Return a shopper's events, oldest first; empty for a stranger. Do not change it."""
        return self._shoppers.find(user_id).events

    def append(self, user_id: str, events: Events) -> None:
        """Add events in any order of time."""
        self._shoppers.add(user_id, events)


class StoredSubjects:
    """The shoppers as the records name them."""

    def __init__(self, shoppers: StoredShoppers) -> None:
        self._shoppers = shoppers

    def of(self, user_id: str) -> str:
        """Return the user's key, made on first sight."""
        return self._shoppers.find(user_id).subject

    def known(self, user_id: str) -> str | None:
        """Return the key of a user who came before, None for a stranger."""
        known = self._shoppers.known(user_id)
        return None if known is None else known.subject
