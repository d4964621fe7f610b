"""A checked log as arrays: what `prep` hands on, and what `features` reads."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from endcap.schema.events import Action, Events, Histories, Impressions, empty_events
from endcap.schema.items import Campaigns, Catalogue
from endcap.schema.shop import ShopConfig


class Split(IntEnum):
    """Which days (or, leave-one-out, which places in the order) an event belongs to."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Everything a fit reads, by rows of users, items and campaigns.

    Item rows: every item of the log and of the catalogue. Nothing here is fitted; what is learned
    (counts, vocabularies, scales) is learned by `features` from rows of `Split.TRAIN` alone.
    """

    shop: ShopConfig
    user_ids: list[str]
    catalogue: Catalogue
    campaigns: Campaigns
    histories: Histories
    """All events but impressions, sorted by user, then time."""
    event_split: NDArray[np.uint8]
    """`Split` of every row of `histories.events`."""
    impressions: Impressions
    """What was shown, sorted by time; empty when the log does not tell."""
    impression_split: NDArray[np.uint8]
    event_decision: NDArray[np.int64]
    """For every event, the decision (page) it answered, as in `IMPRESSION.decision`; -1 none."""
    train_end_us: int
    """First instant of validation: labels of training questions are censored here."""
    validation_end_us: int
    """First instant of test."""
    end_us: int
    """One instant after the last event."""

    @property
    def is_by_time(self) -> bool:
        """Whether the last days are kept aside, and not the last events of each shopper."""
        return self.train_end_us < self.end_us

    def end_of(self, split: Split) -> int:
        """Return the instant at which labels of a split are censored."""
        return (self.train_end_us, self.validation_end_us, self.end_us)[split]


def shown_by_user(dataset: Dataset) -> Histories:
    """Return what every user was shown as events of action IMPRESSION, by user, then time."""
    shown = dataset.impressions
    order = np.lexsort((shown["timestamp_us"], shown["user"]))
    ordered = shown[order]
    events = empty_events(len(ordered))
    for name in ("timestamp_us", "item", "campaign", "dwell_ms", "placement", "slot", "flags"):
        events[name] = ordered[name]
    events["action"] = Action.IMPRESSION
    offsets = np.searchsorted(ordered["user"], np.arange(len(dataset.user_ids) + 1))
    return Histories(events=events, offsets=offsets.astype(np.int64))


def merged_histories(dataset: Dataset) -> Histories:
    """Return events and what was shown as one history per user, sorted by time.

    It is what an engine keeps of a shopper; at one instant, what was shown comes first.
    """
    shown = shown_by_user(dataset)
    users = np.concatenate([shown.user_of_event(), dataset.histories.user_of_event()])
    events: Events = np.concatenate([shown.events, dataset.histories.events])
    order = np.lexsort((events["timestamp_us"], users))
    offsets = np.searchsorted(users[order], np.arange(len(dataset.user_ids) + 1))
    return Histories(events=events[order], offsets=offsets.astype(np.int64))
