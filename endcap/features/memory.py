"""Which items follow a history's items, and what is popular."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.features.counters import CounterColumn
from endcap.features.returns import counted
from endcap.schema import Events

REACH_INSTANTS = 50


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
