"""The questions that a log's own rows ask: what comes next, and what came of a shown page."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.schema import NO_CAMPAIGN, NO_ITEM, Action, Dataset
from endcap.train.sampling import Sample

NEXT_WEIGHT = np.zeros(256, dtype=np.float32)
NEXT_WEIGHT[[Action.VIEW, Action.CLICK, Action.RATING]] = 1.0
NEXT_WEIGHT[Action.OWN :] = 1.0
NEXT_WEIGHT[[Action.ADD_TO_CART, Action.FAVORITE]] = 2.0
NEXT_WEIGHT[Action.PURCHASE] = 4.0
"""How much an event of each kind counts as a "next item" (model.md R4)."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question that is no next question: of a page, or of a snapshot."""

    user: int
    at_us: int
    visible: int
    split: int
    device: int = 0
    shown_rows: NDArray[np.int64] | None = None
    sample: Sample | None = None
    ad_item: int = NO_ITEM
    ad_campaign: int = NO_CAMPAIGN


@dataclass(frozen=True, kw_only=True)
class Nexts:
    """All next questions, by user and time: question k asks for the events `rows[offsets[k]:]`."""

    user: NDArray[np.int32]
    at_us: NDArray[np.int64]
    visible: NDArray[np.int64]
    split: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    rows: NDArray[np.int64]


def next_questions(dataset: Dataset) -> tuple[Nexts, NDArray[np.int64]]:
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
    starts = (
        np.flatnonzero(np.append(True, group[1:] != group[:-1]))
        if len(rows)
        else np.zeros(0, dtype=np.int64)
    )
    first = firsts[group[starts]]
    nexts = Nexts(
        user=user[first],
        at_us=at_us[first],
        visible=first,
        split=dataset.event_split[rows[starts]],
        offsets=np.append(starts, len(rows)),
        rows=rows,
    )
    return nexts, np.bincount(user[firsts], minlength=histories.num_users)


def pages_by_user(dataset: Dataset) -> dict[int, list[NDArray[np.int64]]]:
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


def page_questions(dataset: Dataset, user: int, pages: list[NDArray[np.int64]]) -> list[Question]:
    """Ask of every page view what came of its slots."""
    start = int(dataset.histories.offsets[user])
    instants = dataset.histories.of(user)["timestamp_us"] // dataset.shop.resolution_us
    questions = []
    for rows in pages:
        shown = dataset.impressions[rows[0]]
        at_us = int(shown["timestamp_us"])
        before = np.searchsorted(instants, at_us // dataset.shop.resolution_us, side="left")
        questions.append(
            Question(
                user=user,
                at_us=at_us,
                visible=start + int(before),
                split=int(dataset.impression_split[rows[0]]),
                device=int(shown["device"]),
                shown_rows=rows,
            )
        )
    return questions
