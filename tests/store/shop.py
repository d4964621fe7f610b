"""A small shop with a store behind it: what the tests of the store and its victim process share."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np

from endcap.engine import Engine, MemoryHistories, Settings, State
from endcap.features import Counters
from endcap.schema import (
    Action,
    Campaigns,
    Catalogue,
    Histories,
    PageConfig,
    Predictions,
    Question,
    ShopConfig,
    ShopEvent,
    SubjectKeys,
    make_events,
)
from endcap.store import Start, Store

DAY_US = 86_400_000_000
NOON_US = 20_000 * DAY_US + DAY_US // 2
NUM_ITEMS = 12
USERS = ["u0", "u1"]
SHOP = ShopConfig(placements=("home", "side"), page=PageConfig(temperature=0.3))


class LowRows:
    """Low rows are clicked more, and what a shopper met more still."""

    version = "low-1"

    def predict(self, question: Question) -> Predictions:
        met = np.isin(question.item, question.history["item"])
        clicks = question.counters[question.item, 1]
        q = 0.3 / (1 + question.item) + 0.1 * met + 0.001 * clicks
        return Predictions(q=q, dwell_ms=np.full(len(q), 9_000.0), buy=np.full(len(q), 0.1))

    def repeat(self, question: Question, context: Any) -> Predictions:
        raise NotImplementedError

    def retrieve(self, question: Question, limit: int) -> Any:
        return np.arange(limit, dtype=np.int32)

    def examination(self, placement: str, slots: int, device: int) -> Any:
        return 0.9 ** np.arange(slots)

    def learn_items(self, catalogue: Catalogue) -> None:
        pass

    def learn_campaigns(self, campaigns: Campaigns) -> None:
        pass


def catalogue() -> Catalogue:
    made = Catalogue.of_ids([f"i{row}" for row in range(NUM_ITEMS)])
    made.stock[:] = 50
    made.price_micros[:] = 10_000_000
    return made


def counters() -> Counters:
    made = Counters(NUM_ITEMS)
    made.observe(19_990, np.arange(NUM_ITEMS, dtype=np.int32), 1, 3.0)
    return made


def histories() -> Histories:
    """Of two shoppers: one met item 3 and 4, the other item 5."""
    times = NOON_US - DAY_US + np.array([0, 1, 2])
    events = make_events(timestamp_us=times, item=[3, 4, 5], action=[Action.VIEW] * 3)
    return Histories(events=events, offsets=np.array([0, 2, 3]))


def start(**changes: Any) -> Start:
    told: dict[str, Any] = {
        "user_ids": list(USERS),
        "histories": histories(),
        "counters": counters(),
        "catalogue": catalogue(),
        "campaigns": Campaigns(),
        "placements": ["home", "side"],
    }
    return Start(**(told | changes))


def engine_of(store: Store | None) -> Engine:
    """Make an engine upon a store and bring it up to date, or one in memory."""
    numbers = count()
    settings = Settings(clock=lambda: NOON_US, make_id=lambda: f"d{next(numbers)}")
    if store is None:
        state = State(
            counters=counters(),
            histories=MemoryHistories.of_log(USERS, histories()),
            subjects=SubjectKeys(),
        )
    else:
        state = State(
            counters=store.counters,
            journal=store.journal,
            histories=store.histories,
            shelves=store.shelves,
            decisions=store.decisions,
            subjects=store.subjects,
            placements=store.placements,
        )
    engine = Engine(
        LowRows(),
        shop=SHOP,
        catalogue=catalogue() if store is None else store.catalogue,
        campaigns=Campaigns(),
        state=state,
        secret=b"a secret of the tests" if store is None else store.secret,
        settings=settings,
    )
    if store is not None:
        store.replay(apply=engine.apply, count_shown=engine.count_shown)
    return engine


def views(first: int, number: int, *, users: int = 7, day: int = 20_000) -> list[ShopEvent]:
    """Make events with ids of their own; every fifth buys."""
    return [
        ShopEvent(
            user_id=f"u{k % users}",
            event_type="purchase" if k % 5 == 0 else "view",
            timestamp_us=day * DAY_US + DAY_US // 2 + k,
            item_id=f"i{k % NUM_ITEMS}",
            event_id=f"e{k}",
        )
        for k in range(first, first + number)
    ]


def endless(size: int = 3) -> Iterator[list[ShopEvent]]:
    """Yield batch after batch."""
    for batch in count():
        yield views(batch * size, size)
