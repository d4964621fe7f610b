"""How weights are moved: AdamW for what layers share, one number per row for a large id table."""

from typing import Any

import torch
from torch import nn

from endcap.model import Network

EXAMINATION_RATE, EFFECT_RATE, ROW_RATE = 10.0, 5.0, 10.0
"""Times the learning rate: a number of its own, told by many rows, may move faster than a layer.
A row of the id table is slowed down by its own past."""


class RowAdagrad(torch.optim.Optimizer):
    """Adagrad with one number per row, for tables with sparse gradients.

    Only the rows of a step are read and written, and the state of V rows is V numbers in place of
    Adam's 2 V D. Source: Duchi et al. 2011 (https://jmlr.org/papers/v12/duchi11a.html), the squares
    averaged over a row.
    """

    def __init__(self, tables: list[nn.Parameter], *, lr: float, weight_decay: float = 0.0) -> None:
        super().__init__(tables, {"lr": lr, "weight_decay": weight_decay})
        for table in tables:
            self.state[table]["squares"] = torch.zeros(len(table), device=table.device)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move the rows that have a gradient."""
        for group in self.param_groups:
            for table in group["params"]:
                if table.grad is None:
                    continue
                gradient = table.grad.coalesce()
                row, moved = gradient.indices()[0], gradient.values()
                squares = self.state[table]["squares"]
                squares[row] += moved.square().mean(-1)
                step = moved / (squares[row].sqrt()[:, None] + 1e-12)
                kept = table[row] * (1 - group["lr"] * group["weight_decay"])
                table[row] = kept - group["lr"] * step


def make_optimisers(
    network: Network, *, rate: float, weight_decay: float, by_row: bool
) -> list[torch.optim.Optimizer]:
    """Return what moves a network's weights.

    Args:
        weight_decay: of matrices, decoupled; numbers of their own have priors.
        by_row: whether the id table has sparse gradients.
    """
    slots, effects, rest = network.by_pace()
    ids = network.items.ids
    if by_row:
        rest = [weights for weights in rest if weights is not ids]
    groups: list[dict[str, Any]] = [
        {"params": [weights for weights in rest if weights.ndim == 1]},
        {"params": [w for w in rest if w.ndim > 1], "weight_decay": weight_decay},
        {"params": slots, "lr": EXAMINATION_RATE * rate},
        {"params": effects, "lr": EFFECT_RATE * rate},
    ]
    fused = ids.device.type == "cpu"
    found: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(groups, lr=rate, weight_decay=0.0, fused=fused)
    ]
    if by_row:
        found.append(RowAdagrad([ids], lr=ROW_RATE * rate, weight_decay=weight_decay / ROW_RATE))
    return found


def clip_gradients(parameters: list[nn.Parameter], limit: float) -> None:
    """Scale all gradients, sparse ones too, so that their norm is the limit at most."""
    for weights in parameters:
        if weights.grad is not None and weights.grad.is_sparse:
            weights.grad = weights.grad.coalesce()
    found = [weights.grad for weights in parameters if weights.grad is not None]
    values = [each.values() if each.is_sparse else each for each in found]
    norm = torch.nn.utils.get_total_norm(values)
    torch._foreach_mul_(values, (limit / (norm + 1e-6)).clamp(max=1.0))
