"""What the two graphs give: a shopper as read, and answers with what they looked at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class State:
    """A shopper read once, or B histories: what candidates and lists are asked of."""

    states: NDArray[np.float32]  # [B, T, D]
    last: NDArray[np.float32]  # [B, D]
    users: NDArray[np.float32]  # [B, D]
    age: NDArray[np.int64]
    group: NDArray[np.int64]  # [B, T] of the events' items
    kinds: NDArray[np.int64]  # [B, T, K] of the same, by task
    action: NDArray[np.int64]
    length: NDArray[np.int64]
    clock: NDArray[np.float32]
    since: NDArray[np.int64]
    device: NDArray[np.int64]

    @property
    def user(self) -> NDArray[np.float32]:
        """Return the vector [D] of the one shopper whose list is asked for."""
        user: NDArray[np.float32] = self.users[0]
        return user


@dataclass(frozen=True, kw_only=True)
class Response:
    """What the graph answers about candidates, and what it looked at."""

    answers: NDArray[np.float64]  # [B, C, O] raw outputs
    events: NDArray[np.float32]  # [B, C, 1 + T] attention on "nothing" and each event
    dimensions: NDArray[np.float32]  # [B, C, F] attention on `DIMENSIONS`
