"""What a history says by itself: which items follow its items, which come again, what is popular.

Additive columns beside the network's score of the next item; their weights are chosen on
validation days and may be 0. Each is exact and can be read: "because people who met j next met i".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from endcap.features.memory import ItemMemory, memory_scores, popularity_scores
from endcap.features.returns import RETURN_PRIOR, counted, repeat_scores
from endcap.schema import Events


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
    # Repeats ask of what was met alone; a large catalogue need not be counted for them.
    rows = np.arange(num_items) if mix.popularity else np.unique(counted(history)["item"])
    rows = rows[rows < min(num_items, len(counters))]
    popularity = np.zeros(num_items, dtype=np.float32)
    popularity[rows] = popularity_scores(counters[rows])
    if mix.repeat:
        again = repeat_scores(history, at_us, popularity, remembered.returns, **size)
        parts["repeat"] = np.float32(mix.repeat) * again
    if mix.popularity:
        parts["popularity"] = np.float32(mix.popularity) * popularity
    return parts
