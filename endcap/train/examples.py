"""A log as questions: the history strictly before an instant, and everything that is asked at it.

Three kinds of question, one shape. A *next* question stands at the instant of a group of events and
asks for the group's items. A *page* question stands at a page view and asks what came of every
shown slot. A *snapshot* stands right after a group, or at a random instant before the next one, and
asks when sampled items will be bought, and without an item what the shopper will do. Where pages
show ads, some page views ask as well when items will be bought, and name one ad of the page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.features import DAY_US, CounterHistory, ItemColumns, context_of
from endcap.schema import (
    NO_CAMPAIGN,
    NO_ITEM,
    Action,
    Dataset,
    Events,
    Histories,
    Split,
    shown_by_user,
)
from endcap.train.sampling import PairSampler, Sample

NEXT_WEIGHT = np.zeros(256, dtype=np.float32)
NEXT_WEIGHT[[Action.VIEW, Action.CLICK, Action.RATING]] = 1.0
NEXT_WEIGHT[Action.OWN :] = 1.0
NEXT_WEIGHT[[Action.ADD_TO_CART, Action.FAVORITE]] = 2.0
NEXT_WEIGHT[Action.PURCHASE] = 4.0
"""How much an event of each kind counts as a "next item" (model.md R4)."""


MAX_SNAPSHOTS, MAX_BESIDE_PAGES = 24_000, 8_000
"""About so many snapshots are asked of a log, fewer of one that tells of pages as well; more would
outweigh the other questions' time."""

MAX_AD_PAGES = 4_000
"""About so many page views of a log with ads ask of purchases; a choice."""


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Candidates of many questions, flat: question k owns rows `offsets[k]:offsets[k+1]`."""

    offsets: NDArray[np.int64]
    item: NDArray[np.int32]
    campaign: NDArray[np.int32]
    placement: NDArray[np.uint8]
    slot: NDArray[np.uint8]
    context: NDArray[np.float32]
    impression: NDArray[np.int64]
    """Row of `Dataset.impressions`; -1 for a sampled pair."""
    log_offset: NDArray[np.float32]
    """log(chance that a buyer was sampled / chance that a non-buyer was); 0 for impressions."""


def of_pair(candidates: Candidates) -> NDArray[np.bool_]:
    """Tell which candidates are sampled items of a snapshot."""
    return (candidates.impression < 0) & (candidates.item >= 0)


def of_shopper(candidates: Candidates) -> NDArray[np.bool_]:
    """Tell which candidates stand for the shopper of a snapshot, without an item."""
    return (candidates.impression < 0) & (candidates.item < 0)


@dataclass(frozen=True, kw_only=True)
class Examples:
    """All questions of a log, sorted by user."""

    user: NDArray[np.int32]
    at_us: NDArray[np.int64]
    visible: NDArray[np.int64]
    """One past the last event, in `histories.events`, that the question may read."""
    device: NDArray[np.uint8]
    split: NDArray[np.uint8]
    ad_item: NDArray[np.int32]
    """Item of an ad that stood on the page, of questions that name one; -1 for none."""
    ad_campaign: NDArray[np.int32]
    next_offsets: NDArray[np.int64]
    next_item: NDArray[np.int32]
    next_action: NDArray[np.uint8]
    next_weight: NDArray[np.float32]
    candidates: Candidates

    def __len__(self) -> int:
        return len(self.user)


@dataclass(frozen=True, kw_only=True)
class _Question:
    user: int
    at_us: int
    visible: int
    split: int
    device: int = 0
    shown_rows: NDArray[np.int64] | None = None
    sample: Sample | None = None
    ad_item: int = NO_ITEM
    ad_campaign: int = NO_CAMPAIGN


def make_examples(
    dataset: Dataset,
    counters: CounterHistory,
    columns: ItemColumns,
    *,
    ask_later: bool,
    seed: int = 0,
) -> Examples:
    """Turn a log into questions; every question reads events strictly before its instant.

    Args:
        ask_later: whether snapshots are wanted (the log has a clock, and tasks of later days).
    """
    pages = _pages_by_user(dataset)
    others: list[_Question] = []
    share = _snapshot_share(dataset) if ask_later else 0.0
    sampler = PairSampler(dataset) if share > 0 else None
    ad_share = _ad_share(dataset) if sampler is not None and sampler.asks_pairs else 0.0
    nexts, instants = _next_questions(dataset)
    for user in range(dataset.histories.num_users) if sampler is not None else sorted(pages):
        if user in pages:
            others.extend(_page_questions(dataset, user, pages[user]))
        if sampler is not None and ad_share > 0:
            others.extend(_beside_ads(dataset, sampler, seed, user, pages.get(user, ()), ad_share))
        if sampler is not None and _asks_snapshot(seed, user, int(instants[user]), share):
            others.extend(_sampled(dataset, sampler, seed, user, share))
    return _lay_out(dataset, nexts, others, counters, columns)


def _asks_snapshot(seed: int, user: int, instants: int, share: float) -> bool:
    """Tell whether one of a user's snapshots may be asked; most users of a large log have none.

    `_sampled` draws once per instant, then once per snapshot, of which there are two at most.
    """
    if instants == 0 or share >= 1.0:
        return instants > 0
    draws = np.random.default_rng([seed, user]).random(3 * instants)
    return bool(draws[instants:].min() < share)


def _sampled(
    dataset: Dataset, sampler: PairSampler, seed: int, user: int, share: float
) -> Iterator[_Question]:
    # A stream per user: what one shopper does later moves nobody else's sample.
    random = np.random.default_rng([seed, user])
    for at_us, visible, split in _snapshots(dataset, user, random):
        if random.random() >= share:
            continue
        sample = sampler.sample(random, user, at_us, visible, split)
        if sample is not None:
            yield _Question(user=user, at_us=at_us, visible=visible, split=split, sample=sample)


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


def _beside_ads(
    dataset: Dataset,
    sampler: PairSampler,
    seed: int,
    user: int,
    pages: Sequence[NDArray[np.int64]],
    share: float,
) -> Iterator[_Question]:
    random = np.random.default_rng([seed, user, 1])
    for rows in pages:
        if random.random() < share:
            yield from _beside_ad(dataset, user, rows, sampler, random)


def _beside_ad(
    dataset: Dataset,
    user: int,
    rows: NDArray[np.int64],
    sampler: PairSampler,
    random: np.random.Generator,
) -> list[_Question]:
    """Ask at a page view when items will be bought, beside one of its ads, or beside none."""
    (page,) = _page_questions(dataset, user, [rows])
    shown = dataset.impressions[rows]
    ads = shown[(shown["campaign"] >= 0) & (shown["item"] >= 0)]
    item, campaign = NO_ITEM, NO_CAMPAIGN
    if len(ads):
        one = ads[random.integers(len(ads))]
        item, campaign = int(one["item"]), int(one["campaign"])
    sample = sampler.beside_ad(random, user, page.at_us, page.visible, page.split, item)
    if sample is None:
        return []
    return [replace(page, shown_rows=None, sample=sample, ad_item=item, ad_campaign=campaign)]


def _pages_by_user(dataset: Dataset) -> dict[int, list[NDArray[np.int64]]]:
    """Group impressions into pages: same user, instant and decision."""
    shown = dataset.impressions
    order = np.lexsort((shown["decision"], shown["timestamp_us"], shown["user"]))
    ordered = shown[order]
    keys = ("user", "timestamp_us", "decision")
    changes = np.zeros(len(order), dtype=np.bool_)
    for key in keys:
        changes[1:] |= ordered[key][1:] != ordered[key][:-1]
    pages: dict[int, list[NDArray[np.int64]]] = {}
    for rows in np.split(order, np.flatnonzero(changes)):
        if len(rows):
            pages.setdefault(int(shown["user"][rows[0]]), []).append(rows)
    return pages


@dataclass(frozen=True, kw_only=True)
class _Nexts:
    """All next questions, by user and time: question k asks for the events `rows[offsets[k]:]`."""

    user: NDArray[np.int32]
    at_us: NDArray[np.int64]
    visible: NDArray[np.int64]
    split: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    rows: NDArray[np.int64]


def _next_questions(dataset: Dataset) -> tuple[_Nexts, NDArray[np.int64]]:
    """Ask for the items of every instant but a user's first; return also each user's instants."""
    histories, events = dataset.histories, dataset.histories.events
    at_us, user = events["timestamp_us"], histories.user_of_event()
    instant = at_us // dataset.shop.resolution_us
    is_first = np.ones(len(events), dtype=np.bool_)
    is_first[1:] = (instant[1:] != instant[:-1]) | (user[1:] != user[:-1])
    firsts = np.flatnonzero(is_first)
    of_event = np.cumsum(is_first) - 1
    has_past = firsts > histories.offsets[user[firsts]]
    counts = (NEXT_WEIGHT[events["action"]] > 0) & (events["item"] >= 0)
    rows = np.flatnonzero(counts & has_past[of_event])
    group = of_event[rows]
    starts = np.flatnonzero(np.append(True, group[1:] != group[:-1])) if len(rows) else _NONE
    first = firsts[group[starts]]
    nexts = _Nexts(
        user=user[first],
        at_us=at_us[first],
        visible=first,
        split=dataset.event_split[rows[starts]],
        offsets=np.append(starts, len(rows)),
        rows=rows,
    )
    return nexts, np.bincount(user[firsts], minlength=histories.num_users)


def _page_questions(dataset: Dataset, user: int, pages: list[NDArray[np.int64]]) -> list[_Question]:
    start = int(dataset.histories.offsets[user])
    instants = dataset.histories.of(user)["timestamp_us"] // dataset.shop.resolution_us
    questions = []
    for rows in pages:
        shown = dataset.impressions[rows[0]]
        at_us = int(shown["timestamp_us"])
        before = np.searchsorted(instants, at_us // dataset.shop.resolution_us, side="left")
        questions.append(
            _Question(
                user=user,
                at_us=at_us,
                visible=start + int(before),
                split=int(dataset.impression_split[rows[0]]),
                device=int(shown["device"]),
                shown_rows=rows,
            )
        )
    return questions


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


def _lay_out(
    dataset: Dataset,
    nexts: _Nexts,
    others: list[_Question],
    counters: CounterHistory,
    columns: ItemColumns,
) -> Examples:
    """Put all questions side by side: each user's next questions, then the others."""
    users = np.array([q.user for q in others], dtype=np.int32)
    kind = np.repeat([0, 1], [len(nexts.user), len(others)])
    order = np.lexsort((kind, np.concatenate([nexts.user, users])))

    def column(of_nexts: NDArray[Any], name: str) -> NDArray[Any]:
        of_others = np.array([getattr(q, name) for q in others], dtype=of_nexts.dtype)
        together: NDArray[Any] = np.concatenate([of_nexts, of_others])[order]
        return together

    events, candidates = (
        dataset.histories.events,
        _lay_out_candidates(dataset, others, counters, columns),
    )
    none = np.full(len(nexts.user), -1, dtype=np.int32)
    next_counts = np.append(np.diff(nexts.offsets), np.zeros(len(others), dtype=np.int64))
    asked = np.zeros(len(nexts.user), dtype=np.int64)
    counts = np.concatenate([asked, np.diff(candidates.offsets)])
    return Examples(
        user=column(nexts.user, "user"),
        at_us=column(nexts.at_us, "at_us"),
        visible=column(nexts.visible, "visible"),
        device=column(np.zeros(len(nexts.user), dtype=np.uint8), "device"),
        split=column(nexts.split, "split"),
        ad_item=column(none, "ad_item"),
        ad_campaign=column(none, "ad_campaign"),
        next_offsets=_offsets(next_counts[order]),
        next_item=events["item"][nexts.rows],
        next_action=events["action"][nexts.rows],
        next_weight=NEXT_WEIGHT[events["action"][nexts.rows]],
        candidates=replace(candidates, offsets=_offsets(counts[order])),
    )


_NONE = np.zeros(0, dtype=np.int64)


def known_before(
    dataset: Dataset, shown_to: Histories, user: int, visible: int, at_us: int
) -> tuple[Events, Events]:
    """Return what a request would find: events up to `visible`, and what was shown before."""
    start = dataset.histories.offsets[user]
    shown = shown_to.of(user)
    group_us = group_start(dataset, at_us)
    shown = shown[: np.searchsorted(shown["timestamp_us"], group_us, side="left")]
    return dataset.histories.events[start:visible], shown[shown["item"] >= 0]


def group_start(dataset: Dataset, at_us: int) -> int:
    """Return the first microsecond of an instant at the log's resolution."""
    return at_us // dataset.shop.resolution_us * dataset.shop.resolution_us


def _offsets(lengths: list[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _lay_out_candidates(
    dataset: Dataset,
    questions: list[_Question],
    counters: CounterHistory,
    columns: ItemColumns,
) -> Candidates:
    shown, shown_to = dataset.impressions, shown_by_user(dataset)
    items, shown_rows, offsets, contexts = [], [], [], []
    for q in questions:
        if q.shown_rows is not None:
            item, rows = shown["item"][q.shown_rows], q.shown_rows
            log_offset = np.zeros(len(rows), dtype=np.float32)
        elif q.sample is not None:
            item, log_offset = q.sample.item, q.sample.log_offset
            rows = np.full(len(item), -1, dtype=np.int64)
        else:
            item, rows = np.zeros(0, dtype=np.int32), _NONE
            log_offset = np.zeros(0, dtype=np.float32)
        items.append(item)
        shown_rows.append(rows)
        offsets.append(log_offset)
        if len(item):
            did, seen = known_before(dataset, shown_to, q.user, q.visible, q.at_us)
            contexts.append(
                context_of(
                    did,
                    seen,
                    q.at_us,
                    item,
                    columns,
                    counters.as_of(q.at_us // DAY_US),
                    has_clock=dataset.shop.has_clock,
                    fresh=counters.fresh(item, group_start(dataset, q.at_us)),
                    totals=counters.totals(q.at_us // DAY_US),
                )
            )
    impression = np.concatenate([_NONE, *shown_rows])
    is_shown = impression >= 0
    row = np.where(is_shown, impression, 0)

    def column(name: str, absent: int) -> NDArray[np.int64]:
        if len(shown) == 0:
            return np.full(len(impression), absent, dtype=np.int64)
        return np.where(is_shown, shown[name][row], absent).astype(np.int64)

    width = contexts[0].shape[1] if contexts else 0
    return Candidates(
        offsets=_offsets([len(item) for item in items]),
        item=np.concatenate([np.zeros(0, dtype=np.int32), *items]),
        campaign=column("campaign", -1).astype(np.int32),
        placement=column("placement", 0).astype(np.uint8),
        slot=column("slot", 255).astype(np.uint8),
        context=np.concatenate([np.zeros((0, width), dtype=np.float32), *contexts]),
        impression=impression,
        log_offset=np.concatenate([np.zeros(0, dtype=np.float32), *offsets]),
    )
