"""What a shopper did of late in one group of items excites or stills another group."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from endcap.schema import NUM_ACTIONS, NUM_GAPS

DAY_SECONDS = 86_400.0
START = 0.3
FADING_DAYS = 2.0
"""How long an event moves what comes after it, until training knows better."""


class Excitation(nn.Module):
    """Log-odds of a candidate moved by earlier events: `sum_g log1p(a_g) P[g, g_c]`.

    Here a_g is the sum of `w(action) f(age)` over the events in group g: it fades, and each further
    event of one group says less. The kernel of a multivariate Hawkes process (Hawkes 1971,
    https://doi.org/10.2307/2334319), between groups of items in place of items. Attention finds
    what an event and a candidate have in common; that a case goes with a phone is a number of its
    own, and a small log tells it.

    Args:
        num_groups: groups of items, from 1; items of group 0 excite nothing and are not excited.
        num_outputs: how many answers are moved, each by numbers of its own.
    """

    def __init__(self, num_groups: int, num_outputs: int) -> None:
        super().__init__()
        self.num_groups = num_groups
        self.kind = nn.Parameter(torch.ones(NUM_ACTIONS))
        seconds = 2.0 ** torch.arange(NUM_GAPS) - 1.0  # where each bucket of ages ends
        self.fade = nn.Parameter(torch.exp(-seconds / (FADING_DAYS * DAY_SECONDS)))
        # A ridge on two factors is a lasso on their product: most pairs have nothing in common
        # (Hoff 2017, https://doi.org/10.1016/j.csda.2017.06.007).
        shape = (num_outputs, num_groups, num_groups)
        self.left = nn.Parameter(torch.full(shape, START))
        self.right = nn.Parameter(torch.zeros(shape))

    @property
    def pairs(self) -> Float[Tensor, "K G G"]:
        """Return P: by how much one of the first group moves the log-odds of the second."""
        return self.left * self.right

    def penalty(self, output: int) -> Tensor:
        """Return twice the sum of |P| of one output, at the factors that make it least."""
        return self.left[output].square().sum() + self.right[output].square().sum()

    def forward(
        self,
        event_group: Int[Tensor, "B T"],
        action: Int[Tensor, "B T"],
        age: Int[Tensor, "B T"],
        item_group: Int[Tensor, "B C"],
    ) -> Float[Tensor, "B C K"]:
        """Return what is added to each candidate's log-odds."""
        amount = self.kind[action] * self.fade[age]
        member = F.one_hot(event_group, self.num_groups + 1)[..., 1:].to(amount.dtype)
        activity = torch.einsum("bt,btg->bg", amount, member).clamp(min=0.0).log1p()
        moved = torch.einsum("bg,kgh->bhk", activity, self.pairs)
        moved = F.pad(moved, (0, 0, 1, 0))  # group 0
        return moved.gather(1, item_group[..., None].expand(-1, -1, moved.shape[-1]))
