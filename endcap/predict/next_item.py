"""The score of every item as the next one: network, memories, repeat and popularity, mixed."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from endcap.artifact import Artifact
from endcap.features import MEMORIES, ItemMemory, Mix, Remembered, mixed_parts
from endcap.predict.vectors import ItemVectors
from endcap.schema import Events

Scores = NDArray[np.float32]


class NextItemScorer:
    """Scores all items [V] for a shopper whose vector was read."""

    def __init__(self, artifact: Artifact, items: ItemVectors) -> None:
        arrays, manifest = artifact.arrays, artifact.manifest
        self.items = items
        self._mix = msgspec.convert(manifest.mix, Mix)
        self._mix_unseen = msgspec.convert(manifest.mix_unseen, Mix)
        self._remembered = Remembered(
            memories={
                name: ItemMemory(
                    indptr=arrays[f"{name}_indptr"],
                    indices=arrays[f"{name}_indices"],
                    weights=arrays[f"{name}_weights"],
                )
                for name in MEMORIES
            },
            resolution_us=manifest.shop.resolution_us,
            returns=manifest.returns,
        )

    def parts(
        self, user: Scores, history: Events, at_us: int, counters: Scores, *, unseen: bool = False
    ) -> dict[str, Scores]:
        """Return what adds up to the score, by name: network, memories, repeat, popularity.

        Args:
            user: [D] the shopper's vector.
            counters: [V, N] what all shoppers did with each item before today.
            unseen: weigh for a list of items that the shopper never met.
        """
        return {"network": self._of_network(user)} | self.beside(
            history, at_us, counters, unseen=unseen
        )

    def beside(
        self, history: Events, at_us: int, counters: Scores, *, unseen: bool = False
    ) -> dict[str, Scores]:
        """Return the parts beside the network's own; see `parts`."""
        return mixed_parts(
            history,
            at_us,
            self._mix_unseen if unseen else self._mix,
            self._remembered,
            counters,
            num_items=self.items.num_items,
        )

    def chance(self, user: Scores, item: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return P(next item = i), [C]: stands for a click where a log shows no impressions."""
        scores = self._of_network(user).astype(np.float64)
        weights = np.exp(scores - scores.max())
        out: NDArray[np.float64] = weights[item] / weights.sum()
        return out

    def _of_network(self, user: Scores) -> Scores:
        scores: Scores = self.items.vectors[:, : len(user)] @ user
        return scores


def best_rows(scores: Scores, limit: int) -> NDArray[np.int32]:
    """Return the rows of the largest scores, best first; ties go to the smaller row."""
    if 0 < limit < len(scores):
        threshold = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        rows = np.flatnonzero(scores >= threshold)
    else:
        rows = np.arange(len(scores))
    order = np.argsort(-scores[rows], kind="stable")
    return rows[order][:limit].astype(np.int32)
