"""Small logs for the tests of this room."""

import numpy as np
import pytest

from endcap.evaluate import EventTable
from endcap.schema import (
    IMPRESSION,
    Action,
    Campaigns,
    Catalogue,
    Dataset,
    Histories,
    LogConfig,
    ShopConfig,
    Split,
    SplitConfig,
    make_events,
)

DAY_US = 86_400_000_000


def make_table(rows, *, num_users=3, num_items=4, today=10):
    """Make a table from (user, item, action, day) rows, in order."""
    user, item, action, day = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    order = np.lexsort((day, user))
    return EventTable(
        user=user[order],
        item=item[order],
        action=action[order],
        instant=day[order],
        day=day[order],
        today=today,
        num_users=num_users,
        num_items=num_items,
    )


def make_dataset(rows, *, num_items, train_end_day, validation_end_day, kind="time"):
    """Make a day-resolution dataset from (user, item, action, day) rows."""
    table = np.array(sorted(rows, key=lambda row: (row[0], row[3])), dtype=np.int64)
    user, item, action, day = table.T
    events = make_events(timestamp_us=day * DAY_US, item=item, action=action)
    num_users = int(user.max()) + 1
    if kind == "time":
        split = (day >= train_end_day).astype(np.uint8) + (day >= validation_end_day)
    else:
        left = np.searchsorted(user, user, side="right") - 1 - np.arange(len(user))
        split = np.select([left == 0, left == 1], [Split.TEST, Split.VALIDATION], Split.TRAIN)
    return Dataset(
        shop=ShopConfig(
            log=LogConfig(resolution="day" if kind == "time" else "order"),
            split=SplitConfig(kind=kind),
        ),
        user_ids=[f"u{row}" for row in range(num_users)],
        catalogue=Catalogue.of_ids([f"i{row}" for row in range(num_items)]),
        campaigns=Campaigns(),
        histories=Histories(events=events, offsets=np.searchsorted(user, np.arange(num_users + 1))),
        event_split=split.astype(np.uint8),
        impressions=np.zeros(0, dtype=IMPRESSION),
        impression_split=np.zeros(0, dtype=np.uint8),
        event_decision=np.full(len(events), -1),
        train_end_us=train_end_day * DAY_US,
        validation_end_us=validation_end_day * DAY_US,
        end_us=int(day.max() + 1) * DAY_US,
    )


def draw_rows(seed, *, num_users=40, num_items=30, num_events=600, days=40):
    """Draw events of shoppers who like a few items each."""
    rng = np.random.default_rng(seed)
    user = rng.integers(num_users, size=num_events)
    taste = rng.integers(num_items, size=(num_users, 5))
    item = np.where(
        rng.random(num_events) < 0.7,
        taste[user, rng.integers(5, size=num_events)],
        rng.integers(num_items, size=num_events),
    )
    action = rng.choice([Action.CLICK, Action.PURCHASE], p=[0.8, 0.2], size=num_events)
    day = rng.integers(days, size=num_events)
    return list(zip(user, item, action, day, strict=True))


@pytest.fixture
def event_table():
    return make_table


@pytest.fixture
def dataset_of():
    return make_dataset


@pytest.fixture
def random_rows():
    return draw_rows
