"""Calibration of each task on validation days: p = e sigmoid(a z + b), and the same for a cure."""

import numpy as np
import torch
from msgspec import Struct
from torch import Tensor

from endcap.model import Network
from endcap.schema import Hazard, NextItem, Task
from endcap.train.batches import Batcher, TargetBatch
from endcap.train.losses import candidate_loss, log_examination

LEAST_POSITIVES = 20
"""Below so many events the slope stays 1 and the shift is drawn towards 0."""


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
        if isinstance(task, NextItem) or (isinstance(task, Hazard) and task.measures == "dwell"):
            continue
        if task.name in collected:
            found[task.name] = _fit(task, *collected[task.name])
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
    task: Task, outputs: Tensor, target: TargetBatch, log_e: Tensor, offset: Tensor
) -> Calibration:
    positives = int((target.label > 0).sum())
    moved = torch.zeros(2, dtype=torch.float64, requires_grad=True)  # log slope, shift
    optimizer = torch.optim.LBFGS([moved], max_iter=50, line_search_fn="strong_wolfe")
    outputs = outputs.double()
    free = 1.0 if positives >= LEAST_POSITIVES else 0.0

    def closure() -> Tensor:
        optimizer.zero_grad()
        first = outputs[:, :1] * torch.exp(free * moved[0]) + moved[1]
        scaled = torch.cat([first, outputs[:, 1:]], dim=1)
        loss = candidate_loss(task, scaled, target, log_e.double(), offset.double()).sum()
        loss = loss + 5.0 * moved.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    slope, shift = float(torch.exp(free * moved[0]).detach()), float(moved[1].detach())
    return Calibration(slope=slope, shift=shift)
