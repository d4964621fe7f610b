"""Weights averaged over the last steps: what is served should not hang on the last batch."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


class Averaged:
    """An average of weights that follows them, step by step.

    Args:
        weights: those that training moves.
        steps: over about how many of the last ones; 1 serves the weights as they are.
    """

    def __init__(self, weights: list[Tensor], steps: float) -> None:
        self._weights, self._steps = weights, steps
        self.mean = [each.detach().clone() for each in weights]
        self.steps_done = 0

    def follow(self) -> None:
        """Move the average towards the present weights; at first they are the same."""
        self.steps_done += 1
        share = max(1 / self._steps, 1 / self.steps_done)
        with torch.no_grad():
            torch._foreach_lerp_(self.mean, self._weights, share)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Put the average into the network for a while: what validation judges."""
        kept = [each.detach().clone() for each in self._weights]
        with torch.no_grad():
            torch._foreach_copy_(self._weights, self.mean)
        try:
            yield
        finally:
            with torch.no_grad():
                torch._foreach_copy_(self._weights, kept)
