"""One step's worth of questions as tensors: what is read, and what came."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from endcap.model import CandidateBatch, HistoryBatch, QuestionBatch
from endcap.train.targets import (
    BinaryTarget,
    CategoryTarget,
    CountTarget,
    HazardTarget,
    Target,
)


@dataclass(kw_only=True)
class NextBatch:
    """What comes next: M targets of R (question, kind) pairs."""

    question: Tensor  # [R]
    action: Tensor  # [R]
    row: Tensor  # [M] which of the R
    item: Tensor  # [M]
    weight: Tensor  # [M]


@dataclass(kw_only=True)
class TargetBatch:
    """Labels of one task, for the candidates that it is asked of, [N]."""

    place: Tensor  # in the flattened [Q, C]
    label: Tensor  # binary label, "observed", how many, or which
    bin: Tensor | None = None
    limit_bin: Tensor | None = None
    limit_share: Tensor | None = None
    seconds: Tensor | None = None
    bin_seconds: Tensor | None = None  # [M] of the bins, the same for all rows


@dataclass(kw_only=True)
class Batch:
    """One step's worth of questions."""

    history: HistoryBatch
    question: QuestionBatch
    candidates: CandidateBatch | None
    placement: Tensor  # [Q, C]
    slot: Tensor  # [Q, C]
    log_offset: Tensor  # [Q, C]
    next: NextBatch
    targets: dict[str, TargetBatch]


def label_batch(
    target: Target, rows: NDArray[np.int64], place: NDArray[np.int64], device: torch.device
) -> TargetBatch:
    """Return a target's labels of some candidates, by their rows among all."""
    at = tensor_of(place, device)
    match target:
        case BinaryTarget():
            return TargetBatch(place=at, label=tensor_of(target.label[rows], device))
        case CountTarget():
            return TargetBatch(place=at, label=tensor_of(target.count[rows], device))
        case CategoryTarget():
            return TargetBatch(place=at, label=tensor_of(target.category[rows], device))
        case HazardTarget():
            seconds, bin_seconds = target.seconds, target.bin_seconds
            return TargetBatch(
                place=at,
                label=tensor_of(target.observed[rows], device),
                bin=tensor_of(target.bin[rows], device),
                limit_bin=tensor_of(target.limit_bin[rows], device),
                limit_share=tensor_of(target.limit_share[rows], device),
                seconds=None if seconds is None else tensor_of(seconds[rows], device),
                bin_seconds=None if bin_seconds is None else tensor_of(bin_seconds, device),
            )


def tensor_of(values: NDArray[np.generic], device: torch.device) -> Tensor:
    """Put an array where the network is."""
    return torch.from_numpy(np.ascontiguousarray(values)).to(device)
