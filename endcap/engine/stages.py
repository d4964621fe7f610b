"""How long each stage of a page takes, told to whoever watches."""

import time
from collections.abc import Callable, Sequence

Timed = Callable[[str, float], None]
"""Is told a stage and its seconds."""


class Stages:
    """Tells how long each stage of a page took."""

    def __init__(self, timed: Sequence[Timed]) -> None:
        self._timed, self._began = timed, time.perf_counter()

    def end(self, stage: str) -> None:
        """End a stage; the next begins."""
        now = time.perf_counter()
        for tell in self._timed:
            tell(stage, now - self._began)
        self._began = now
