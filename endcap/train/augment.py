"""Noise in training: windows cut short, events without their item, vectors moved against us."""

from dataclasses import dataclass

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How windows are varied while training; a step that is not training leaves them as they are.

    Attributes:
        crop: chance that a window loses its oldest events, up to all but the latest.
        mask: chance that an event does not tell its item.
    """

    crop: float = 0.0
    mask: float = 0.0

    def cropped(self, length: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int64]:
        """Return how many of the latest events each window keeps."""
        if self.crop == 0:
            return length
        kept = 1 + (random.random(len(length)) * length).astype(np.int64)
        is_cropped = random.random(len(length)) < self.crop
        return np.where(is_cropped, np.minimum(kept, length), length)

    def masked(self, item: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int64]:
        """Return rows of items, [W, T], some of them -1: an event of no known item."""
        if self.mask == 0:
            return item
        return np.where(random.random(item.shape) < self.mask, -1, item)


def perturbation(gradient: Tensor, size: float) -> Tensor:
    """Return the step of `size` per vector that raises the loss most, to first order.

    Rows without gradient stay where they are. Source: He et al. 2018
    (https://arxiv.org/abs/1808.03908), equation 8, per item vector.
    """
    return size * F.normalize(gradient, dim=-1, eps=1e-20)
