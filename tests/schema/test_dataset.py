"""A log as arrays: what a shopper was shown beside what they did."""

from dataclasses import replace

import numpy as np

from endcap.schema import (
    IMPRESSION,
    Action,
    Histories,
    Split,
    make_events,
    merged_histories,
    shown_by_user,
)


def two_shoppers(dataset):
    """User 0 clicks at 5 what was shown at 5 and at 2; user 1 was shown one ad at 1."""
    shown = np.zeros(3, dtype=IMPRESSION)
    shown["timestamp_us"], shown["user"], shown["item"] = [1, 2, 5], [1, 0, 0], [7, 8, 9]
    shown["campaign"], shown["slot"], shown["placement"] = [0, -1, -1], [4, 0, 1], [0, 0, 1]
    events = make_events(timestamp_us=[3, 5], item=[6, 9], action=[Action.VIEW, Action.CLICK])
    return replace(
        dataset,
        user_ids=["a", "b"],
        impressions=shown,
        histories=Histories(events=events, offsets=np.array([0, 2, 2])),
    )


def test_what_was_shown_becomes_events_by_user(dataset):
    shown = shown_by_user(two_shoppers(dataset))
    assert [shown.of(user)["item"].tolist() for user in range(2)] == [[8, 9], [7]]
    assert set(shown.events["action"]) == {Action.IMPRESSION}
    assert shown.of(1)[["campaign", "slot", "placement"]].tolist() == [(0, 4, 0)]


def test_at_one_instant_what_was_shown_comes_before_what_was_done(dataset):
    merged = merged_histories(two_shoppers(dataset))
    assert merged.of(0)["item"].tolist() == [8, 6, 9, 9]
    assert merged.of(0)["action"].tolist() == [1, 2, 1, 3]
    assert merged.of(1)["item"].tolist() == [7]


def test_a_split_ends_where_the_next_begins(dataset):
    assert [dataset.end_of(split) for split in Split] == [
        dataset.train_end_us,
        dataset.validation_end_us,
        dataset.end_us,
    ]
