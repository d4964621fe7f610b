"""Answers that lean on answers like them with more to learn from."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from endcap.model.outputs import count_outputs, first_outputs, one_hot
from endcap.schema import Task

_LEANS = (
    ("ad click", "click"),
    ("purchase", "cart"),
    ("ad purchase", "cart"),
    ("ad purchase", "purchase"),
)


class Leans(nn.Module):
    """Add to a rare task's first output that of a task like it, times a learned factor.

    A purchase after a click leans on the cart after a click, an ad's click on a product's (Ma et
    al. 2018, https://arxiv.org/abs/1804.07931).
    """

    def __init__(self, tasks: tuple[Task, ...]) -> None:
        super().__init__()
        firsts = {kind: first_outputs(tasks, kind)[:1] for pair in _LEANS for kind in pair}
        self.pairs = [
            (child, parent)
            for below, above in _LEANS
            for child in firsts[below]
            for parent in firsts[above]
        ]
        """(output that leans, output that it leans on)."""
        self.factor = nn.Parameter(torch.ones(len(self.pairs)))
        width = count_outputs(tasks)
        below, above = (one_hot([pair[k] for pair in self.pairs], width) for k in (0, 1))
        self.below: Tensor
        self.above: Tensor
        self.register_buffer("below", below, persistent=False)
        self.register_buffer("above", above.T.contiguous(), persistent=False)

    def forward(self, answers: Float[Tensor, "B C O"]) -> Float[Tensor, "B C O"]:
        """Return the answers with what they lean on."""
        if not self.pairs:
            return answers
        return answers + ((answers @ self.above) * self.factor) @ self.below
