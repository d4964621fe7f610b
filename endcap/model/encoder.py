"""The shared trunk: a shopper's events, read causally, into one state per event."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from endcap.model.config import ModelConfig
from endcap.model.dropout import Dropout
from endcap.model.recurrent import RecurrentBlock
from endcap.schema import NUM_ACTIONS, NUM_DWELLS, NUM_GAPS, NUM_PHASES

LOW_PASS_SLOTS = 50


def low_pass_kernel(width: int) -> Float[Tensor, "T T"]:
    """Return BSARec's low-pass filter (its lowest 3 frequencies on 50 slots) as a fixed matrix.

    K(m) = (1 + 2 cos(2 pi m / 50) + 2 cos(4 pi m / 50)) / 50, cut where it would come round again.

    Source: Shin et al. 2024 (https://arxiv.org/abs/2312.10325), in the form of model.md 10.2.
    """
    places = torch.arange(width)
    distance = (places[:, None] - places[None, :]).abs()
    angle = 2 * math.pi * distance / LOW_PASS_SLOTS
    kernel = (1 + 2 * torch.cos(angle) + 2 * torch.cos(2 * angle)) / LOW_PASS_SLOTS
    return kernel * (distance <= LOW_PASS_SLOTS // 2)


class EncoderBlock(nn.Module):
    """Causal self-attention beside a low-pass of the whole window, then a feed-forward layer.

    The window of a question ends before its instant, so the low-pass may look both ways in it.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim = config.dim
        self.num_heads, self.share = config.num_heads, config.low_pass
        self.to_qkv = nn.Linear(dim, 3 * dim)
        self.to_out = nn.Linear(dim, dim)
        self.detail = nn.Parameter(torch.randn(dim))
        self.norm_attention, self.norm_filter, self.norm_out = (nn.LayerNorm(dim) for _ in range(3))
        self.widen, self.narrow = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)
        self.dropout = Dropout(config.dropout)

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        is_event: Float[Tensor, "B T 1"],
        kernel: Float[Tensor, "T T"],
    ) -> Float[Tensor, "B T D"]:
        """Mix every event with those before it and with its neighbourhood."""
        qkv = self.to_qkv(x).unflatten(-1, (3, self.num_heads, -1))  # [B, T, 3, H, K]
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        # Padding stands on the right, so a causal mask alone keeps it from every event.
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        attended = self.to_out(mixed.transpose(1, 2).flatten(2))
        attended = self.norm_attention(x + self.dropout(attended))
        smooth = kernel @ (x * is_event)
        filtered = smooth + self.detail.square() * (x - smooth)
        filtered = self.norm_filter(x + self.dropout(filtered))
        y = self.share * filtered + (1 - self.share) * attended
        out: Tensor = self.norm_out(y + self.dropout(self.narrow(F.gelu(self.widen(y)))))
        return out


def _block(config: ModelConfig) -> nn.Module:
    match config.encoder:
        case "transformer":
            return EncoderBlock(config)
        case "lstm" | "gru" as kind:
            return RecurrentBlock(kind, config.dim, config.dropout)


class Encoder(nn.Module):
    """Events to states. An event is its item, kind, dwell, gap, hour and place from the end."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim = config.dim
        self.config = config
        self.action = nn.Embedding(NUM_ACTIONS, dim)
        self.gap = nn.Embedding(NUM_GAPS, dim)
        self.dwell = nn.Embedding(NUM_DWELLS, dim)
        self.is_ad = nn.Embedding(2, dim)
        self.place = nn.Embedding(config.max_history, dim)
        self.clock = nn.Linear(NUM_PHASES, dim, bias=False)
        self.norm_in = nn.LayerNorm(dim)
        self.dropout = Dropout(config.dropout)
        self.blocks = nn.ModuleList(_block(config) for _ in range(config.num_blocks))
        kernel = low_pass_kernel(config.max_history)
        self.kernel: Tensor
        self.register_buffer("kernel", kernel, persistent=False)

    def forward(
        self,
        item: Float[Tensor, "B T D"],
        action: Int[Tensor, "B T"],
        gap: Int[Tensor, "B T"],
        dwell: Int[Tensor, "B T"],
        is_ad: Int[Tensor, "B T"],
        clock: Float[Tensor, "B T F"],
        length: Int[Tensor, " B"],
    ) -> Float[Tensor, "B T D"]:
        """Return the state after each event; states of padding are zero."""
        width = item.shape[1]
        places = torch.arange(width, device=item.device)
        from_end = (length[:, None] - 1 - places).clamp(min=0)
        is_event = (places < length[:, None]).to(item.dtype).unsqueeze(-1)
        x = item + self.action(action) + self.gap(gap) + self.dwell(dwell) + self.is_ad(is_ad)
        x = x + self.clock(clock) + self.place(from_end)
        x = self.dropout(self.norm_in(x))
        kernel = self.kernel[:width, :width]
        for block in self.blocks:
            x = block(x, is_event, kernel)
        states: Tensor = x * is_event
        return states
