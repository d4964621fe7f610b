"""What a long run took: seconds, CPU seconds and memory of each stage."""

import resource
import time


def peak_gb() -> float:
    """Return the most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


class Watch:
    """Note when each stage and each step ended, and the peak of memory until then."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.what, self.begun = "", self.now()
        self.steps: list[tuple[float, float]] = []

    @staticmethod
    def now() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()

    def __call__(self, what: str, done: int, total: int) -> None:
        now = self.now()
        if what.startswith("epoch"):
            self.steps.append(now)
        if what != self.what:
            self.end()
            self.what, self.begun = what, now

    def end(self) -> None:
        if self.what:
            wall, cpu = (now - then for now, then in zip(self.now(), self.begun, strict=True))
            self.lines.append(f"| {self.what} | {wall:.0f} | {cpu:.0f} | {peak_gb():.2f} |")
            print(self.lines[-1], flush=True)
