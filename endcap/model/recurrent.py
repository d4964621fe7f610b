"""A recurrent layer in place of attention: by configuration, for comparison."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from endcap.model.dropout import Dropout


class RecurrentBlock(nn.Module):
    """A GRU or LSTM over the window beside the window itself (GRU4Rec's layer, kept residual).

    Source: Hidasi et al. 2016 (https://arxiv.org/abs/1511.06939). It reads from left to right and
    padding stands on the right, so no event sees a later one, and none sees padding.
    """

    def __init__(self, kind: Literal["lstm", "gru"], dim: int, dropout: float) -> None:
        super().__init__()
        cell = nn.LSTM if kind == "lstm" else nn.GRU
        self.cell = cell(dim, dim, batch_first=True)
        self.dropout = Dropout(dropout)
        self.norm_out = nn.LayerNorm(dim)

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        is_event: Float[Tensor, "B T 1"],
        kernel: Float[Tensor, "T T"],
    ) -> Float[Tensor, "B T D"]:
        """Add to every event what came before it; the low-pass of attention has no part here."""
        out: Tensor = self.norm_out(x + self.dropout(self.cell(x)[0]))
        return out
