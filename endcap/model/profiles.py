"""What kinds of item a shopper met, for tasks that ask of which kind the next will be."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from endcap.model.outputs import count_outputs, slices_of
from endcap.schema import NextCategory, Task

NUM_PROFILE = 2
"""Numbers that tell of a kind: log1p of the window's events of it, and whether the last is one."""


class Profiles(nn.Module):
    """Adds to a kind's answer what the shopper's own events of it say: two weights for all kinds.

    A conditional logit (McFadden 1974). It is solved with the plain answers (`train.plain`): from
    vectors of items a network finds as much only after many times the epochs.
    """

    def __init__(self, tasks: tuple[Task, ...]) -> None:
        super().__init__()
        places = slices_of(tasks)
        self.tasks = [task for task in tasks if isinstance(task, NextCategory)]
        self.places = [places[task.name] for task in self.tasks]
        self.width = count_outputs(tasks)
        weight = torch.zeros(len(self.tasks), NUM_PROFILE)
        self.weight = nn.Parameter(weight, requires_grad=False)

    def forward(self, kinds: Int[Tensor, "Q T K"]) -> Float[Tensor, "Q O"]:
        """Return what is added to all tasks' outputs.

        Args:
            kinds: of each event's item by task, as `features.item_groups` numbers them; 0 for none.
        """
        added = []
        for number, place in enumerate(self.places):
            told = self.told(kinds[..., number], place.stop - place.start) @ self.weight[number]
            added.append(functional.pad(told, (place.start, self.width - place.stop)))
        return torch.stack(added).sum(0)

    @staticmethod
    def told(kinds: Int[Tensor, "Q T"], num_kinds: int) -> Float[Tensor, "Q N P"]:
        """Return what windows tell of each kind, from number 1 on."""
        numbers = torch.arange(1, num_kinds + 1, device=kinds.device)
        is_kind = (kinds[..., None] == numbers).to(torch.float32)
        place = torch.arange(1, kinds.shape[1] + 1, device=kinds.device) * (kinds > 0)
        last = kinds.gather(1, place.argmax(1, keepdim=True))
        return torch.stack([is_kind.sum(1).log1p(), (last == numbers).to(torch.float32)], dim=-1)
