"""How much a campaign's ads draw beyond their items, and at which hours."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from endcap.model.outputs import count_outputs, first_outputs, one_hot
from endcap.schema import Task

WAVES = 5
"""A constant, and sine and cosine of the day and of half the day."""


class CampaignEffects(nn.Module):
    """Log-odds of a click that a campaign adds, `a_k + b_k . waves(hour)`; 0 for a product.

    Row 0 is a product, the last row an ad of a campaign that training never met. What comes after
    the click is left to the item: campaigns have few purchases to tell them apart by.
    """

    def __init__(self, num_campaigns: int, tasks: tuple[Task, ...]) -> None:
        super().__init__()
        self.moved = first_outputs(tasks, "ad click")
        width = WAVES * len(self.moved)
        self.waves = nn.Embedding(num_campaigns + 2, width, padding_idx=0)
        nn.init.zeros_(self.waves.weight)
        self.spread: Tensor
        spread = one_hot(self.moved, count_outputs(tasks))
        self.register_buffer("spread", spread, persistent=False)

    def forward(
        self, campaign: Int[Tensor, "B C"], clock: Float[Tensor, "B F"]
    ) -> Float[Tensor, "B C O"]:
        """Return what is added, for questions whose clock starts with the hour's sine, cosine."""
        sine, cosine = clock[:, 0], clock[:, 1]
        half = [2 * sine * cosine, cosine * cosine - sine * sine]
        waves = torch.stack([torch.ones_like(sine), sine, cosine, *half], dim=-1)
        # Multiplied and summed: an einsum over an axis of no width cannot be exported.
        by_wave = self.waves(campaign).unflatten(-1, (len(self.moved), WAVES))
        out: Tensor = (by_wave * waves[:, None, None]).sum(-1) @ self.spread
        return out

    def penalty(self, rows: slice) -> Tensor:
        """Return the sum of squares of what some answers are moved by."""
        total = self.waves.weight.new_zeros(())
        for place, output in enumerate(self.moved):
            if rows.start <= output < rows.stop:
                total = total + self.waves.weight[:, place * WAVES :][:, :WAVES].square().sum()
        return total
