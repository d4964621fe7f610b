"""A log as questions: the history strictly before an instant, and everything that is asked at it.

Three kinds of question, one shape. A *next* question stands at the instant of a group of events and
asks for the group's items. A *page* question stands at a page view and asks what came of every
shown slot. A *snapshot* stands right after a group, or at a random instant before the next one, and
asks when sampled items will be bought, and without an item what the shopper will do. Where pages
show ads, some page views ask as well when items will be bought, and name one ad of the page.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.features import DAY_US, CounterHistory, ItemColumns, context_of
from endcap.schema import Dataset, Events, Histories, shown_by_user
from endcap.train.questions import (
    NEXT_WEIGHT,
    Nexts,
    Question,
    next_questions,
    page_questions,
    pages_by_user,
)
from endcap.train.snapshots import SnapshotAsker


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

    @property
    def question(self) -> NDArray[np.int64]:
        """Row of the question that each candidate belongs to."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))


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
    pages = pages_by_user(dataset)
    others: list[Question] = []
    asker = SnapshotAsker(dataset, seed) if ask_later else None
    nexts, instants = next_questions(dataset)
    for user in range(dataset.histories.num_users) if asker is not None else sorted(pages):
        if user in pages:
            others.extend(page_questions(dataset, user, pages[user]))
        if asker is not None:
            others.extend(asker.beside_ads(user, pages.get(user, ())))
            others.extend(asker.of_instants(user, int(instants[user])))
    return _lay_out(dataset, nexts, others, counters, columns)


def _lay_out(
    dataset: Dataset,
    nexts: Nexts,
    others: list[Question],
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


def _lay_out_candidates(
    dataset: Dataset, questions: list[Question], counters: CounterHistory, columns: ItemColumns
) -> Candidates:
    laid = [_asked_of(dataset, q) for q in questions]
    shown_to = shown_by_user(dataset)
    contexts = [
        _context(dataset, shown_to, q, item, counters, columns)
        for q, (item, _, _) in zip(questions, laid, strict=True)
        if len(item)
    ]
    items, rows, log_offsets = ([each[k] for each in laid] for k in range(3))
    impression = np.concatenate([_NO_ROWS, *rows])
    is_shown = impression >= 0
    row, shown = np.where(is_shown, impression, 0), dataset.impressions

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
        log_offset=np.concatenate([np.zeros(0, dtype=np.float32), *log_offsets]),
    )


_NO_ROWS = np.zeros(0, dtype=np.int64)


def _asked_of(
    dataset: Dataset, question: Question
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]]:
    """Return the items that a question asks about, their impressions' rows, and log offsets."""
    rows, sample = question.shown_rows, question.sample
    if rows is not None:
        return dataset.impressions["item"][rows], rows, np.zeros(len(rows), dtype=np.float32)
    if sample is not None:
        return sample.item, np.full(len(sample.item), -1, dtype=np.int64), sample.log_offset
    return np.zeros(0, dtype=np.int32), _NO_ROWS, np.zeros(0, dtype=np.float32)


def _context(
    dataset: Dataset,
    shown_to: Histories,
    question: Question,
    item: NDArray[np.int32],
    counters: CounterHistory,
    columns: ItemColumns,
) -> NDArray[np.float32]:
    at_us, day = question.at_us, question.at_us // DAY_US
    did, seen = known_before(dataset, shown_to, question.user, question.visible, at_us)
    return context_of(
        did,
        seen,
        at_us,
        item,
        columns,
        counters.as_of(day),
        zone=dataset.shop.clock_zone,
        fresh=counters.fresh(item, group_start(dataset, at_us)),
        totals=counters.totals(day),
    )


def _offsets(lengths: list[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
