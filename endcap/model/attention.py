"""Attention as the textbook writes it: the reference beside which faster forms are held."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class Attention(nn.Module):
    """Scaled dot-product self-attention of one head; no bias anywhere.

    `softmax(Q K^T / sqrt(D)) V W_O` with `Q = x W_Q`, `K = x W_K`, `V = x W_V`.

    Source: Vaswani et al. 2017 (https://arxiv.org/abs/1706.03762), equation 1.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.to_q, self.to_k, self.to_v, self.to_out = (
            nn.Linear(dim, dim, bias=False) for _ in range(4)
        )

    def forward(
        self, x: Float[Tensor, "B T D"], visible: Bool[Tensor, "T S"]
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B T S"]]:
        """Return the mixed events, and how much each row attends to each event.

        Args:
            visible: whether row i may see event j; every row must see one at least.
        """
        scores = self.to_q(x) @ self.to_k(x).transpose(1, 2) / math.sqrt(x.shape[-1])
        weights = scores.masked_fill(~visible, -torch.inf).softmax(-1)
        out: Tensor = self.to_out(weights @ self.to_v(x))
        return out, weights


def causal(width: int) -> Bool[Tensor, "T T"]:
    """Return the mask under which an event sees itself and those before it."""
    return torch.ones(width, width, dtype=torch.bool).tril()


def diagonal(width: int) -> Bool[Tensor, "T T"]:
    """Return the mask under which an event sees itself alone."""
    return torch.eye(width, dtype=torch.bool)
