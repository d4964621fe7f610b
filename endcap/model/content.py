"""What an item's vector is made of beside id, neighbours and fields; each part by choice."""

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from endcap.schema import FieldMatrix


def _none() -> NDArray[np.float32]:
    return np.zeros((0, 0), dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class ItemFacts:
    """What is known of items beside their fields."""

    counts: NDArray[np.int64] | None = None
    """[V] events of training days; without them every item that training met counts as one."""
    embeddings: NDArray[np.float32] = field(default_factory=_none)
    """[V, E] the shop's own vectors, standardised; zero where an item has none. E may be 0."""
    relations: dict[str, FieldMatrix] = field(default_factory=dict)
    """By type, each item's related items, rows summing to one."""


class Embeddings(nn.Module):
    """A linear map of the shop's own vectors into an item's, frozen vectors and learned map."""

    def __init__(self, given: NDArray[np.float32], *, dim: int) -> None:
        super().__init__()
        self.given: Tensor
        self.register_buffer("given", torch.from_numpy(given), persistent=False)
        self.map = nn.Parameter(torch.randn(given.shape[1], dim) * 0.02)

    def forward(self, row: Tensor | None = None) -> Float[Tensor, "N D"]:
        """Return the mapped vectors of some rows, or of all."""
        out: Tensor = (self.given if row is None else F.embedding(row, self.given)) @ self.map
        return out
