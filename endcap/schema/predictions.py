"""What the engine asks of a predictor, and what a predictor answers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.schema.events import Events


@dataclass(frozen=True, kw_only=True)
class Ad:
    """An ad as an input of a question: rows of the item that it shows and of its campaign."""

    item: int
    campaign: int


@dataclass(frozen=True, kw_only=True)
class Question:
    """One shopper at one instant, and the candidates in question; rows are the engine's rows."""

    user_id: str
    history: Events
    """The shopper's events strictly before `at_us`, oldest first."""
    at_us: int
    device: int
    item: NDArray[np.int32]
    """[C] catalogue rows."""
    campaign: NDArray[np.int32]
    """[C] campaign rows; -1 for a product."""
    counters: NDArray[np.float32]
    """[V, N] what all shoppers did with each item, as of the start of the day."""


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Calibrated answers, one per candidate; none depends on another candidate."""

    q: NDArray[np.float64]
    """[C] P(click | examined)."""
    dwell_ms: NDArray[np.float64]
    """[C] E[dwell | click]."""
    buy: NDArray[np.float64]
    """[C] P(this item is bought within the attribution window | click)."""
    context: NDArray[np.float32] | None = None
    """[C, X] the dense columns that the model read, for tier 2 of the record."""
