"""How far an item leans on its id: the more, the more of it training days met."""

import math

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn


class CountGate(nn.Module):
    """The gate `n / (n + k)` between an item's content and its id, k learned.

    It rises with the count n of training events, whatever k becomes: an item met k times counts
    half of its id. One that training never met has no id at all.
    """

    def __init__(self, counts: NDArray[np.int64], *, half: float) -> None:
        """Take the counts by item row; `half` is where k starts, 0 opens the gate for all met."""
        super().__init__()
        self.counts: Tensor
        self.register_buffer("counts", torch.from_numpy(counts).float(), persistent=False)
        self.log_half = nn.Parameter(torch.tensor([math.log(half)])) if half > 0 else None

    def forward(self, row: Tensor | None = None) -> Float[Tensor, " N"]:
        """Return the gates of some rows, or of all."""
        counts = self.counts if row is None else self.counts[row]
        if self.log_half is None:
            return (counts > 0).to(counts.dtype)
        return counts / (counts + self.log_half.exp())
