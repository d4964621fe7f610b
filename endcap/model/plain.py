"""Two answers to each question, a linear model's and the network's, and what lies between them."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from endcap.model.config import ModelConfig
from endcap.schema import MOMENT_COLUMNS, NUM_CONTEXT, SHOPPER_COLUMNS, ContextColumn

_MET = [
    ContextColumn.SAME_ITEM_CLICKS,
    ContextColumn.SAME_ITEM_CARTS,
    ContextColumn.SAME_ITEM_PURCHASES,
]
"""Columns of which one is above 0 where the shopper met the item."""

_OF_SHOPPER = list(SHOPPER_COLUMNS)

_MOMENT = list(MOMENT_COLUMNS)

ACTIVE = 0.45
"""`SINCE_LAST` of a shopper who is here, or was within about a day."""

SHOPPER_SCALE, OTHER_SCALE = 1.0, 0.3
"""Standard deviations, a priori, of the weights of a shopper's own columns and of the others."""


class PlainHead(nn.Module):
    """Answers of a generalised linear model of the context; in bands, of an additive one.

    An item that the shopper met before has weights of its own beside those of all: what brings one
    back to a product is not what brings one to a new one. So has a shopper who is here now: half of
    a log's snapshots stand right after an event, and one line through them and through the months
    of silence was steep where nobody stood.

    A deep answer to questions that were asked again and again remembers their rows; a linear one
    has not the means to. Cheng et al. 2016 (https://arxiv.org/abs/1606.07792) train the sum of
    both by steps; here the linear one is solved first (`train.plain`), the deep one learns what it
    leaves, and validation days say how far to trust that.
    """

    def __init__(self, config: ModelConfig, num_outputs: int) -> None:
        super().__init__()
        bands = NUM_CONTEXT * config.context_bands
        width = 2 * (NUM_CONTEXT + 1) + len(_OF_SHOPPER) + bands
        self.linear = nn.Linear(width, num_outputs).requires_grad_(False)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def scales(self) -> Float[Tensor, " Z"]:
        """Return how far each column's weight may be from 0, a standard deviation."""
        scales = torch.full((self.linear.in_features,), OTHER_SCALE)
        now = 2 * NUM_CONTEXT + 1
        scales[_OF_SHOPPER] = scales[now : now + 1 + len(_OF_SHOPPER)] = SHOPPER_SCALE
        return scales

    def moment_columns(self) -> list[int]:
        """List the columns that tell of the moment of a question."""
        again, now = NUM_CONTEXT + 1, 2 * NUM_CONTEXT + 2
        columns = [*_MOMENT, *(again + each for each in _MOMENT)]
        return [*columns, *(now + _OF_SHOPPER.index(each) for each in _MOMENT)]

    def forward(
        self, context: Float[Tensor, "... X"], bands: Float[Tensor, "... Y"] | None
    ) -> Float[Tensor, "... O"]:
        """Return all tasks' outputs side by side; bands are the context by `Pieces`."""
        out: Tensor = self.linear(self.columns(context, bands))
        return out

    def columns(
        self, context: Float[Tensor, "... X"], bands: Float[Tensor, "... Y"] | None
    ) -> Float[Tensor, "... Z"]:
        """Return what the linear model weighs."""
        met = (context[..., _MET].amax(-1, keepdim=True) > 0).to(context.dtype)
        active = (context[..., [ContextColumn.SINCE_LAST]] > ACTIVE).to(context.dtype)
        own = active * context[..., _OF_SHOPPER]
        parts = [context, met, met * context, active, own]
        return torch.cat(parts if bands is None else [*parts, bands], dim=-1)


@dataclass(kw_only=True)
class Answers:
    """All tasks' outputs side by side, [Q, C, O], as the plain and the deep way give them."""

    plain: Tensor
    deep: Tensor

    def mixed(self, trust: Float[Tensor, " O"]) -> Tensor:
        """Return what lies between them: at 0 the plain answer, at 1 the deep one."""
        return self.plain + trust * (self.deep - self.plain)

    def of(self, place: Tensor, outputs: slice) -> "Answers":
        """Return some outputs of some candidates, [N, K]; places count through all questions."""
        chosen = (each.flatten(0, 1)[place][:, outputs] for each in (self.plain, self.deep))
        return replace(self, **dict(zip(("plain", "deep"), chosen, strict=True)))
