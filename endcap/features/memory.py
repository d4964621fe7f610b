"""What a history says by itself: which items follow its items, which come again, what is popular.

Additive columns beside the network's score of the next item; their weights are chosen on
validation days and may be 0. Each is exact and can be read: "because people who met j next met i".
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from endcap.features.counters import CounterColumn
from endcap.schema import Action, Events

REACH_INSTANTS = 50

_COUNTED = np.zeros(256, dtype=np.bool_)
_COUNTED[
    [
        Action.VIEW,
        Action.CLICK,
        Action.ADD_TO_CART,
        Action.FAVORITE,
        Action.PURCHASE,
        Action.RATING,
    ]
] = True
_COUNTED[Action.OWN :] = True


class Mix(Struct, frozen=True, kw_only=True):
    """Weights of the columns: score = u . v + memory M + linear L + repeat R + popularity P."""

    memory: float = 0.0
    linear: float = 0.0
    decay: float = 0.75
    """How much less an instant counts than the one after it, to the memories of both kinds."""
    repeat: float = 0.0
    popularity: float = 0.0


MEMORIES = "memory", "linear"
"""What was remembered of pairs of items, by its weight in the mix: which item follows which, and
which speaks for which (`ease_weights`)."""


@dataclass(frozen=True, kw_only=True)
class ItemMemory:
    """Sparse S [V, V] in CSR form: how strongly item i follows item j (model.md 10.2)."""

    indptr: NDArray[np.int64]
    indices: NDArray[np.int64]
    weights: NDArray[np.float32]

    @property
    def num_items(self) -> int:
        """Count the rows."""
        return len(self.indptr) - 1


def memory_scores(
    history: Events, memory: ItemMemory, *, decay: float, resolution_us: int, num_items: int
) -> NDArray[np.float32]:
    """Return M [V] = sum over the last 50 instants of decay^a S[item at a instants ago, i]."""
    scores = np.zeros(num_items, dtype=np.float32)
    met = history[_COUNTED[history["action"]] & (history["item"] >= 0)]
    met = met[met["item"] < memory.num_items]
    if len(met) == 0:
        return scores
    _, place = np.unique(met["timestamp_us"] // resolution_us, return_inverse=True)
    ago = place[-1] - place
    near = ago < REACH_INSTANTS
    for item, strength in zip(met["item"][near], decay ** ago[near], strict=True):
        row = slice(memory.indptr[item], memory.indptr[item + 1])
        scores[memory.indices[row]] += np.float32(strength) * memory.weights[row]
    return scores


def repeat_scores(history: Events, *, resolution_us: int, num_items: int) -> NDArray[np.float32]:
    """Return R [V] = log(1 + number of instants at which the shopper met the item)."""
    met = history[_COUNTED[history["action"]] & (history["item"] >= 0)]
    instant = met["timestamp_us"] // resolution_us
    order = np.lexsort((instant, met["item"]))
    item, instant = met["item"][order], instant[order]
    first = np.ones(len(item), dtype=np.bool_)
    first[1:] = (item[1:] != item[:-1]) | (instant[1:] != instant[:-1])
    times = np.bincount(item[first], minlength=num_items)[:num_items]
    return np.log1p(times).astype(np.float32)


def popularity_scores(counters: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return P [V] = log(1 + decayed count of what all shoppers did with each item)."""
    used = counters[:, [c for c in CounterColumn if c is not CounterColumn.IMPRESSIONS]]
    popularity: NDArray[np.float32] = np.log1p(used.sum(axis=1)).astype(np.float32)
    return popularity


def mixed_parts(
    history: Events,
    mix: Mix,
    memories: Mapping[str, ItemMemory],
    counters: NDArray[np.float32],
    *,
    resolution_us: int,
    num_items: int,
) -> dict[str, NDArray[np.float32]]:
    """Return the weighted columns, [V] each by name; those of no weight are left out.

    Args:
        counters: [W, N] what all shoppers did with the first W items before today.
    """
    parts = {}
    for name, memory in memories.items():
        if weight := getattr(mix, name):
            scores = memory_scores(
                history, memory, decay=mix.decay, resolution_us=resolution_us, num_items=num_items
            )
            parts[name] = np.float32(weight) * scores
    if mix.repeat:
        times = repeat_scores(history, resolution_us=resolution_us, num_items=num_items)
        parts["repeat"] = np.float32(mix.repeat) * times
    if mix.popularity:
        popularity = np.zeros(num_items, dtype=np.float32)
        popularity[: len(counters)] = popularity_scores(counters)[:num_items]
        parts["popularity"] = np.float32(mix.popularity) * popularity
    return parts
