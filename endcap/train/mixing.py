"""Weights of memories, repeats and popularity beside the network, chosen on validation days."""

from dataclasses import replace

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from endcap.features import MEMORIES, CounterHistory, Mix, Remembered
from endcap.model import Network
from endcap.schema import Dataset, Split
from endcap.train.batches import Batcher
from endcap.train.mix_columns import DECAYS, MixColumns, mix_columns
from endcap.train.questions import NEXT_WEIGHT

GRID: dict[str, tuple[float, ...]] = {
    "repeat": (-8.0, 0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0),
    "memory": (0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0),
    "linear": (0.0, 3.0, 10.0, 30.0, 100.0, 300.0),
    "popularity": (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0),
}
GRID_ENDS = {name: (min(values), max(values)) for name, values in GRID.items()}
"""A weight at an end may want to go further; the report says so."""
UNSEEN = -1e6
"""Weight of repeats in lists of unseen items: what was met stands below all else."""
FEW_USERS = 200
FEW_START = Mix(popularity=4.0, repeat=2.0)
"""Where fewer users than that can tell, the mix starts here, in place of the network alone."""
MAX_USERS, MAX_CELLS = 4_000, 200_000_000
"""Users x items that are scored; a large catalogue takes fewer users."""
CUT = 10
BLOCK = 2_000
ERRORS = 2.0
"""Standard errors by which a gain must show before a weight leaves its default."""


def choose_mixes(
    network: Network,
    batcher: Batcher,
    remembered: Remembered,
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
        return FEW_START, structs.replace(FEW_START, repeat=UNSEEN)
    columns = mix_columns(network, batcher, remembered, counters, users, targets)
    unseen = columns.is_wanted & (columns.repeat == 0)
    start = FEW_START if len(users) < FEW_USERS else Mix()
    anything = _search(columns, start)
    fresh = _search(
        replace(columns, is_wanted=unseen), structs.replace(start, repeat=UNSEEN), fixed=("repeat",)
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


def _search(columns: MixColumns, start: Mix, fixed: tuple[str, ...] = ()) -> Mix:
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
            if name not in (*fixed, *MEMORIES)
            for value in values
        ]
        trials += [
            {name: weight, "decay": decay}
            for name in MEMORIES
            for weight in GRID[name]
            for decay in DECAYS
        ]
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


def _ndcg(columns: MixColumns, mix: Mix) -> NDArray[np.float64]:
    """Return NDCG@10 of every shopper who wants something; equal scores stand by row."""
    scores = columns.network + mix.popularity * columns.popularity
    for name, by_decay in columns.memories.items():
        if weight := getattr(mix, name):
            scores = scores + weight * by_decay[mix.decay]
    if mix.repeat:
        scores = scores + mix.repeat * columns.repeat
    user, item = columns.wanted
    rank = np.concatenate([_ranks(scores, user[k], item[k]) for k in _blocks(len(user))])
    listed = (rank < CUT) & np.isfinite(scores[user, item])
    found = np.bincount(user[listed], 1 / np.log2(rank[listed] + 2), minlength=len(scores))
    wanted = np.bincount(user, minlength=len(scores))
    ideal = np.cumsum(1 / np.log2(np.arange(CUT) + 2))[np.clip(wanted, 1, CUT) - 1]
    values: NDArray[np.float64] = (found / ideal)[wanted > 0]
    return values


def _blocks(count: int) -> list[slice]:
    return [slice(start, start + BLOCK) for start in range(0, max(count, 1), BLOCK)]


def _ranks(
    scores: NDArray[np.float32], user: NDArray[np.int64], item: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Count the items that stand before each one wanted."""
    rows, own = scores[user], scores[user, item][:, None]
    before = np.arange(scores.shape[1]) < item[:, None]
    ranks: NDArray[np.int64] = ((rows > own) | ((rows == own) & before)).sum(axis=1)
    return ranks
