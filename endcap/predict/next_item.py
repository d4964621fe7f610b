"""The score of every item as the next one: network, memory, repeat and popularity, mixed."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from endcap.artifact import Artifact
from endcap.features import ItemMemory, Mix, memory_scores, popularity_scores, repeat_scores
from endcap.predict.vectors import ItemVectors
from endcap.schema import Events

Scores = NDArray[np.float32]


class NextItemScorer:
    """Scores all items [V] for a shopper whose vector was read."""

    def __init__(self, artifact: Artifact, items: ItemVectors) -> None:
        arrays, manifest = artifact.arrays, artifact.manifest
        self.items = items
        self._resolution_us = manifest.shop.resolution_us
        self._mix = msgspec.convert(manifest.mix, Mix)
        self._mix_unseen = msgspec.convert(manifest.mix_unseen, Mix)
        self._memory = ItemMemory(
            indptr=arrays["memory_indptr"],
            indices=arrays["memory_indices"],
            weights=arrays["memory_weights"],
        )

    def parts(
        self, user: Scores, history: Events, counters: Scores, *, unseen: bool = False
    ) -> dict[str, Scores]:
        """Return what adds up to the score, by name: network, memory, repeat, popularity.

        Args:
            user: [D] the shopper's vector.
            counters: [V, N] what all shoppers did with each item before today.
            unseen: weigh for a list of items that the shopper never met.
        """
        mix = self._mix_unseen if unseen else self._mix
        size = self.items.num_items
        parts: dict[str, Scores] = {"network": self.items.vectors @ user}
        if mix.memory:
            parts["memory"] = np.float32(mix.memory) * memory_scores(
                history,
                self._memory,
                decay=mix.decay,
                resolution_us=self._resolution_us,
                num_items=size,
            )
        if mix.repeat:
            times = repeat_scores(history, resolution_us=self._resolution_us, num_items=size)
            parts["repeat"] = np.float32(mix.repeat) * times
        if mix.popularity:
            popularity = np.zeros(size, dtype=np.float32)
            popularity[: len(counters)] = popularity_scores(counters)[:size]
            parts["popularity"] = np.float32(mix.popularity) * popularity
        return parts

    def chance(self, user: Scores, item: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return P(next item = i), [C]: stands for a click where a log shows no impressions."""
        scores = (self.items.vectors @ user).astype(np.float64)
        weights = np.exp(scores - scores.max())
        out: NDArray[np.float64] = weights[item] / weights.sum()
        return out


def best_rows(scores: Scores, limit: int) -> NDArray[np.int32]:
    """Return the rows of the largest scores, best first; ties go to the smaller row."""
    if 0 < limit < len(scores):
        threshold = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        rows = np.flatnonzero(scores >= threshold)
    else:
        rows = np.arange(len(scores))
    order = np.argsort(-scores[rows], kind="stable")
    return rows[order][:limit].astype(np.int32)
