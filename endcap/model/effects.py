"""Numbers of their own, beside all that layers share: of an item, a campaign, a pair of groups."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor, nn

from endcap.model.campaigns import CampaignEffects
from endcap.model.excitation import Excitation
from endcap.model.outputs import count_outputs, first_outputs, one_hot
from endcap.model.shown_ad import AdInputs, ShownAd
from endcap.schema import Task

EFFECT_RIDGE = 1 / 16
"""Of the ridge on a layer's weights: items and campaigns differ by about 0.4 in log-odds."""

LASSO = 0.1
"""Of the same ridge, on the factors of a pair: a lasso that is as strong at 0.1."""


@dataclass(kw_only=True)
class EffectInputs:
    """What the effects read of questions [B], their windows [B, T] and candidates [B, C]."""

    of_item: Tensor
    """[B, C, K] of `Effects.of_items`."""
    campaign: Tensor
    clock: Tensor
    item_group: Tensor
    """Of `features.item_groups`, 0 for none."""
    event_group: Tensor
    action: Tensor
    age: Tensor
    ad: AdInputs | None = None
    """What is added without one is exactly 0."""


class Effects(nn.Module):
    """What an item, a campaign at its hour, and the shopper's last events add to the log-odds.

    Shared vectors learn last what concerns one thing alone; each of these numbers learns from its
    own rows, held by a prior. A click's and any purchase's chance have an item's effect and are
    excited by earlier events; an ad's click has its campaign's.
    """

    def __init__(
        self,
        tasks: tuple[Task, ...],
        *,
        is_known: NDArray[np.bool_],
        num_campaigns: int,
        num_groups: int,
        dim: int,
    ) -> None:
        super().__init__()
        self.moved = sorted(first_outputs(tasks, "click") + first_outputs(tasks, "any purchase"))
        """Outputs that items and events move."""
        self.items = nn.Parameter(torch.zeros(len(is_known), len(self.moved)))
        self.campaigns = CampaignEffects(num_campaigns, tasks)
        self.excitation = Excitation(num_groups, len(self.moved))
        self.shown_ad = ShownAd(tasks, dim=dim, num_campaigns=num_campaigns)
        self.is_known: Bool[Tensor, " V"]
        self.register_buffer("is_known", torch.from_numpy(is_known), persistent=False)
        self.spread: Tensor
        spread = one_hot(self.moved, count_outputs(tasks))
        self.register_buffer("spread", spread, persistent=False)

    def of_items(self) -> Float[Tensor, "V K"]:
        """Return what each item adds to its answers; 0 for one that training never met."""
        return self.items * self.is_known[:, None]

    def forward(self, inputs: EffectInputs) -> Float[Tensor, "B C O"]:
        """Return what is added to every answer, but for an ad on the page."""
        moved = inputs.of_item + self.excitation(
            inputs.event_group, inputs.action, inputs.age, inputs.item_group
        )
        out: Tensor = self.campaigns(inputs.campaign, inputs.clock) + moved @ self.spread
        return out

    def of_ad(self, inputs: EffectInputs) -> Float[Tensor, "B C O"] | float:
        """Return what an ad on the page adds to every answer; 0 where no question names one."""
        if inputs.ad is None:
            return 0.0
        out: Tensor = self.shown_ad(inputs.ad, inputs.item_group)
        return out

    def penalty(self, rows: slice) -> Tensor:
        """Return the prior of what moves some outputs, in units of the ridge on other weights."""
        total = EFFECT_RIDGE * (self.campaigns.penalty(rows) + self.shown_ad.penalty(rows))
        for k, output in enumerate(self.moved):
            if rows.start <= output < rows.stop:
                total = total + EFFECT_RIDGE * self.items[:, k].square().sum()
                total = total + LASSO * self.excitation.penalty(k)
        return total
