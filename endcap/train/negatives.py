"""Items that stand for all others where a catalogue is too large to ask for each of them."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from endcap.train.batch import Batch


@dataclass(frozen=True, kw_only=True)
class Negatives:
    """Draws that all questions of a batch share, [N]."""

    item: Tensor
    log_expected: Tensor
    """log(N Q): how often an item is expected among the draws."""


class NegativeSampler:
    """Draw known items: half of them uniformly, half by the root of popularity (model.md R4).

    Items of the batch itself are no draws: such negatives collapse (eSASRec, model.md 1).
    """

    def __init__(
        self,
        counts: NDArray[np.int64],
        is_known: NDArray[np.bool_],
        *,
        size: int,
        device: torch.device,
    ) -> None:
        uniform = is_known / max(int(is_known.sum()), 1)
        by_count = np.sqrt(counts * is_known)
        chance = (uniform + by_count / by_count.sum()) / 2 if by_count.any() else uniform
        self.size = size
        self.cumulative = torch.from_numpy(np.cumsum(chance)).to(device)
        log_chance = np.log(np.maximum(chance, 1e-30) * size).astype(np.float32)
        self.log_expected = torch.from_numpy(log_chance).to(device)

    def draw(self) -> Negatives:
        """Draw with replacement, by torch's own generator."""
        total = self.cumulative[-1]
        drawn = torch.rand(self.size, dtype=torch.float64, device=total.device) * total
        item = torch.searchsorted(self.cumulative, drawn, right=True)
        item = item.clamp(max=len(self.cumulative) - 1)
        return Negatives(item=item, log_expected=self.log_expected[item])


def needed_items(batch: Batch, negatives: Negatives) -> Tensor:
    """Return the rows of all items that a step reads, rising."""
    parts = [batch.history.item, batch.next.item, negatives.item]
    if batch.candidates is not None:
        parts += [batch.candidates.item, batch.candidates.ad_item]
    every = torch.cat([part.flatten() for part in parts]).clamp(min=0)
    rows: Tensor = torch.unique(every)
    return rows
