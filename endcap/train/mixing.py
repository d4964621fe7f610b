"""Weights of memory, repeats and popularity beside the network, chosen on validation days."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from msgspec import structs
from numpy.typing import NDArray

from endcap.features import (
    DAY_US,
    CounterHistory,
    ItemMemory,
    Mix,
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
GRID: dict[str, tuple[float, ...]] = {
    "repeat": (-8.0, 0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0),
    "memory": (0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0),
    "popularity": (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0),
}
GRID_ENDS = {name: (min(values), max(values)) for name, values in GRID.items()}
"""A weight at an end may want to go further; the report says so."""
FEW_USERS = 200
FEW_START = Mix(popularity=4.0, repeat=2.0)
"""Where fewer users than that can tell, the mix starts here, in place of the network alone."""
MAX_USERS, MAX_CELLS = 4_000, 50_000_000
"""The search holds users x items numbers for every column; a large catalogue takes fewer users."""
CUT = 10
ERRORS = 2.0
"""Standard errors by which a gain must show before a weight leaves its default."""


@dataclass(frozen=True, kw_only=True)
class _Columns:
    """What is mixed, for U users with targets on validation days."""

    network: NDArray[np.float32]  # [U, V]; -inf for items that training never met
    memory: dict[float, NDArray[np.float32]]  # by decay, [U, V]
    repeat: NDArray[np.float32]  # [U, V]
    popularity: NDArray[np.float32]  # [V]
    targets: list[NDArray[np.int32]]


def choose_mixes(
    network: Network,
    batcher: Batcher,
    memory: ItemMemory,
    counters: CounterHistory,
    *,
    seed: int = 0,
) -> tuple[Mix, Mix]:
    """Choose the weights by NDCG@10 on validation days, histories frozen at their first instant.

    Returns:
        The mix for lists in which known items may come again, and for lists of unseen items.
    """
    dataset = batcher.dataset
    users, targets = _validation_targets(dataset, seed)
    if len(users) == 0:
        return FEW_START, structs.replace(FEW_START, repeat=GRID["repeat"][0])
    columns = _columns(network, batcher, memory, counters, users, targets)
    unseen = [
        np.array([i for i in wanted if columns.repeat[u, i] == 0], dtype=np.int32)
        for u, wanted in enumerate(targets)
    ]
    start = FEW_START if len(users) < FEW_USERS else Mix()
    anything = _search(columns, start)
    fresh = _search(
        replace(columns, targets=unseen), structs.replace(start, repeat=-1e4), fixed=("repeat",)
    )
    return anything, fresh


def _validation_targets(
    dataset: Dataset, seed: int
) -> tuple[NDArray[np.int64], list[NDArray[np.int32]]]:
    events, offsets = dataset.histories.events, dataset.histories.offsets
    wanted = (dataset.event_split == Split.VALIDATION) & (NEXT_WEIGHT[events["action"]] > 0)
    wanted &= events["item"] >= 0
    has_past = np.zeros(dataset.histories.num_users, dtype=np.bool_)
    owner = dataset.histories.user_of_event()
    has_past[owner[dataset.event_split == Split.TRAIN]] = True
    users = np.unique(owner[wanted])
    users = users[has_past[users]]
    most = max(1, min(MAX_USERS, MAX_CELLS // max(dataset.catalogue.num_items, 1)))
    if len(users) > most:
        users = np.random.default_rng(seed).choice(users, size=most, replace=False)
    targets = []
    for user in users:
        rows = slice(offsets[user], offsets[user + 1])
        targets.append(np.unique(events["item"][rows][wanted[rows]]))
    return users.astype(np.int64), targets


def _columns(
    network: Network,
    batcher: Batcher,
    memory: ItemMemory,
    counters: CounterHistory,
    users: NDArray[np.int64],
    targets: list[NDArray[np.int32]],
) -> _Columns:
    dataset = batcher.dataset
    size, resolution_us = dataset.catalogue.num_items, dataset.shop.resolution_us
    cut_us = dataset.train_end_us
    histories = []
    for user in users:
        rows = slice(dataset.histories.offsets[user], dataset.histories.offsets[user + 1])
        histories.append(dataset.histories.events[rows][dataset.event_split[rows] == Split.TRAIN])
    by_decay = {
        decay: np.stack(
            [
                memory_scores(h, memory, decay=decay, resolution_us=resolution_us, num_items=size)
                for h in histories
            ]
        )
        for decay in DECAYS
    }
    repeat = np.stack(
        [repeat_scores(h, resolution_us=resolution_us, num_items=size) for h in histories]
    )
    return _Columns(
        network=network_scores(network, batcher, users, histories, cut_us),
        memory=by_decay,
        repeat=repeat,
        popularity=popularity_scores(counters.as_of(cut_us // DAY_US)),
        targets=targets,
    )


def network_scores(
    network: Network,
    batcher: Batcher,
    users: NDArray[np.int64],
    histories: list[NDArray[np.void]],
    cut_us: int,
) -> NDArray[np.float32]:
    """Score every item for some shoppers, [U, V], by histories that end before an instant."""
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
    action = usual_action(dataset)
    scores = []
    with torch.no_grad():
        vectors = network.items()
        for start in range(0, len(users), 512):
            rows = np.arange(start, min(start + 512, len(users)))
            batch = asker.lay_out(rows)
            _, last = network.read(vectors, batch.history)
            asked = _ask(network, batch.question)
            kind = torch.full((len(rows),), action, device=batcher.device)
            user = network.next(last[batch.question.window], asked, kind)
            scores.append((user @ vectors.T).cpu().numpy())
    stacked = np.concatenate(scores)
    stacked[:, ~batcher.is_known] = -np.inf
    return stacked


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


def _search(columns: _Columns, start: Mix, fixed: tuple[str, ...] = ()) -> Mix:
    """Return the mix whose gain over `start` is largest, less the gain's standard error.

    A few users may favour any weight by luck, and their gain is within its error; that of
    thousands is told apart from noise, and the error changes nothing.
    """
    at_start = _ndcg(columns, start)
    best, best_worth = start, 0.0
    for _ in range(2):
        before = best
        trials = [
            {name: value}
            for name, values in GRID.items()
            if name not in fixed and name != "memory"
            for value in values
        ]
        trials += [{"memory": m, "decay": d} for m in GRID["memory"] for d in DECAYS if m > 0]
        for change in trials:
            mix = structs.replace(best, **change)
            worth = _worth(_ndcg(columns, mix) - at_start)
            if worth > best_worth + 1e-5:
                best, best_worth = mix, worth
        if best == before:
            break
    return best


def _worth(gain: NDArray[np.float64]) -> float:
    """Return the mean of users' gains less its standard error; 0 where fewer than two are asked."""
    if len(gain) < 2:
        return 0.0
    return float(gain.mean() - ERRORS * gain.std(ddof=1) / np.sqrt(len(gain)))


def _ndcg(columns: _Columns, mix: Mix) -> NDArray[np.float64]:
    """Return NDCG@10 of every user who has a target."""
    scores = columns.network + mix.popularity * columns.popularity
    if mix.memory:
        scores = scores + mix.memory * columns.memory[mix.decay]
    if mix.repeat:
        scores = scores + mix.repeat * columns.repeat
    top = np.argpartition(-scores, CUT, axis=1)[:, :CUT] if scores.shape[1] > CUT else None
    values = []
    for u, wanted in enumerate(columns.targets):
        if len(wanted) == 0:
            continue
        row = np.arange(scores.shape[1]) if top is None else top[u]
        row = row[np.argsort(-scores[u, row], kind="stable")]
        hits = np.flatnonzero(np.isin(row, wanted))
        ideal = (1 / np.log2(np.arange(min(len(wanted), CUT)) + 2)).sum()
        values.append(float((1 / np.log2(hits + 2)).sum() / ideal))
    return np.array(values)
