"""What a campaign's ads do beyond their items: how well they work, and at which hours."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from endcap.model.outputs import count_outputs, first_outputs, one_hot
from endcap.schema import Task

WAVES = 4
"""Sine and cosine of the day and of half the day."""


class CampaignEffects(nn.Module):
    """Log-odds that a campaign adds to each answer, `a_k + b_k . waves(hour)`; 0 for a product.

    Row 0 is a product, the last row an ad of a campaign that training never met.
    Only the chance of a click moves with the hour.
    """

    def __init__(self, num_campaigns: int, tasks: tuple[Task, ...]) -> None:
        super().__init__()
        self.by_hour, width = first_outputs(tasks, "ad click"), count_outputs(tasks)
        self.own = nn.Embedding(num_campaigns + 2, width, padding_idx=0)
        self.hours = nn.Embedding(num_campaigns + 2, WAVES * len(self.by_hour), padding_idx=0)
        for table in (self.own, self.hours):
            nn.init.zeros_(table.weight)
        self.spread: Tensor
        self.register_buffer("spread", one_hot(self.by_hour, width), persistent=False)

    def forward(
        self, campaign: Int[Tensor, "B C"], clock: Float[Tensor, "B F"]
    ) -> Float[Tensor, "B C O"]:
        """Return what is added, for questions whose clock starts with the hour's sine, cosine."""
        sine, cosine = clock[:, 0], clock[:, 1]
        waves = [sine, cosine, 2 * sine * cosine, cosine * cosine - sine * sine]
        # Multiplied and summed: an einsum over an axis of no width cannot be exported.
        hours = self.hours(campaign).unflatten(-1, (len(self.by_hour), WAVES))
        moved = (hours * torch.stack(waves, dim=-1)[:, None, None]).sum(-1)
        out: Tensor = self.own(campaign) + moved @ self.spread
        return out

    def penalty(self, rows: slice) -> Tensor:
        """Return the sum of squares of what some answers are moved by."""
        total = self.own.weight[:, rows].square().sum()
        for place, output in enumerate(self.by_hour):
            if rows.start <= output < rows.stop:
                total = total + self.hours.weight[:, place * WAVES :][:, :WAVES].square().sum()
        return total
