"""Questions that are asked on top of a log's rows: when items will be bought, at sampled instants.

They stand right after a group of events, at a random instant before the next one, and, where pages
show ads, at some page views.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from endcap.schema import NO_CAMPAIGN, NO_ITEM, Dataset, Split
from endcap.train.questions import Question, page_questions
from endcap.train.sampling import PairSampler

MAX_SNAPSHOTS, MAX_BESIDE_PAGES = 24_000, 8_000
"""About so many snapshots are asked of a log, fewer of one that tells of pages as well; more would
outweigh the other questions' time."""

MAX_AD_PAGES = 4_000
"""About so many page views of a log with ads ask of purchases; a choice."""


class SnapshotAsker:
    """Asks a share of a log's instants, and of its page views with ads, of purchases."""

    def __init__(self, dataset: Dataset, seed: int) -> None:
        self._dataset, self._seed = dataset, seed
        self._sampler = PairSampler(dataset)
        self._share = _snapshot_share(dataset)
        self._ad_share = _ad_share(dataset) if self._sampler.asks_pairs else 0.0

    def of_instants(self, user: int, instants: int) -> Iterator[Question]:
        """Ask after a user's instants, of which the log has so many."""
        if self._asks(user, instants):
            yield from self._sampled(user)

    def _asks(self, user: int, instants: int) -> bool:
        """Tell whether one of a user's snapshots may be asked; most of a large log's have none.

        `_sampled` draws once per instant, then once per snapshot, of which there are two at most.
        """
        if instants == 0 or self._share >= 1.0:
            return instants > 0
        draws = np.random.default_rng([self._seed, user]).random(3 * instants)
        return bool(draws[instants:].min() < self._share)

    def _sampled(self, user: int) -> Iterator[Question]:
        # A stream per user: what one shopper does later moves nobody else's sample.
        random = np.random.default_rng([self._seed, user])
        for at_us, visible, split in _snapshots(self._dataset, user, random):
            if random.random() >= self._share:
                continue
            sample = self._sampler.sample(random, user, at_us, visible, split)
            if sample is not None:
                yield Question(user=user, at_us=at_us, visible=visible, split=split, sample=sample)

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
        if sample is not None:
            yield replace(page, shown_rows=None, sample=sample, ad_item=item, ad_campaign=campaign)


def _snapshot_share(dataset: Dataset) -> float:
    """Return the share of snapshots that are asked, by the events of training days."""
    most = MAX_BESIDE_PAGES if len(dataset.impressions) else MAX_SNAPSHOTS
    count = int((dataset.event_split == Split.TRAIN).sum())
    return min(1.0, most / max(2 * count, 1))


def _ad_share(dataset: Dataset) -> float:
    """Return the share of page views that ask of purchases; none where no page shows an ad."""
    shown = dataset.impressions[dataset.impression_split == Split.TRAIN]
    if not (shown["campaign"] >= 0).any():
        return 0.0
    pages = np.unique(shown[["user", "timestamp_us", "decision"]])
    return min(1.0, MAX_AD_PAGES / len(pages))


def _snapshots(
    dataset: Dataset, user: int, random: np.random.Generator
) -> list[tuple[int, int, int]]:
    """Return (instant, visible, split) right after each group and once before the next group.

    An instant is asked at its end, when all that happened in it is known, as a request would be: in
    a log of days, the evening of the group's day.
    """
    start = int(dataset.histories.offsets[user])
    events = dataset.histories.of(user)
    if len(events) == 0:
        return []
    resolution = dataset.shop.resolution_us
    instants = events["timestamp_us"] // resolution
    ends = np.flatnonzero(np.append(instants[1:] != instants[:-1], True)) + 1
    found = []
    for end in ends:
        at_us = int(events["timestamp_us"][end - 1])
        until = int(events["timestamp_us"][end]) if end < len(events) else dataset.end_us
        until = min(until, dataset.end_of(_split_at(dataset, at_us)))
        found.append(_end_of_instant(at_us, resolution))
        later = at_us + int(random.random() * max(until - at_us, 0)) // resolution * resolution
        if later > at_us:
            found.append(_end_of_instant(later, resolution))
    visible = np.searchsorted(instants, np.array(found) // resolution, side="right")
    return [
        (at_us, start + int(end), int(_split_at(dataset, at_us)))
        for at_us, end in zip(found, visible, strict=True)
    ]


def _end_of_instant(at_us: int, resolution_us: int) -> int:
    return at_us // resolution_us * resolution_us + resolution_us - 1


def _split_at(dataset: Dataset, at_us: int) -> Split:
    if at_us < dataset.train_end_us:
        return Split.TRAIN
    return Split.VALIDATION if at_us < dataset.validation_end_us else Split.TEST
