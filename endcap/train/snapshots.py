"""Questions that are asked on top of a log's rows: when items will be bought, at sampled instants.

They stand right after a group of events, at instants drawn evenly from the time since a shopper's
first event, and, where pages show ads, at some page views. No later event may move the chance that
an instant is drawn: an instant between each event and the next one, say, would stand before a soon
return more often than before a late one, and every chance would come out too high.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from endcap.schema import NO_CAMPAIGN, NO_ITEM, Dataset, Split
from endcap.train.questions import Question, page_questions
from endcap.train.sampling import PairSampler, firsts_us

MAX_SNAPSHOTS, MAX_BESIDE_PAGES = 10_000, 8_000
"""About so many snapshots are asked of a log, fewer of one that tells of pages as well; more would
outweigh the other questions' time."""

HELD_OUT = 0.3
"""The same of validation and of test days, as a share of that. They are few days of many shoppers:
at the rate of training days 53 returns of 643 snapshots chose a slope of .60."""

MAX_AD_PAGES = 4_000
"""About so many page views of a log with ads ask of purchases; a choice."""


class SnapshotAsker:
    """Asks a share of a log's instants, and of its page views with ads, of purchases."""

    def __init__(self, dataset: Dataset, seed: int) -> None:
        self._dataset, self._seed = dataset, seed
        self._sampler = PairSampler(dataset)
        self._shares, self._rates = _shares_and_rates(dataset)
        self._largest_share = float(self._shares.max())
        self._ad_share = _ad_share(dataset) if self._sampler.asks_pairs else 0.0

    def of_instants(self, user: int, instants: int) -> Iterator[Question]:
        """Ask after a user's instants, of which the log has so many."""
        if self._asks(user, instants):
            yield from self._sampled(user)

    def _asks(self, user: int, instants: int) -> bool:
        """Tell whether one of a user's snapshots may be asked; most of a large log's have none.

        `_sampled` draws the instants, then once per snapshot.
        """
        if instants == 0 or self._largest_share >= 1.0:
            return instants > 0
        draws = np.random.default_rng([self._seed, user]).random(instants + len(self._drawn(user)))
        return bool(draws.min() < self._largest_share)

    def _drawn(self, user: int) -> NDArray[np.int64]:
        """Draw instants evenly from the time since a user's first event, so many per time.

        Split by split: how far a later one reaches moves nothing of an earlier one.
        """
        random = np.random.default_rng([self._seed, user, 2])
        histories, begin_us, drawn = self._dataset.histories, 0, []
        first_us = int(histories.events["timestamp_us"][histories.offsets[user]])
        for split in Split:
            begin_us, end_us = max(begin_us, first_us), self._dataset.end_of(split)
            count = int(self._rates[split] * max(end_us - begin_us, 0) + random.random())
            drawn.append(begin_us + random.random(count) * (end_us - begin_us))
            begin_us = end_us
        return np.concatenate(drawn).astype(np.int64)

    def _sampled(self, user: int) -> Iterator[Question]:
        # A stream per user: what one shopper does later moves nobody else's sample.
        random = np.random.default_rng([self._seed, user])
        for at_us, visible, split in _snapshots(self._dataset, user, self._drawn(user)):
            if random.random() >= self._shares[split]:
                continue
            sample = self._sampler.sample(random, user, at_us, visible, split)
            for part in sample.parts() if sample is not None else ():
                yield Question(user=user, at_us=at_us, visible=visible, split=split, sample=part)

    def beside_ads(self, user: int, pages: Sequence[NDArray[np.int64]]) -> Iterator[Question]:
        """Ask at some of a user's page views when items will be bought, an ad being there."""
        random = np.random.default_rng([self._seed, user, 1])
        for rows in pages if self._ad_share > 0 else ():
            if random.random() < self._ad_share:
                yield from self._beside_ad(user, rows, random)

    def _beside_ad(
        self, user: int, rows: NDArray[np.int64], random: np.random.Generator
    ) -> Iterator[Question]:
        """Ask at a page view when items will be bought, beside one of its ads, or beside none."""
        (page,) = page_questions(self._dataset, user, [rows])
        shown = self._dataset.impressions[rows]
        ads = shown[(shown["campaign"] >= 0) & (shown["item"] >= 0)]
        item, campaign = NO_ITEM, NO_CAMPAIGN
        if len(ads):
            one = ads[random.integers(len(ads))]
            item, campaign = int(one["item"]), int(one["campaign"])
        sample = self._sampler.beside_ad(random, user, page.at_us, page.visible, page.split, item)
        for part in sample.parts() if sample is not None else ():
            yield replace(page, shown_rows=None, sample=part, ad_item=item, ad_campaign=campaign)


def _shares_and_rates(dataset: Dataset) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, of each split, the share of snapshots that are asked, and instants drawn per us.

    As many are drawn as there are groups; on held-out days, of few groups, one for each shopper.
    """
    most = MAX_BESIDE_PAGES if len(dataset.impressions) else MAX_SNAPSHOTS
    of_kind = np.array([1.0, HELD_OUT, HELD_OUT]) * most / 2
    groups, begun_us = _count_groups(dataset), firsts_us(dataset)
    shoppers = (begun_us < dataset.train_end_us).sum()
    ends = [np.maximum(dataset.end_of(split) - begun_us, 0).sum(dtype=float) for split in Split]
    spans_us = np.diff(ends, prepend=0.0)
    shares = np.minimum(1.0, of_kind / np.maximum(groups, 1))
    wanted = np.maximum(groups * shares, np.minimum(shoppers, of_kind))
    return shares, wanted / shares / np.maximum(spans_us, 1.0)


def _ad_share(dataset: Dataset) -> float:
    """Return the share of page views that ask of purchases; none where no page shows an ad."""
    shown = dataset.impressions[dataset.impression_split == Split.TRAIN]
    if not (shown["campaign"] >= 0).any():
        return 0.0
    pages = np.unique(shown[["user", "timestamp_us", "decision"]])
    return min(1.0, MAX_AD_PAGES / len(pages))


def _count_groups(dataset: Dataset) -> NDArray[np.int64]:
    """Count the groups of events of each split, each a shopper's of one instant."""
    at_us, user = dataset.histories.events["timestamp_us"], dataset.histories.user_of_event()
    instant = at_us // dataset.shop.resolution_us
    starts = np.ones(len(at_us), dtype=np.bool_)
    starts[1:] = (user[1:] != user[:-1]) | (instant[1:] != instant[:-1])
    return np.bincount(dataset.event_split[starts], minlength=len(Split))


def _snapshots(
    dataset: Dataset, user: int, drawn_us: NDArray[np.int64]
) -> list[tuple[int, int, int]]:
    """Return (instant, visible, split) right after each group and at some drawn instants, in order.

    An instant is asked at its end, when all that happened in it is known, as a request would be: in
    a log of days, the evening of the group's day.
    """
    start, resolution_us = int(dataset.histories.offsets[user]), dataset.shop.resolution_us
    instants = dataset.histories.of(user)["timestamp_us"] // resolution_us
    ends = np.flatnonzero(np.append(instants[1:] != instants[:-1], True))
    asked = np.sort(np.concatenate([instants[ends], drawn_us // resolution_us]))
    visible = np.searchsorted(instants, asked, side="right")
    return [
        (int(at) * resolution_us + resolution_us - 1, start + int(end), int(split))
        for at, end, split in zip(asked, visible, _splits(dataset, asked), strict=True)
    ]


def _splits(dataset: Dataset, instants: NDArray[np.int64]) -> NDArray[np.int64]:
    """Tell the split that each instant begins in."""
    cuts = dataset.train_end_us, dataset.validation_end_us
    begins = instants * dataset.shop.resolution_us
    found: NDArray[np.int64] = np.searchsorted(cuts, begins, side="right")
    return found
