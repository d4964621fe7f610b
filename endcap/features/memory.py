"""What a history says by itself: which items follow its items, which come again, what is popular.

Additive columns beside the network's score of the next item; their weights are chosen on
validation days and may be 0. Each is exact and can be read: "because people who met j next met i".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from endcap.features.counters import CounterColumn
from endcap.features.returns import RETURN_PRIOR, counted, repeat_scores
from endcap.schema import Events

REACH_INSTANTS = 50


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
    met = counted(history)
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


def popularity_scores(counters: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return P [V] = log(1 + decayed count of what all shoppers did with each item)."""
    used = counters[:, [c for c in CounterColumn if c is not CounterColumn.IMPRESSIONS]]
    popularity: NDArray[np.float32] = np.log1p(used.sum(axis=1)).astype(np.float32)
    return popularity


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """What a fit knows of items by themselves: which go together, and which shoppers return to."""

    memories: Mapping[str, ItemMemory]
    """By their names in `MEMORIES`."""
    resolution_us: int
    returns: Sequence[float] = RETURN_PRIOR
    """Weights of `ReturnColumn`."""


def mixed_parts(
    history: Events,
    at_us: int,
    mix: Mix,
    remembered: Remembered,
    counters: NDArray[np.float32],
    *,
    num_items: int,
) -> dict[str, NDArray[np.float32]]:
    """Return the weighted columns, [V] each by name; those of no weight are left out.

    Args:
        history: a shopper's events before `at_us`.
        counters: [W, N] what all shoppers did with the first W items before today.
    """
    size: dict[str, int] = {"resolution_us": remembered.resolution_us, "num_items": num_items}
    parts = {
        name: np.float32(weight) * memory_scores(history, memory, decay=mix.decay, **size)
        for name, memory in remembered.memories.items()
        if (weight := getattr(mix, name))
    }
    if not (mix.repeat or mix.popularity):
        return parts
    popularity = np.zeros(num_items, dtype=np.float32)
    popularity[: len(counters)] = popularity_scores(counters)[:num_items]
    if mix.repeat:
        again = repeat_scores(history, at_us, popularity, remembered.returns, **size)
        parts["repeat"] = np.float32(mix.repeat) * again
    if mix.popularity:
        parts["popularity"] = np.float32(mix.popularity) * popularity
    return parts
