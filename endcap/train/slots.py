"""What validation days say of slots: a correction of log e, so that p = e q stays a product."""

from dataclasses import dataclass

import torch
from torch import Tensor

from endcap.model import click_loss

SLOT_PRIOR = 50.0
"""Penalty, in nats, of moving a slot's log e by 1: a hundred clicks of validation days, which tell
it to a tenth, move it half of the way. A choice."""


@dataclass(frozen=True, kw_only=True)
class ShownRows:
    """What a task of shown slots answered on validation days, and what came, [N]."""

    logit: Tensor
    label: Tensor
    cell: Tensor
    """Place of (placement, device, slot) in the flattened examination."""
    priors: tuple[float, float]
    """Of slope and shift."""


@dataclass(frozen=True, kw_only=True)
class ShownFit:
    """Slope and shift about the mean logit by task, and log e as corrected, [P, E, L]."""

    lines: dict[str, tuple[float, float]]
    log_e: Tensor


def fit_shown(tasks: dict[str, ShownRows], log_e: Tensor) -> ShownFit:
    """Fit each task's slope and shift, and one correction per placement and slot for all of them.

    Tasks share their slots: a slot is looked at before it is known whether an ad stands there. What
    all slots have in common goes into the shifts, since a correction costs a hundred times more.
    """
    log_e = log_e.double()
    places, _, slots = log_e.shape
    lines = torch.tensor([[1.0, 0.0]] * len(tasks), dtype=torch.float64, requires_grad=True)
    moved = torch.zeros(places, slots, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([lines, moved], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        corrected = held(log_e + moved[:, None]).flatten()
        loss = SLOT_PRIOR * moved.square().sum()
        for (slope, shift), rows in zip(lines, tasks.values(), strict=True):
            logit = rows.logit.double()
            line = logit.mean() + (logit - logit.mean()) * slope + shift
            loss = loss + click_loss(line, corrected[rows.cell], rows.label).sum()
            loss = loss + rows.priors[0] * (slope - 1).square() + rows.priors[1] * shift.square()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    found = [(float(slope), float(shift)) for slope, shift in lines.detach()]
    return ShownFit(
        lines=dict(zip(tasks, found, strict=True)), log_e=held(log_e + moved.detach()[:, None])
    )


def held(log_e: Tensor) -> Tensor:
    """Hold [P, E, L] to the convention: no slot above an earlier one, and the best first slot at 0.

    A shop of one slot is left as it is, whatever it is moved by.
    """
    falling: Tensor = log_e.cummin(dim=-1).values
    return falling - falling[:, :, :1].amax(dim=0, keepdim=True)
