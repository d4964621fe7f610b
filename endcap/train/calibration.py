"""What validation days say of each task's answers: how far to trust the deep ones, slope, shift.

p = e sigmoid(a z + b) with z between the plain and the deep log-odds, and the same for a cure.
"""

from dataclasses import dataclass

import numpy as np
import torch
from msgspec import Struct
from torch import Tensor

from endcap.model import Answers, Network
from endcap.schema import Binary, Hazard, NextCategory, Task
from endcap.train.batch import TargetBatch
from endcap.train.batches import Batcher
from endcap.train.losses import candidate_loss, examined_cell, trained_loss
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

TRUST_PRIOR = 8.0
"""Penalty, in nats, of a trust in the deep answer that is off one half by 1: 2 at either end."""


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


@dataclass(frozen=True, kw_only=True)
class Collected:
    """What was answered about a task's rows on validation days, and what came, [N]."""

    answers: Answers
    target: TargetBatch
    cell: Tensor
    """Of `examined_cell`."""
    log_offset: Tensor


def calibrate(
    network: Network, batcher: Batcher, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> Calibrated:
    """Fit trust, slope and shift of every task by likelihood on validation rows (Platt 1999).

    The trust is left in the network, which serves what lies between its two answers; dwell and the
    next category have no other number. Tasks of shown slots are then fitted together with a
    correction of the slots that they share.
    """
    found, shown = {}, {}
    log_e = network.examination.log().detach().cpu()
    for name, parts in _collect(network, batcher, rows).items():
        task = next(task for task in network.tasks if task.name == name)
        outputs, collected = network.slices[name], _joined(parts)
        is_deep = bool(network.is_deep[outputs].all())
        priors = (SLOPE_PRIOR, SHIFT_PRIOR) if is_deep else PLAIN_PRIORS
        trust, calibration = _fit(task, collected, log_e, priors=priors)
        network.trust[outputs] = trust
        if _has_line(task):
            found[name] = calibration
        if _is_shown(task):
            logit = collected.answers.mixed(torch.tensor(trust))[:, 0]
            label, cell = collected.target.label, collected.cell
            shown[name] = ShownRows(logit=logit, label=label, cell=cell, priors=priors)
    if shown:
        fitted = fit_shown(shown, log_e)
        log_e = fitted.log_e.float()
        for name, (slope, shift) in fitted.lines.items():
            found[name] = _line(slope, shift, float(shown[name].logit.mean()))
    return Calibrated(tasks=found, log_examination=log_e)


def _is_shown(task: Task) -> bool:
    return isinstance(task, Binary) and task.space == "impressions"


def _has_line(task: Task) -> bool:
    is_dwell = isinstance(task, Hazard) and task.measures == "dwell"
    return not isinstance(task, NextCategory) and not is_dwell


def _collect(
    network: Network, batcher: Batcher, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> dict[str, list[Collected]]:
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
            )
            for name, target in batch.targets.items():
                part = Collected(
                    answers=answers.of(target.place, network.slices[name]),
                    target=target,
                    cell=examined_cell(network, batch, target).cpu(),
                    log_offset=batch.log_offset.flatten()[target.place].cpu(),
                )
                parts.setdefault(name, []).append(part)
    return parts


def _joined(parts: list[Collected]) -> Collected:
    def cat(name: str) -> Tensor | None:
        tensors = [getattr(part.target, name) for part in parts]
        return None if tensors[0] is None else torch.cat(tensors).cpu()

    label, bin_seconds = cat("label"), parts[0].target.bin_seconds
    assert label is not None
    return Collected(
        answers=Answers(
            plain=torch.cat([part.answers.plain for part in parts]).double().cpu(),
            deep=torch.cat([part.answers.deep for part in parts]).double().cpu(),
        ),
        target=TargetBatch(
            place=torch.arange(len(label)),
            label=label,
            bin=cat("bin"),
            limit_bin=cat("limit_bin"),
            limit_share=cat("limit_share"),
            seconds=cat("seconds"),
            bin_seconds=None if bin_seconds is None else bin_seconds.cpu(),
        ),
        cell=torch.cat([part.cell for part in parts]),
        log_offset=torch.cat([part.log_offset for part in parts]).double(),
    )


def _fit(
    task: Task, rows: Collected, log_e: Tensor, *, priors: tuple[float, float]
) -> tuple[float, Calibration]:
    """Return the trust, and slope and shift where the task has any.

    Args:
        log_e: [P, E, L], which the rows' cells are of.
    """
    centre = float(rows.answers.mixed(torch.tensor(0.5)).mean(0)[0])
    # Log-odds of the trust, slope, shift.
    moved = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([moved], max_iter=100, line_search_fn="strong_wolfe")
    has_line, examined = _has_line(task), log_e.double().flatten()[rows.cell]
    loss_of = candidate_loss if has_line else trained_loss
    free = torch.tensor([1.0, float(has_line), float(has_line)])

    def closure() -> Tensor:
        optimizer.zero_grad()
        trust = moved[0].sigmoid()
        outputs = rows.answers.mixed(trust)
        # The slope turns about the mean logit, so that it and the shift are told apart.
        first = centre + (outputs[:, :1] - centre) * moved[1] + moved[2]
        scaled = torch.cat([first, outputs[:, 1:]], dim=1)
        loss = loss_of(task, scaled, rows.target, examined, rows.log_offset).sum()
        loss = loss + priors[0] * (moved[1] - 1).square() + priors[1] * moved[2].square()
        loss = loss + TRUST_PRIOR * (trust - 0.5).square()
        loss.backward()  # type: ignore[no-untyped-call]
        assert moved.grad is not None
        moved.grad *= free
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    trust, slope, shift = moved.detach()[0].sigmoid(), *moved.detach()[1:]
    return float(trust), _line(float(slope), float(shift), centre)


def _line(slope: float, shift: float, centre: float) -> Calibration:
    """Return slope and shift about 0 of those about a mean logit."""
    slope = max(slope, 0.0)
    return Calibration(slope=slope, shift=shift + centre * (1.0 - slope))
