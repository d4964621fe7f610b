"""Raw outputs of the graphs -> what a task tells: chances, counts, times, all calibrated."""

import numpy as np
from numpy.typing import NDArray

from endcap.artifact import Manifest
from endcap.features import delay_edges_hours
from endcap.predict.hazards import (
    chance,
    chance_within,
    expected_time,
    quantile_time,
    softmax,
)
from endcap.schema import Binary, Hazard, Task

Floats = NDArray[np.float64]


class Readout:
    """Reads the outputs [C, O] of `Graphs.respond`, task by task."""

    def __init__(self, manifest: Manifest) -> None:
        self._tasks: dict[str, Task] = {task.name: task for task in manifest.tasks}
        self._slices = manifest.slices
        self._calibration = manifest.calibration
        self._dwell_edges_ms = np.array(manifest.dwell_edges_ms)
        self._dwell_means_ms = np.array(manifest.dwell_means_ms)

    def chance_of(self, name: str, answers: Floats, hours: float | Floats | None = None) -> Floats:
        """Return the calibrated probability of a yes-or-no task or a delay, [C].

        Args:
            hours: of a delay, until when, for all or for each; its whole horizon when absent.
        """
        task = self._tasks[name]
        outputs = self._outputs(name, answers)
        if isinstance(task, Binary):
            return chance(outputs[:, 0], self._line(name))
        assert isinstance(task, Hazard)
        return chance_within(
            outputs,
            task.within_hours if hours is None else hours,
            delay_edges_hours(task.within_hours, outputs.shape[1] - 1),
            self._line(name),
        )

    def expected_count(self, name: str, answers: Floats) -> tuple[Floats, Floats]:
        """Return how many events a task of counts expects, and the size of its distribution, [C].

        The variance is mean + mean^2 / size.
        """
        slope, shift = self._line(name)
        outputs = self._outputs(name, answers)
        size: Floats = np.exp(np.clip(outputs[:, 1], -5.0, 8.0))
        return np.exp(slope * outputs[:, 0] + shift), size

    def category_shares(self, name: str, answers: Floats) -> Floats:
        """Return the chance of each category of a task of categories, [C, K]."""
        return softmax(self._outputs(name, answers))

    def dwell_ms(self, answers: Floats) -> Floats:
        """Return [C] the expected dwell; 0 where the log has none."""
        if "dwell" not in self._tasks:
            return np.zeros(len(answers))
        return expected_time(self._outputs("dwell", answers), self._dwell_means_ms)

    def dwell_quantile(self, answers: Floats, share: float = 0.5) -> Floats:
        """Return [C] the ms below which a dwell stays with chance `share`."""
        outputs = self._outputs("dwell", answers)
        return quantile_time(outputs, self._dwell_edges_ms, self._dwell_means_ms, share)

    def log_odds(self, name: str, answers: Floats) -> Floats:
        """Return a task's calibrated log-odds [..., C] of outputs [..., C, O].

        Of a delay they are those that it ever comes; a dwell has its expected time's logarithm.
        """
        task, outputs = self._tasks[name], self._outputs(name, answers)
        if isinstance(task, Hazard) and task.measures == "dwell":
            return np.log(np.maximum(expected_time(outputs, self._dwell_means_ms), 1e-3))
        slope, shift = self._line(name)
        out: Floats = slope * outputs[..., 0] + shift
        return out

    def click(self, answers: Floats, is_ad: NDArray[np.bool_]) -> Floats | None:
        """Return [C] P(click | examined), an ad's by its own task; None where no task tells."""
        return self._by_kind(answers, is_ad, "click", "ad_click")

    def buy(self, answers: Floats, is_ad: NDArray[np.bool_]) -> Floats:
        """Return [C] P(buy | click), or of a log without clicks P(purchase); 0 without either."""
        name = "buy" if "buy" in self._tasks else "purchase"
        found = self._by_kind(answers, is_ad, name, "ad_buy")
        return np.zeros(len(answers)) if found is None else found

    def _by_kind(
        self, answers: Floats, is_ad: NDArray[np.bool_], name: str, of_ads: str
    ) -> Floats | None:
        if name not in self._tasks:
            return None
        found = self.chance_of(name, answers)
        if of_ads in self._tasks:
            found = np.where(is_ad, self.chance_of(of_ads, answers), found)
        return found

    def _outputs(self, name: str, answers: Floats) -> Floats:
        start, stop = self._slices[name]
        return answers[..., start:stop]

    def _line(self, name: str) -> tuple[float, float]:
        return self._calibration.get(name, (1.0, 0.0))
