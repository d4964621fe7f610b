"""Calibration of each task on validation days: p = e sigmoid(a z + b), and the same for a cure."""

import numpy as np
import torch
from msgspec import Struct
from torch import Tensor

from endcap.model import Network
from endcap.schema import Hazard, NextCategory, NextItem, Task
from endcap.train.batches import Batcher, TargetBatch
from endcap.train.losses import candidate_loss, log_examination

SLOPE_PRIOR, SHIFT_PRIOR = 1.0, 0.5
"""Penalties, in nats, of a slope of 0 in place of 1 and of a shift by 1, with few events.

They are weak on purpose: a head with few events to learn from is overconfident, and a slope near 0,
which says "the same for all", must be within reach of twenty validation events.
"""

PLAIN_PRIORS = 30.0, 20.0
"""The same for a plain task: its weights have a prior already, and what few events tell of a slope
or shift is mostly luck. 30 purchases after clicks on ads once made every ad's half as likely again,
and ads took the places of better products."""


class Calibration(Struct, frozen=True, kw_only=True):
    """Slope and shift of a task's first logit; 1 and 0 say that it was left as it was."""

    slope: float = 1.0
    shift: float = 0.0


def calibrate(
    network: Network, batcher: Batcher, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> dict[str, Calibration]:
    """Fit slope and shift of every task by likelihood on validation rows (Platt 1999)."""
    found = {}
    collected = _collect(network, batcher, rows)
    for task in network.tasks:
        if isinstance(task, NextItem | NextCategory):
            continue
        if isinstance(task, Hazard) and task.measures == "dwell":
            continue
        if task.name in collected:
            is_plain = bool(network.candidates.plain[network.slices[task.name]].any())
            priors = PLAIN_PRIORS if is_plain else (SLOPE_PRIOR, SHIFT_PRIOR)
            found[task.name] = _fit(task, *collected[task.name], priors=priors)
    return found


def _collect(
    network: Network, batcher: Batcher, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> dict[str, tuple[Tensor, TargetBatch, Tensor, Tensor]]:
    parts: dict[str, list[tuple[Tensor, TargetBatch, Tensor, Tensor]]] = {}
    network.eval()
    with torch.no_grad():
        vectors = network.items()
        for chosen in batcher.cut(rows, 512, np.random.default_rng(0)):
            batch = batcher.lay_out(chosen)
            if batch.candidates is None:
                continue
            states, last = network.read(vectors, batch.history)
            answers = network.respond(
                vectors, states, last, batch.history, batch.question, batch.candidates
            ).flatten(0, 1)
            for name, target in batch.targets.items():
                outputs = answers[target.place][:, network.slices[name]]
                log_e = log_examination(network, batch, target)
                offset = batch.log_offset.flatten()[target.place]
                parts.setdefault(name, []).append((outputs, target, log_e, offset))
    return {name: _joined(pieces) for name, pieces in parts.items()}


def _joined(
    pieces: list[tuple[Tensor, TargetBatch, Tensor, Tensor]],
) -> tuple[Tensor, TargetBatch, Tensor, Tensor]:
    def cat(name: str) -> Tensor | None:
        tensors = [getattr(target, name) for _, target, _, _ in pieces]
        return None if tensors[0] is None else torch.cat(tensors)

    label = cat("label")
    assert label is not None
    target = TargetBatch(
        place=torch.arange(len(label)),
        label=label,
        bin=cat("bin"),
        limit_bin=cat("limit_bin"),
        limit_share=cat("limit_share"),
    )
    outputs, _, log_e, offset = zip(*pieces, strict=True)
    return torch.cat(outputs), target, torch.cat(log_e), torch.cat(offset)


def _fit(
    task: Task,
    outputs: Tensor,
    target: TargetBatch,
    log_e: Tensor,
    offset: Tensor,
    *,
    priors: tuple[float, float],
) -> Calibration:
    centre = float(outputs[:, 0].mean())
    moved = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)  # slope, shift
    optimizer = torch.optim.LBFGS([moved], max_iter=50, line_search_fn="strong_wolfe")
    outputs = outputs.double()

    def closure() -> Tensor:
        optimizer.zero_grad()
        # The slope turns about the mean logit, so that it and the shift are told apart.
        first = centre + (outputs[:, :1] - centre) * moved[0] + moved[1]
        scaled = torch.cat([first, outputs[:, 1:]], dim=1)
        loss = candidate_loss(task, scaled, target, log_e.double(), offset.double()).sum()
        loss = loss + priors[0] * (moved[0] - 1).square() + priors[1] * moved[1].square()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    slope, shift = (float(part) for part in moved.detach())
    slope = max(slope, 0.0)
    return Calibration(slope=slope, shift=shift + centre * (1.0 - slope))
