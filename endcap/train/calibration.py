"""Calibration of each task on validation days: p = e sigmoid(a z + b), and the same for a cure."""

from dataclasses import dataclass

import numpy as np
import torch
from msgspec import Struct
from torch import Tensor

from endcap.model import Network
from endcap.schema import Binary, Hazard, NextCategory, NextItem, Task
from endcap.train.batches import Batcher, TargetBatch
from endcap.train.losses import candidate_loss, examined_cell
from endcap.train.slots import ShownRows, fit_shown

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


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """What validation days corrected: slope and shift by task, and the examination of slots."""

    tasks: dict[str, Calibration]
    log_examination: Tensor
    """[P, E, L]; as it was trained where no task asks of shown slots."""


def calibrate(
    network: Network, batcher: Batcher, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> Calibrated:
    """Fit slope and shift of every task by likelihood on validation rows (Platt 1999).

    Tasks of shown slots are fitted together with a correction of the slots that they share.
    """
    found = {}
    collected = _collect(network, batcher, rows)
    log_e = network.examination.log().detach().cpu()
    shown = {
        task.name: ShownRows(
            logit=collected[task.name].outputs[:, 0],
            label=collected[task.name].target.label,
            cell=collected[task.name].cell,
            priors=_priors(network, task),
        )
        for task in network.tasks
        if _is_shown(task) and task.name in collected
    }
    if shown:
        fitted = fit_shown(shown, log_e)
        log_e = fitted.log_e.float()
        for name, line in fitted.lines.items():
            found[name] = _line(*line, float(shown[name].logit.mean()))
    for task in network.tasks:
        if _has_line(task) and task.name in collected and task.name not in found:
            found[task.name] = _fit(task, collected[task.name], priors=_priors(network, task))
    return Calibrated(tasks=found, log_examination=log_e)


def _is_shown(task: Task) -> bool:
    return isinstance(task, Binary) and task.space == "impressions"


def _has_line(task: Task) -> bool:
    is_dwell = isinstance(task, Hazard) and task.measures == "dwell"
    return not isinstance(task, NextItem | NextCategory) and not is_dwell


def _priors(network: Network, task: Task) -> tuple[float, float]:
    is_plain = bool(network.candidates.plain[network.slices[task.name]].any())
    return PLAIN_PRIORS if is_plain else (SLOPE_PRIOR, SHIFT_PRIOR)


@dataclass(frozen=True, kw_only=True)
class Collected:
    """What was answered about a task's rows, and what came, [N]."""

    outputs: Tensor
    target: TargetBatch
    cell: Tensor
    """Of `examined_cell`."""
    log_offset: Tensor


def _collect(
    network: Network, batcher: Batcher, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> dict[str, Collected]:
    parts: dict[str, list[Collected]] = {}
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
                part = Collected(
                    outputs=answers[target.place][:, network.slices[name]].cpu(),
                    target=target,
                    cell=examined_cell(network, batch, target).cpu(),
                    log_offset=batch.log_offset.flatten()[target.place].cpu(),
                )
                parts.setdefault(name, []).append(part)
    return {name: _joined(pieces) for name, pieces in parts.items()}


def _joined(pieces: list[Collected]) -> Collected:
    def cat(name: str) -> Tensor | None:
        tensors = [getattr(piece.target, name) for piece in pieces]
        return None if tensors[0] is None else torch.cat(tensors).cpu()

    label = cat("label")
    assert label is not None
    return Collected(
        outputs=torch.cat([piece.outputs for piece in pieces]),
        target=TargetBatch(
            place=torch.arange(len(label)),
            label=label,
            bin=cat("bin"),
            limit_bin=cat("limit_bin"),
            limit_share=cat("limit_share"),
        ),
        cell=torch.cat([piece.cell for piece in pieces]),
        log_offset=torch.cat([piece.log_offset for piece in pieces]),
    )


def _fit(task: Task, rows: Collected, *, priors: tuple[float, float]) -> Calibration:
    outputs, offset = rows.outputs.double(), rows.log_offset.double()
    centre = outputs[:, 0].mean()
    moved = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)  # slope, shift
    optimizer = torch.optim.LBFGS([moved], max_iter=50, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        # The slope turns about the mean logit, so that it and the shift are told apart.
        first = centre + (outputs[:, :1] - centre) * moved[0] + moved[1]
        scaled = torch.cat([first, outputs[:, 1:]], dim=1)
        nowhere = torch.zeros_like(offset)
        loss = candidate_loss(task, scaled, rows.target, nowhere, offset).sum()
        loss = loss + priors[0] * (moved[0] - 1).square() + priors[1] * moved[1].square()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    slope, shift = (float(part) for part in moved.detach())
    return _line(slope, shift, float(centre))


def _line(slope: float, shift: float, centre: float) -> Calibration:
    """Return slope and shift about 0 of those about a mean logit."""
    slope = max(slope, 0.0)
    return Calibration(slope=slope, shift=shift + centre * (1.0 - slope))
