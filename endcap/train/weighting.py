"""How much each task counts in a step: as declared, by uncertainty, or equal at what all read."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from endcap.schema import Weighting

SIGMA_RATE = 10.0
"""Times the learning rate: one number per task, told by every batch, as a slot's is."""

MEASURE_EVERY, MEMORY = 10, 0.9
"""Gradient norms are measured in one step of ten, and remembered as a moving average."""

MOST = 100.0
"""A task whose gradient is almost nothing is raised so far at most: more would be its noise."""


class TaskWeights(nn.Module):
    """Factors on the scaled losses, beside the declared lambdas; `fixed` leaves all at 1.

    `uncertainty` minimises L_k exp(-2 s_k) + s_k with a learned s_k = log sigma_k per task (Kendall
    et al. 2018, https://arxiv.org/abs/1705.07115). `balanced` gives every task a gradient of one
    length with respect to the states that all tasks read, the geometric mean of their lengths
    (IMTL, Liu et al. 2021, by the shared output alone: no pass through the encoder).
    """

    def __init__(self, names: list[str], how: Weighting = "fixed") -> None:
        super().__init__()
        self.how = how
        self.names = names
        self.log_sigma = nn.Parameter(torch.zeros(len(names)), requires_grad=how == "uncertainty")
        self.norm: Tensor
        """Length of each task's gradient at the shared states; 0 where it is not known yet."""
        self.register_buffer("norm", torch.zeros(len(names)))
        self.steps: Tensor
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def factors(self) -> dict[str, float]:
        """Return what each task's scaled loss is multiplied by at present."""
        with torch.no_grad():
            if self.how == "uncertainty":
                found = (-2 * self.log_sigma).exp()
            elif self.how == "balanced":
                known = self.norm > 0
                middle = self.norm[known].log().mean().exp() if known.any() else self.norm.sum()
                equal = (middle / self.norm.clamp(min=1e-30)).clamp(max=MOST)
                found = torch.where(known, equal, 1.0)
            else:
                found = torch.ones_like(self.norm)
        return dict(zip(self.names, found.tolist(), strict=True))

    def combine(self, losses: Mapping[str, Tensor], lambdas: Mapping[str, float]) -> Tensor:
        """Return the sum over tasks of lambda_k f_k L_k; by uncertainty with what holds sigma."""
        if self.how == "uncertainty":
            place = {name: k for k, name in enumerate(self.names)}
            log_sigma = {name: self.log_sigma[place[name]] for name in losses}
            parts = [
                lambdas[name] * (loss * (-2 * log_sigma[name]).exp() + log_sigma[name])
                for name, loss in losses.items()
            ]
        else:
            factors = self.factors()
            parts = [lambdas[name] * factors[name] * loss for name, loss in losses.items()]
        return torch.stack(parts).sum()

    def measure(self, losses: Mapping[str, Tensor], states: Tensor) -> None:
        """Note the length of each task's gradient with respect to the shared states, now and then.

        A task that does not read them (a plain one) moves nothing that is shared, and stays as
        declared.
        """
        if self.how != "balanced":
            return
        is_due = int(self.steps) % MEASURE_EVERY == 0
        self.steps += 1
        if not is_due:
            return
        for k, name in enumerate(self.names):
            if name in losses and losses[name].requires_grad:
                norm = _length(losses[name], states)
                before = self.norm[k]
                self.norm[k] = norm if before == 0 else MEMORY * before + (1 - MEMORY) * norm

    def optimiser(self, rate: float) -> list[torch.optim.Optimizer]:
        """Return what moves the log sigmas; nothing where none is learned."""
        if self.how != "uncertainty":
            return []
        return [torch.optim.Adam([self.log_sigma], lr=SIGMA_RATE * rate)]


def _length(loss: Tensor, states: Tensor) -> Tensor:
    (found,) = torch.autograd.grad(loss, states, retain_graph=True, allow_unused=True)
    length: Tensor = loss.new_zeros(()) if found is None else found.norm()
    return length
