"""Does a model get better by the log of its own pages? The second fit less the first, paired.

    python -m benchmarks.staircase --seeds 7 8 9

A made-up shop lives some days by popularity and exploration, and a model is fitted. The shop lives
on by that model's pages, explored as they usually are, and a second model is fitted on the whole
log. Both then make the pages of the same further days: the same shoppers with the same luck, and
the same histories and counters, so that the weights alone differ. Intervals draw whole shoppers.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.shops import heading, span, write_report
from endcap import metrics
from endcap.api.comparison import THOUSAND, Contest, per_thousand, run_policy
from endcap.api.demo import Lesson, learn, live, live_on
from endcap.predict import NetworkPredictor
from endcap.schema import MICROS, ValueConfig
from endcap.simulate import Oracle, World, WorldConfig, WorldRun, value_of

Bounds = tuple[float, float, float]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What one world's two fits were worth, per 1,000 pages, with 95 % intervals."""

    seed: int
    first: Bounds
    second: Bounds
    oracle: Bounds
    difference: Bounds
    """Second less first, over the same shoppers."""
    first_pages: int
    """Pages of the first fit's log."""
    own_pages: int
    """Pages that the first model then made."""
    seconds: float


def climb(seed: int, *, days: int, own_days: int, test_days: int) -> Step:
    """Fit, live on by the model, fit again, and let both fits make the same days' pages."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        world, log = live(WorldConfig(seed=seed), days=days, folder=folder / "one")
        first = learn(world, log, folder / "one", folder / "one.model", None)
        world, longer = live_on(first, days=own_days, folder=folder / "two")
        second = learn(world, longer, folder / "two", folder / "two.model", None)
        policies: dict[str, Callable[[World], Any]] = {
            "first": lambda world: NetworkPredictor(first.model.artifact),
            "second": lambda world: NetworkPredictor(second.model.artifact),
            "oracle": Oracle,
        }
        runs = compete(second, policies, days=test_days)
    return Step(
        seed=seed,
        first=bounds(runs["first"]),
        second=bounds(runs["second"]),
        oracle=bounds(runs["oracle"]),
        difference=difference(runs["second"], runs["first"]),
        first_pages=len(log.pages),
        own_pages=len(longer.pages) - len(log.pages),
        seconds=time.perf_counter() - started,
    )


def compete(
    lesson: Lesson, policies: dict[str, Callable[[World], Any]], *, days: int
) -> dict[str, WorldRun]:
    """Let each policy make the same days' pages, from what the whole log tells of shoppers."""
    contest = Contest(
        world=lesson.world, model=lesson.model, days=days, seed=lesson.world.config.seed
    )
    return {name: run_policy(contest, make, policy=name) for name, make in policies.items()}


def _values(run: WorldRun) -> NDArray[np.float64]:
    return value_of(run, ValueConfig()).expected


def bounds(run: WorldRun) -> Bounds:
    """Return value per 1,000 pages with its interval."""
    return per_thousand(_values(run), run.pages.shopper)


def difference(ours: WorldRun, theirs: WorldRun) -> Bounds:
    """Return the difference of values per 1,000 pages; a shopper is drawn with both runs' pages."""
    values = np.concatenate([_values(ours), _values(theirs)])
    is_ours = np.arange(len(values)) < len(ours.pages)
    shoppers = np.concatenate([ours.pages.shopper, theirs.pages.shopper])

    def less(weights: NDArray[np.float64]) -> float:
        mine, other = weights * is_ours, weights * ~is_ours
        gain = mine @ values / mine.sum() - other @ values / other.sum()
        return float(gain) * THOUSAND / MICROS

    found = metrics.cluster_interval(less, shoppers)
    return found.value, found.low, found.high


def line(step: Step) -> str:
    """Write one world's row in Markdown."""
    spans = [span(bounds) for bounds in (step.first, step.second, step.difference, step.oracle)]
    return (
        f"| {step.seed} | {step.first_pages:,} | {step.own_pages:,} | {' | '.join(spans)} |"
        f" {step.seconds:.0f} |"
    )


def main() -> None:
    """Run the worlds and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8, 9])
    parser.add_argument("--days", type=int, default=21)
    parser.add_argument("--own-days", type=int, default=5)
    parser.add_argument("--test-days", type=int, default=2)
    given = parser.parse_args()
    parts = [
        heading(
            "The staircase: a second fit on the log of the first fit's pages",
            "staircase",
            f"{given.days} days by popularity with exploration, fit, {given.own_days} days by that"
            f" model, fit on all, {given.test_days} days of contest; value per 1,000 pages\n",
        ),
        "| world | pages of the first log | pages of its own | first fit | second fit |"
        " second less first | oracle | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    steps = []
    for seed in given.seeds:
        steps.append(
            climb(seed, days=given.days, own_days=given.own_days, test_days=given.test_days)
        )
        parts.append(line(steps[-1]))
        print(parts[-1], flush=True)
    write_report("staircase", parts, steps)


if __name__ == "__main__":
    main()
