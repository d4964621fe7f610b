"""What a mix weighs: for some shoppers, the scores of the items that could reach their lists."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from endcap.features import (
    DAY_US,
    CounterHistory,
    Remembered,
    memory_scores,
    popularity_scores,
    repeat_scores,
)
from endcap.model import Network, QuestionBatch
from endcap.schema import Action, Dataset, Split
from endcap.train.batches import Batcher
from endcap.train.examples import Examples
from endcap.train.questions import NEXT_WEIGHT

DECAYS = (0.5, 0.75, 0.95)
KEPT_ITEMS = 100
"""So many items of each column are kept per shopper; a list has ten."""
CHUNK_CELLS = 1_000_000
"""Shoppers x items that are scored at once."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class MixColumns:
    """What is mixed, for U shoppers and, of each, C items that could reach the list."""

    network: Floats  # [U, C]; -inf for items that training never met
    memories: dict[str, dict[float, Floats]]  # by name of `MEMORIES` and decay, [U, C]
    repeat: Floats  # [U, C]; above 0 where a shopper met the item
    popularity: Floats  # [U, C]
    is_wanted: NDArray[np.bool_]  # [U, C]; all that a shopper wants is there

    @cached_property
    def wanted(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return shopper and place of everything that is wanted."""
        user, item = np.nonzero(self.is_wanted)
        return user, item


def mix_columns(
    network: Network,
    batcher: Batcher,
    remembered: Remembered,
    counters: CounterHistory,
    users: NDArray[np.int64],
    targets: list[NDArray[np.int32]],
) -> MixColumns:
    """Score items for shoppers by histories that end with the training days.

    Items that stand far down by every column are left out: no mix would list them.
    """
    dataset = batcher.dataset
    size, resolution_us = dataset.catalogue.num_items, dataset.shop.resolution_us
    cut_us = dataset.train_end_us
    histories = [_training_events(dataset, int(user)) for user in users]
    popularity = popularity_scores(counters.as_of(cut_us // DAY_US))
    parts, start = [], 0
    for scores in network_scores(network, batcher, users, histories, cut_us):
        chunk = slice(start, start + len(scores))
        start += len(scores)
        whole = MixColumns(
            network=scores,
            memories={
                name: {
                    decay: np.stack([
                        memory_scores(
                            h, memory, decay=decay, resolution_us=resolution_us, num_items=size
                        )
                        for h in histories[chunk]
                    ])
                    for decay in DECAYS
                }
                for name, memory in remembered.memories.items()
            },
            repeat=np.stack([
                repeat_scores(
                    h,
                    cut_us,
                    popularity,
                    remembered.returns,
                    resolution_us=resolution_us,
                    num_items=size,
                )
                for h in histories[chunk]
            ]),
            popularity=np.broadcast_to(popularity, scores.shape),
            is_wanted=_wanted(targets[chunk], size),
        )  # fmt: skip
        parts.append(_pruned(whole))
    return _stacked(parts)


def _training_events(dataset: Dataset, user: int) -> NDArray[np.void]:
    rows = slice(dataset.histories.offsets[user], dataset.histories.offsets[user + 1])
    training = dataset.event_split[rows] == Split.TRAIN
    events: NDArray[np.void] = dataset.histories.events[rows][training]
    return events


def _wanted(targets: list[NDArray[np.int32]], num_items: int) -> NDArray[np.bool_]:
    wanted = np.zeros((len(targets), num_items), dtype=np.bool_)
    for row, items in enumerate(targets):
        wanted[row, items] = True
    return wanted


def _pruned(whole: MixColumns) -> MixColumns:
    """Keep what is wanted, and the top of each column; of the network's also what was never met."""
    if whole.network.shape[1] <= 4 * KEPT_ITEMS:
        return whole
    keep = whole.is_wanted.copy()
    unmet = np.where(whole.repeat > 0, -np.inf, whole.network)
    keep[:, np.argpartition(whole.popularity[0], -KEPT_ITEMS)[-KEPT_ITEMS:]] = True
    remembered = [column for of in whole.memories.values() for column in of.values()]
    for column in (whole.network, unmet, whole.repeat, *remembered):
        top = torch.from_numpy(column).topk(KEPT_ITEMS, dim=1, sorted=False).indices.numpy()
        np.put_along_axis(keep, top, True, axis=1)
    counts = keep.sum(axis=1)
    # Left of the order stand the kept items by row; the rest fills up, and is out of the list.
    at = np.argsort(~keep, axis=1, kind="stable")[:, : counts.max()]
    filled = np.arange(at.shape[1]) >= counts[:, None]

    def taken(column: Floats) -> Floats:
        return np.take_along_axis(column, at, axis=1).astype(np.float32)

    return MixColumns(
        network=np.where(filled, np.float32(-np.inf), taken(whole.network)),
        memories={
            name: {decay: taken(column) for decay, column in of.items()}
            for name, of in whole.memories.items()
        },
        repeat=taken(whole.repeat),
        popularity=taken(whole.popularity),
        is_wanted=np.take_along_axis(whole.is_wanted, at, axis=1),
    )


def _stacked(parts: list[MixColumns]) -> MixColumns:
    """Put chunks of shoppers on one another; the narrower ones are filled up."""
    width = max(part.network.shape[1] for part in parts)

    def together(columns: Sequence[NDArray[Any]], fill: float) -> NDArray[Any]:
        return np.concatenate([
            np.pad(each, ((0, 0), (0, width - each.shape[1])), constant_values=fill)
            for each in columns
        ])  # fmt: skip

    return MixColumns(
        network=together([part.network for part in parts], -np.inf),
        memories={
            name: {
                decay: together([part.memories[name][decay] for part in parts], 0.0)
                for decay in DECAYS
            }
            for name in parts[0].memories
        },
        repeat=together([part.repeat for part in parts], 0.0),
        popularity=together([part.popularity for part in parts], 0.0),
        is_wanted=together([part.is_wanted for part in parts], False),
    )


def network_scores(
    network: Network,
    batcher: Batcher,
    users: NDArray[np.int64],
    histories: list[NDArray[np.void]],
    cut_us: int,
) -> Iterator[Floats]:
    """Score every item by histories that end before an instant, [B, V] for B shoppers at a time."""
    dataset = batcher.dataset
    frozen = _frozen_examples(batcher.examples, users, histories, dataset, cut_us)
    asker = Batcher(
        dataset,
        frozen,
        {},
        max_history=network.config.max_history,
        is_known=batcher.is_known,
        device=batcher.device,
    )
    network.eval()
    action, size = usual_action(dataset), max(1, CHUNK_CELLS // dataset.catalogue.num_items)
    with torch.no_grad():
        vectors = network.items()
        for start in range(0, len(users), size):
            rows = np.arange(start, min(start + size, len(users)))
            batch = asker.lay_out(rows)
            _, last = network.read(vectors, batch.history)
            asked = _ask(network, batch.question)
            kind = torch.full((len(rows),), action, device=batcher.device)
            user = network.next(last[batch.question.window], asked, kind)
            scores: Floats = (user @ vectors.T).cpu().numpy()
            scores[:, ~batcher.is_known] = -np.inf
            yield scores


def _ask(network: Network, question: QuestionBatch) -> torch.Tensor:
    asked: torch.Tensor = network.question(question.clock, question.since, question.device)
    return asked


def usual_action(dataset: Dataset) -> int:
    """Return the most frequent kind of event on training days."""
    actions = dataset.histories.events["action"][dataset.event_split == Split.TRAIN]
    actions = actions[NEXT_WEIGHT[actions] > 0]
    return int(np.bincount(actions, minlength=2).argmax()) if len(actions) else int(Action.VIEW)


def _frozen_examples(
    examples: Examples,
    users: NDArray[np.int64],
    histories: list[NDArray[np.void]],
    dataset: Dataset,
    cut_us: int,
) -> Examples:
    count = len(users)
    lengths = np.array([len(h) for h in histories], dtype=np.int64)
    last_us = np.array([h["timestamp_us"][-1] for h in histories], dtype=np.int64)
    empty = examples.candidates
    return replace(
        examples,
        user=users.astype(np.int32),
        at_us=np.maximum(np.full(count, cut_us), last_us),
        visible=dataset.histories.offsets[users] + lengths,
        device=np.zeros(count, dtype=np.uint8),
        split=np.ones(count, dtype=np.uint8),
        next_offsets=np.zeros(count + 1, dtype=np.int64),
        candidates=replace(empty, offsets=np.zeros(count + 1, dtype=np.int64)),
    )
