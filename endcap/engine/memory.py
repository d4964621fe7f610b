"""State in memory: the implementations for tests, notebooks and the simulated shop."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from endcap.engine.protocols import DecisionLog, EventIds, HistoryStore, ItemCounters, Ledger
from endcap.features import MAX_EVENTS, MAX_SHOWN
from endcap.schema import Action, Decision, Events, Histories, SubjectKeys, empty_events

HISTORY_LENGTH = MAX_EVENTS
SHOWN_LENGTH = MAX_SHOWN
"""Events, and shown slots, that are kept of a shopper: the latest, all that a model reads."""


class MemoryHistories:
    """Histories in a dictionary, bounded per shopper: what was done and what was shown, apart."""

    def __init__(self, length: int = HISTORY_LENGTH, shown: int = SHOWN_LENGTH) -> None:
        self._length, self._shown = length, shown
        self._events: dict[str, Events] = {}

    @classmethod
    def of_log(cls, user_ids: Sequence[str], histories: Histories) -> "MemoryHistories":
        """Start from a log's histories; row u belongs to `user_ids[u]`."""
        store = cls()
        for row, user_id in enumerate(user_ids):
            store.append(user_id, histories.of(row))
        return store

    def of(self, user_id: str) -> Events:
        """Return a shopper's events, oldest first; empty for a stranger."""
        known = self._events.get(user_id)
        return empty_events() if known is None else known

    def append(self, user_id: str, events: Events) -> None:
        """Add events; ties keep their order of arrival, the oldest beyond the bound are dropped."""
        if len(events) == 0:
            return
        joined = np.concatenate([self.of(user_id), events])
        times = joined["timestamp_us"]
        if np.any(times[1:] < times[:-1]):
            joined = joined[np.argsort(times, kind="stable")]
        self._events[user_id] = self._bounded(joined)

    def _bounded(self, events: Events) -> Events:
        if len(events) <= min(self._length, self._shown):
            return events
        is_shown = events["action"] == Action.IMPRESSION
        shown, done = np.flatnonzero(is_shown), np.flatnonzero(~is_shown)
        kept = np.concatenate([shown[-self._shown :], done[-self._length :]])
        bounded: Events = events[np.sort(kept)]
        return bounded


class MemoryEventIds:
    """Keys in a set."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def add(self, event_id: str) -> bool:
        """Remember a key; False when it was known."""
        if event_id in self._known:
            return False
        self._known.add(event_id)
        return True


class MemoryLedger:
    """Spend by campaign and day; a budget is never exceeded and no token is charged twice."""

    def __init__(self) -> None:
        self._spent: dict[tuple[str, int], int] = {}
        self._tokens: set[str] = set()
        self.num_refused = 0
        """Clicks that a budget could not bear: served, and not charged."""
        self.refused_micros = 0

    def spent_micros(self, campaign_ids: Sequence[str], day: int) -> NDArray[np.int64]:
        """Return what each campaign spent on a day of the shop's zone."""
        spent = [self._spent.get((campaign_id, day), 0) for campaign_id in campaign_ids]
        return np.array(spent, dtype=np.int64)

    def charge(
        self, token: str, campaign_id: str, *, day: int, price_micros: int, budget_micros: int
    ) -> int | None:
        """Charge one click, once per token; 0 when refused, None when the token is known."""
        if token in self._tokens:
            return None
        self._tokens.add(token)
        spent = self._spent.get((campaign_id, day), 0)
        if spent + price_micros > budget_micros:
            self.num_refused += 1
            self.refused_micros += price_micros
            return 0
        self._spent[campaign_id, day] = spent + price_micros
        return price_micros


class MemoryDecisions:
    """Records in a dictionary, in order of arrival."""

    def __init__(self) -> None:
        self._records: dict[str, Decision] = {}

    def append(self, decision: Decision) -> None:
        """Keep a record."""
        self._records[decision.decision_id] = decision

    def get(self, decision_id: str) -> Decision | None:
        """Return a record, None when there is none."""
        return self._records.get(decision_id)

    def all(self) -> list[Decision]:
        """List the records, the oldest first."""
        return list(self._records.values())


@dataclass(frozen=True, kw_only=True)
class State:
    """All that changes while a shop runs, but the catalogue and the campaigns."""

    counters: ItemCounters
    histories: HistoryStore = field(default_factory=MemoryHistories)
    event_ids: EventIds = field(default_factory=MemoryEventIds)
    ledger: Ledger = field(default_factory=MemoryLedger)
    decisions: DecisionLog = field(default_factory=MemoryDecisions)
    subjects: SubjectKeys = field(default_factory=SubjectKeys)
