"""What is remembered of pairs of items: first for choosing its weights, then once more to serve."""

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from endcap.features import CounterHistory, ItemMemory, Mix, Remembered
from endcap.schema import Dataset, Split
from endcap.train.graph import relate
from endcap.train.linear import linear_memory
from endcap.train.returns import learn_returns


def remember(
    dataset: Dataset, forward: sp.csr_matrix, counters: CounterHistory, *, seed: int = 0
) -> Remembered:
    """Return what training days tell.

    Args:
        forward: of `relate`.
    """
    return Remembered(
        memories=_memories_of(dataset, forward, Split.TRAIN),
        resolution_us=dataset.shop.resolution_us,
        returns=learn_returns(dataset, counters, seed=seed),
    )


def _memories_of(dataset: Dataset, forward: sp.csr_matrix, until: Split) -> dict[str, ItemMemory]:
    return {
        "memory": _remember(forward),
        "linear": _remember(linear_memory(dataset, until)),
    }


def remember_again(dataset: Dataset, remembered: Remembered, mixes: tuple[Mix, ...]) -> Remembered:
    """Return the memories with validation days in them, once those have chosen their weights.

    A memory is counts, and goes stale: weighed on the days that follow the ones that it knows, it
    serves the days that follow the ones that it knows. Where each shopper's last events are kept
    aside in place of days, it stays as it was, as in published figures of such splits; so it does
    where no mix weighs it.
    """
    weighed = any(getattr(mix, name) for mix in mixes for name in remembered.memories)
    if not (dataset.is_by_time and weighed):
        return remembered
    _, forward = relate(dataset, Split.VALIDATION)
    return replace(remembered, memories=_memories_of(dataset, forward, Split.VALIDATION))


def _remember(matrix: sp.csr_matrix) -> ItemMemory:
    return ItemMemory(
        indptr=matrix.indptr.astype(np.int64),
        indices=matrix.indices.astype(np.int64),
        weights=matrix.data.astype(np.float32),
    )
