"""A number as how far it went through each of its bands, so that a layer can bend at the edges."""

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn


class Pieces(nn.Module):
    """Piecewise linear encoding of the context's columns (Gorishniy et al. 2022).

    A band below the number is 1, one above it 0, its own the share that it went through. Edges are
    quantiles of training rows; a column that never varies has no bands and gives zeros. A shopper's
    attention counts a column's bands, not the number before it is banded: a number keeps its bands
    whoever looks at it, and the edges stay those of the rows that they were learned from.

    Source: https://arxiv.org/abs/2203.05556, equation 1, without extrapolation.
    """

    def __init__(self, num_columns: int, num_bands: int) -> None:
        super().__init__()
        self.low: Tensor
        self.slope: Tensor
        self.register_buffer("low", torch.zeros(num_columns, num_bands))
        self.register_buffer("slope", torch.zeros(num_columns, num_bands))

    def learn(self, rows: NDArray[np.float32]) -> None:
        """Take the edges from training rows [N, X]."""
        num_bands = self.low.shape[1]
        for column, values in enumerate(rows.T):
            edges = np.unique(np.quantile(values, np.linspace(0, 1, num_bands + 1)))
            widths = torch.from_numpy(np.diff(edges)).float()
            self.low[column, : len(widths)] = torch.from_numpy(edges[:-1]).float()
            self.slope[column, : len(widths)] = 1.0 / widths

    def forward(
        self, context: Float[Tensor, "B C X"], counts: Float[Tensor, "B C X"]
    ) -> Float[Tensor, "B C Y"]:
        """Return all columns' bands side by side, each as often as its column counts."""
        bands = ((context[..., None] - self.low) * self.slope).clamp(0.0, 1.0)
        return (bands * counts[..., None]).flatten(-2)
