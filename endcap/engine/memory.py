"""State in memory: the implementations for tests, notebooks and the simulated shop."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from endcap.engine.protocols import (
    DecisionLog,
    HistoryStore,
    ItemCounters,
    Journal,
    Ledger,
    Shelves,
    Subjects,
)
from endcap.features import MAX_EVENTS, MAX_SHOWN, with_events
from endcap.schema import (
    UNKNOWN,
    Catalogue,
    Decision,
    Events,
    Histories,
    ShopEvent,
    SubjectKeys,
    Taken,
    empty_events,
)


class MemoryHistories:
    """Histories in a dictionary, bounded per shopper: what was done and what was shown, apart."""

    def __init__(self, length: int = MAX_EVENTS, shown: int = MAX_SHOWN) -> None:
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
        if len(events) > 0:
            known = self.of(user_id)
            joined = with_events(known, events, length=self._length, shown=self._shown)
            self._events[user_id] = joined


class MemoryJournal:
    """The keys of events in a set; the events themselves are kept by nobody."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def take(self, events: Sequence[ShopEvent]) -> Taken:
        """Remember the events that are new."""
        new = []
        for event in events:
            key = event.key
            if key not in self._known:
                self._known.add(key)
                new.append(event)
        return Taken(events=new, repeated=len(events) - len(new), upto=len(self._known))

    def applied(self, taken: Taken) -> None:
        """Forget it: nothing is left to do after a restart that forgets all."""


class MemoryShelves:
    """The stock as an array."""

    def __init__(self) -> None:
        self.stock: NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def put(self, catalogue: Catalogue) -> None:
        """Take the catalogue as it is now, its stock included."""
        self.stock = catalogue.stock.copy()

    def sell(self, row: int, quantity: int) -> None:
        """Take a purchase out of the stock; an uncounted stock stays so."""
        if self.stock[row] != UNKNOWN:
            self.stock[row] = max(0, int(self.stock[row]) - quantity)


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
    """All that changes while a shop runs, but the campaigns; a store may stand behind it."""

    counters: ItemCounters
    journal: Journal = field(default_factory=MemoryJournal)
    histories: HistoryStore = field(default_factory=MemoryHistories)
    shelves: Shelves = field(default_factory=MemoryShelves)
    ledger: Ledger = field(default_factory=MemoryLedger)
    decisions: DecisionLog = field(default_factory=MemoryDecisions)
    subjects: Subjects = field(default_factory=SubjectKeys)
    placements: list[str] = field(default_factory=list)
    """Names by their number in `EVENT.placement`: the shop's first, new ones are appended."""
