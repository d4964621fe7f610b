"""Which items a snapshot asks about: buyers' items all, others at a known rate, and no item once.

A sampled label stays calibrated because the rates go into the likelihood: with buyers kept at rate
a and the rest at rate b, the log-odds of "bought within the watched time" move by log(a / b),
exactly (case-control sampling, Prentice and Pyke 1979). The rates must hang on nothing that comes
later. Four of what is bought, say, would be a lower rate for a large basket, and so tell an item's
row that others were bought beside it: on Online Retail that said less than half of what came.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.features import HOUR_US
from endcap.schema import (
    NO_ITEM,
    Action,
    Dataset,
    Hazard,
    ShopConfig,
    Split,
    Task,
    is_of_shopper,
)

MEAN_BOUGHT = 4
"""About so many of the bought items are asked, where a snapshot's share is as large as usual."""

MAX_SEEN = 4
MAX_UNSEEN = 4
MOST_ASKED = 16
"""Items of a question at most; a snapshot that asks about more asks several."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The items that one snapshot asks about."""

    item: NDArray[np.int32]
    """Rows; -1 asks of the shopper without an item."""
    log_offset: NDArray[np.float32]

    def parts(self) -> Iterator["Sample"]:
        """Cut it into parts of a size, since a batch lays out as many items for all as for one."""
        for start in range(0, len(self.item), MOST_ASKED):
            part = slice(start, start + MOST_ASKED)
            yield Sample(item=self.item[part], log_offset=self.log_offset[part])


def pair_task(tasks: tuple[Task, ...]) -> Hazard | None:
    """Return the first task over all pairs; the rates are those of its event and horizon."""
    of_pairs = (t for t in tasks if isinstance(t, Hazard) and t.space == "all")
    return next((t for t in of_pairs if t.measures == "delay"), None)


def asks_shopper(shop: ShopConfig) -> bool:
    """Tell whether a task asks of a shopper without an item."""
    return any(is_of_shopper(task) for task in shop.tasks)


def met_items(dataset: Dataset) -> NDArray[np.int32]:
    """Return the rows of the items that training days met, sorted."""
    events = dataset.histories.events
    known = np.unique(events["item"][(dataset.event_split == 0) & (events["item"] >= 0)])
    return known.astype(np.int32)


def firsts_us(dataset: Dataset) -> NDArray[np.int64]:
    """Return when each shopper who has events had the first one."""
    offsets = dataset.histories.offsets
    return dataset.histories.events["timestamp_us"][offsets[:-1][np.diff(offsets) > 0]]


class PairSampler:
    """Chooses the items that snapshots ask about, among those that training days met."""

    def __init__(self, dataset: Dataset) -> None:
        task = pair_task(dataset.shop.tasks)
        events = dataset.histories.events
        self._dataset = dataset
        self.asks_pairs, self._asks_shopper = task is not None, asks_shopper(dataset.shop)
        self._horizon_us = int(task.within_hours * HOUR_US) if task else 0
        self._wanted = dataset.shop.action_of(task.event_type) if task else Action.PURCHASE
        self._known = met_items(dataset)
        # Columns side by side, since a snapshot reads a few rows of each.
        self._item, self._action, self._at_us = (
            np.ascontiguousarray(events[name]) for name in ("item", "action", "timestamp_us")
        )
        # One mark more than items, so that an event of no item (-1) reads a place of its own.
        self._is_known = np.zeros(dataset.catalogue.num_items + 1, dtype=np.bool_)
        self._is_known[self._known] = True
        self._marks = np.zeros(dataset.catalogue.num_items + 1, dtype=np.uint8)
        self._usual = self._usually_bought() if task else 0.0

    def sample(
        self, random: np.random.Generator, user: int, at_us: int, visible: int, split: int
    ) -> Sample | None:
        """Return what is asked of a user at an instant; None when nothing can be known."""
        last_us = self._dataset.end_of(Split(split)) - 1
        if last_us <= at_us or len(self._known) == 0:
            return None
        sample = self._pairs(random, user, at_us, visible, last_us) if self.asks_pairs else _EMPTY
        if not self._asks_shopper:
            return sample
        return Sample(
            item=np.append(np.int32(NO_ITEM), sample.item),
            log_offset=np.append(np.float32(0), sample.log_offset),
        )

    def beside_ad(
        self, random: np.random.Generator, user: int, at_us: int, visible: int, split: int, own: int
    ) -> Sample | None:
        """Return the items that a page view asks about, the ad's own always among them.

        Args:
            own: row of the item of an ad on the page; -1 for a page without one.
        """
        last_us = self._dataset.end_of(Split(split)) - 1
        if last_us <= at_us or len(self._known) == 0:
            return None
        sample = self._pairs(random, user, at_us, visible, last_us, own)
        if own < 0 or not self._is_known[own]:
            return sample
        # Asked whatever comes, bought or not: its labels need no offset.
        return Sample(
            item=np.append(sample.item, np.int32(own)),
            log_offset=np.append(sample.log_offset, np.float32(0)),
        )

    def _pairs(
        self,
        random: np.random.Generator,
        user: int,
        at_us: int,
        visible: int,
        last_us: int,
        apart: int = NO_ITEM,
    ) -> Sample:
        """Draw pairs at known rates; an item that is asked apart is not among them."""
        until = min(at_us + self._horizon_us, last_us)
        start, end = self._dataset.histories.offsets[user : user + 2]
        first, last = np.searchsorted(self._at_us[visible:end], (at_us, until), side="right")
        later = slice(visible + first, visible + last)
        bought, met = self._bought(later), self._met(self._item[start:visible])
        since = start + np.searchsorted(self._at_us[start:visible], at_us - self._horizon_us)
        before = len(self._bought(slice(since, visible)))
        bought_rate = min(1.0, MEAN_BOUGHT / max(before, self._usual, 1.0))
        if apart < 0:
            return _draw(bought, met, self._known, random, self._marks, bought_rate)
        bought, met = bought[bought != apart], met[met != apart]
        drawn = _draw(bought, met, self._known, random, self._marks, bought_rate)
        others = drawn.item != apart
        return Sample(item=drawn.item[others], log_offset=drawn.log_offset[others])

    def _usually_bought(self) -> float:
        """Return the items that a shopper buys within the horizon, on average of training days."""
        dataset = self._dataset
        firsts = firsts_us(dataset)
        firsts = firsts[firsts < dataset.train_end_us]
        watched_us = float((dataset.train_end_us - firsts).sum())
        ahead_us = min(self._horizon_us, watched_us / max(len(firsts), 1))
        row = (self._action == self._wanted) & (dataset.event_split == Split.TRAIN)
        user = dataset.histories.user_of_event()[row].astype(np.int64)
        since_us = self._at_us[row] - firsts.min(initial=dataset.train_end_us)
        period = since_us // max(self._horizon_us, 1)
        of_period = user * (period.max(initial=0) + 1) + period
        bought = np.unique(of_period * (dataset.catalogue.num_items + 1) + self._item[row])
        return float(len(bought) * ahead_us / max(watched_us, 1.0))

    def _bought(self, rows: slice) -> NDArray[np.int32]:
        return self._met(self._item[rows][self._action[rows] == self._wanted])

    def _met(self, item: NDArray[np.int32]) -> NDArray[np.int32]:
        return np.unique(item[self._is_known[item]])


_EMPTY = Sample(item=np.zeros(0, dtype=np.int32), log_offset=np.zeros(0, dtype=np.float32))

SEEN, BOUGHT = 1, 2


def _draw(
    bought: NDArray[np.int32],
    seen: NDArray[np.int32],
    known: NDArray[np.int32],
    random: np.random.Generator,
    marks: NDArray[np.uint8],
    bought_rate: float,
) -> Sample:
    """Draw a sample; `marks`, one per item, is zero before and after."""
    marks[seen] = SEEN
    marks[bought] |= BOUGHT
    draws = np.unique(known[random.integers(len(known), size=MAX_UNSEEN)])
    others = np.concatenate([_choose(seen, MAX_SEEN, random), draws[marks[draws] & SEEN == 0]])
    item = np.concatenate(
        [bought[random.random(len(bought)) < bought_rate], others[marks[others] & BOUGHT == 0]]
    )
    is_seen = (marks[item] & SEEN) > 0
    marks[seen] = marks[bought] = 0
    # Of the others, a choice that bought items took part in: none of them changes its rate.
    seen_rate = min(1.0, MAX_SEEN / max(len(seen), 1))
    unseen_rate = 1.0 - (1.0 - 1.0 / len(known)) ** MAX_UNSEEN
    rate = np.where(is_seen, seen_rate, unseen_rate)
    return Sample(
        item=item.astype(np.int32), log_offset=np.log(bought_rate / rate).astype(np.float32)
    )


def _choose(
    values: NDArray[np.int32], limit: int, random: np.random.Generator
) -> NDArray[np.int32]:
    if len(values) <= limit:
        return values
    return random.choice(values, size=limit, replace=False)
