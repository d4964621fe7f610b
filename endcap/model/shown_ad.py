"""An ad as an input of the question: what it does to a purchase that it stands on the page."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from endcap.model.outputs import count_outputs, kind_of, slices_of
from endcap.schema import Task

NUM_WAYS = 3
"""It stands there at all; the item is its own; the item is of its group."""


@dataclass(kw_only=True)
class AdInputs:
    """The ad that each question names, [B], beside its candidates [B, C]; rows of none are 0."""

    item: Tensor
    """[B, D] vector of the ad's item."""
    campaign: Tensor
    """0 for no ad, else the campaign's row + 1."""
    group: Tensor
    """Of `features.item_groups`, 0 for none."""
    candidate: Tensor
    """[B, C, D] vectors of the candidates."""
    is_own: Tensor
    """[B, C] 1 where the candidate is the ad's item."""


class ShownAd(nn.Module):
    """Log-odds that an ad on the page adds to the purchase of an item, and when it comes.

    `near . (any, own, same group) + a_k + v_j . (w v_ad)`: the first also moves the bins of time,
    since an ad may bring a purchase forward. An ad is no candidate here and has no slot: none of
    the others sees it. Without an ad exactly 0 is added.
    """

    def __init__(self, tasks: tuple[Task, ...], *, dim: int, num_campaigns: int) -> None:
        super().__init__()
        slices = slices_of(tasks)
        parts = [slices[task.name] for task in tasks if kind_of(task) == "any purchase"]
        self.rows = parts[0] if parts else slice(0, 0)
        width = self.rows.stop - self.rows.start
        first = min(width, 1)
        # Zeros throughout: what is not learned stays exactly nothing, and draws nothing at random.
        self.near = nn.Parameter(torch.zeros(NUM_WAYS, width))
        self.campaigns = nn.Parameter(torch.zeros(num_campaigns + 2, first))
        self.likeness = nn.Parameter(torch.zeros(dim, first))
        spread = torch.zeros(width, count_outputs(tasks))
        spread[:, self.rows] = torch.eye(width)
        self.spread: Tensor
        self.register_buffer("spread", spread, persistent=False)

    def forward(self, ad: AdInputs, item_group: Tensor) -> Float[Tensor, "B C O"]:
        """Return what is added to every answer.

        Args:
            item_group: [B, C] of the candidates.
        """
        stands = (ad.campaign > 0).to(ad.item.dtype)[:, None].expand_as(ad.is_own)
        same = ((item_group == ad.group[:, None]) & (item_group > 0)).to(ad.item.dtype)
        ways = torch.stack([stands, stands * ad.is_own, stands * same], dim=-1)
        of_campaign = self.campaigns[ad.campaign][:, None] * stands[..., None]
        alike = (ad.candidate * (ad.item[:, None] * stands[..., None])) @ self.likeness
        moved = ways @ self.near @ self.spread
        width = self.likeness.shape[1]
        out: Tensor = moved + (of_campaign + alike) @ self.spread[:width]
        return out

    def penalty(self, rows: slice) -> Tensor:
        """Return the sum of squares of what moves some answers."""
        if rows != self.rows:
            return self.near.new_zeros(())
        parts = (self.near, self.campaigns, self.likeness)
        return torch.stack([part.square().sum() for part in parts]).sum()
