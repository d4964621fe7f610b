"""What validation days say of each task's answers: how far to trust the deep ones, slope, shift.

p = e sigmoid(a z + b) with z between the plain and the deep log-odds, and the same for a cure.
"""

from dataclasses import dataclass

import numpy as np
import torch
from msgspec import Struct
from torch import Tensor

from endcap.model import Answers, Network
from endcap.schema import Hazard, NextCategory, Task
from endcap.train.batches import Batcher, TargetBatch
from endcap.train.losses import candidate_loss, log_examination, trained_loss

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
class _Judged:
    """A task's answers on validation days, beside what came."""

    answers: Answers
    target: TargetBatch
    log_e: Tensor
    log_offset: Tensor


def calibrate(
    network: Network, batcher: Batcher, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> dict[str, Calibration]:
    """Fit trust, slope and shift of every task by likelihood on validation rows (Platt 1999).

    The trust is left in the network, which serves what lies between its two answers; dwell and the
    next category have no other number.
    """
    found = {}
    for name, parts in _collect(network, batcher, rows).items():
        task = next(task for task in network.tasks if task.name == name)
        outputs = network.slices[name]
        is_deep = bool(network.is_deep[outputs].all())
        priors = (SLOPE_PRIOR, SHIFT_PRIOR) if is_deep else PLAIN_PRIORS
        is_moved = not (isinstance(task, NextCategory) or _tells_dwell(task))
        trust, calibration = _fit(task, _joined(parts), priors=priors, is_moved=is_moved)
        network.trust[outputs] = trust
        if is_moved:
            found[name] = calibration
    return found


def _tells_dwell(task: Task) -> bool:
    return isinstance(task, Hazard) and task.measures == "dwell"


def _collect(
    network: Network, batcher: Batcher, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> dict[str, list[_Judged]]:
    parts: dict[str, list[_Judged]] = {}
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
                judged = _Judged(
                    answers=answers.of(target.place, network.slices[name]),
                    target=target,
                    log_e=log_examination(network, batch, target),
                    log_offset=batch.log_offset.flatten()[target.place],
                )
                parts.setdefault(name, []).append(judged)
    return parts


def _joined(parts: list[_Judged]) -> _Judged:
    def cat(name: str) -> Tensor | None:
        tensors = [getattr(part.target, name) for part in parts]
        return None if tensors[0] is None else torch.cat(tensors)

    label = cat("label")
    assert label is not None
    return _Judged(
        answers=Answers(
            plain=torch.cat([part.answers.plain for part in parts]).double(),
            deep=torch.cat([part.answers.deep for part in parts]).double(),
        ),
        target=TargetBatch(
            place=torch.arange(len(label)),
            label=label,
            bin=cat("bin"),
            limit_bin=cat("limit_bin"),
            limit_share=cat("limit_share"),
            seconds=cat("seconds"),
            bin_seconds=parts[0].target.bin_seconds,
        ),
        log_e=torch.cat([part.log_e for part in parts]).double(),
        log_offset=torch.cat([part.log_offset for part in parts]).double(),
    )


def _fit(
    task: Task, judged: _Judged, *, priors: tuple[float, float], is_moved: bool
) -> tuple[float, Calibration]:
    centre = float(judged.answers.mixed(torch.tensor(0.5)).mean(0)[0])
    # Log-odds of the trust, slope, shift.
    moved = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([moved], max_iter=100, line_search_fn="strong_wolfe")
    loss_of = candidate_loss if is_moved else trained_loss
    still = torch.tensor([1.0, 1.0 if is_moved else 0.0, 1.0 if is_moved else 0.0])

    def closure() -> Tensor:
        optimizer.zero_grad()
        trust = moved[0].sigmoid()
        outputs = judged.answers.mixed(trust)
        # The slope turns about the mean logit, so that it and the shift are told apart.
        first = centre + (outputs[:, :1] - centre) * moved[1] + moved[2]
        scaled = torch.cat([first, outputs[:, 1:]], dim=1)
        loss = loss_of(task, scaled, judged.target, judged.log_e, judged.log_offset).sum()
        loss = loss + priors[0] * (moved[1] - 1).square() + priors[1] * moved[2].square()
        loss = loss + TRUST_PRIOR * (trust - 0.5).square()
        loss.backward()  # type: ignore[no-untyped-call]
        assert moved.grad is not None
        moved.grad *= still
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    trust, slope, shift = moved.detach()[0].sigmoid(), *moved.detach()[1:]
    slope = slope.clamp(min=0.0)
    shift = shift + centre * (1.0 - slope)
    return float(trust), Calibration(slope=float(slope), shift=float(shift))
