"""Logs written row by row, so that every number of a test can be worked out by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from endcap.schema import (
    DEFAULT_TASKS,
    IMPRESSION,
    Campaigns,
    Catalogue,
    Dataset,
    Histories,
    ShopConfig,
    make_events,
)
from endcap.schema.shop import LogConfig

DAY = 86_400_000_000


def write_log(
    rows,
    shown=(),
    *,
    num_items=6,
    cuts=(10 * DAY, 20 * DAY, 30 * DAY),
    resolution="second",
    tasks=DEFAULT_TASKS,
) -> Dataset:
    """Make a dataset of (user, at_us, item, action) and (user, at_us, item, slot) rows."""
    user, at, item, action = (np.array(c) for c in zip(*rows, strict=True)) if rows else [()] * 4
    order = np.lexsort((at, user)) if rows else np.zeros(0, dtype=np.int64)
    user = np.array(user, dtype=np.int64)[order]
    events = make_events(
        timestamp_us=np.array(at)[order], item=np.array(item)[order], action=np.array(action)[order]
    )
    impressions = np.zeros(len(shown), dtype=IMPRESSION)
    for row, (who, when, what, slot) in zip(impressions, shown, strict=True):
        row["user"], row["timestamp_us"], row["item"], row["slot"] = who, when, what, slot
        row["decision"], row["campaign"] = -1, -1
    num_users = int(max([*user, *impressions["user"], -1])) + 1
    return Dataset(
        shop=ShopConfig(log=LogConfig(resolution=resolution), tasks=tasks),
        user_ids=[f"u{k}" for k in range(num_users)],
        catalogue=Catalogue.of_ids([f"i{k}" for k in range(num_items)]),
        campaigns=Campaigns(),
        histories=Histories(
            events=events, offsets=np.searchsorted(user, np.arange(num_users + 1)).astype(np.int64)
        ),
        event_split=np.searchsorted(cuts[:2], events["timestamp_us"], side="right").astype("u1"),
        impressions=impressions,
        impression_split=np.searchsorted(
            cuts[:2], impressions["timestamp_us"], side="right"
        ).astype("u1"),
        event_decision=np.full(len(events), -1, dtype=np.int64),
        train_end_us=cuts[0],
        validation_end_us=cuts[1],
        end_us=cuts[2],
    )


@pytest.fixture
def make_log() -> Callable[..., Dataset]:
    return write_log


@pytest.fixture
def ask() -> Callable[..., tuple]:
    """Return a function from a dataset to its outcomes and examples."""
    from endcap.features import ContextScales, CounterHistory, ItemColumns
    from endcap.outcomes import join_outcomes
    from endcap.train.examples import make_examples

    def questions(dataset, *, ask_later=False, seed=0):
        outcomes = join_outcomes(dataset)
        columns = ItemColumns.of(dataset.catalogue, ContextScales())
        counters = CounterHistory(dataset)
        examples = make_examples(dataset, counters, columns, ask_later=ask_later, seed=seed)
        return outcomes, examples

    return questions
