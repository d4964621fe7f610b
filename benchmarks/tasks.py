"""Each task alone against all together, and the value-weighted objective with and without.

Run from the repository: `python -m benchmarks.tasks [--log shop|tmall] [--days 7] [--seeds 0 1 2]`.

All figures are of days that taught nothing: the comparison of tasks reads validation days, as a fit
does; the objectives are told apart on test days. Differences are paired by shopper.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from msgspec import structs, to_builtins

from benchmarks.shops import heading, write_report
from endcap.prep import encode, read
from endcap.schema import Dataset, Split
from endcap.simulate import WorldConfig
from endcap.train import TaskComparison, TrainConfig, prepare
from endcap.train.apart import fit_apart
from endcap.train.comparing import compared, user_losses
from endcap.train.loop import Trainer
from endcap.train.prepared import Prepared
from endcap.train.starting import make_trainer


def datasets(name: str, seeds: list[int], days: int) -> Iterator[tuple[int, Dataset]]:
    """Yield a log per seed; a real one is the same for all."""
    if name == "tmall":
        from benchmarks.tmall import dataset_of

        yield from ((seed, dataset_of()) for seed in seeds)
        return
    from endcap.api.demo import live

    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            live(WorldConfig(seed=seed), days=days, folder=Path(folder) / "shop")
            yield seed, encode(read(Path(folder) / "shop"))


def trained(prepared: Prepared, config: TrainConfig) -> tuple[Trainer, float]:
    """Fit all tasks together; return the trainer and the CPU seconds."""
    started = time.process_time()
    trainer = make_trainer(prepared, config)
    trainer.fit()
    return trainer, time.process_time() - started


def objectives(prepared: Prepared, plain: Trainer, weighted: Trainer) -> list[TaskComparison]:
    """Compare the fit without the value-weighted objective with the one with it, on test days."""
    rows = prepared.rows_of(Split.TEST)
    without, with_value = user_losses(plain, rows), user_losses(weighted, rows)
    return [compared(name, without[name], with_value[name]) for name in without]


def table(rows: list[TaskComparison], one: str, other: str) -> list[str]:
    """Write comparisons in Markdown."""
    lines = [
        f"| task | {one} | {other} | {one} less {other} | shoppers | |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        says = "worse" if row.high < 0 else "better" if row.low > 0 else "not told apart"
        bounds = f"{row.gain:+.4f} [{row.low:+.4f}, {row.high:+.4f}]"
        lines.append(
            f"| {row.task} | {row.alone:.4f} | {row.together:.4f} | {bounds} | "
            f"{row.shoppers:,} | {other} is {says} |"
        )
    return [*lines, ""]


def main() -> None:
    """Run and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", choices=("shop", "tmall"), default="shop")
    parser.add_argument("--days", type=int, default=7, help="of the made-up shop")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--alone", nargs="*", type=int, default=[0], help="seeds to compare tasks")
    parser.add_argument("--value", nargs="*", type=int, default=[0, 1, 2], help="seeds of part two")
    given = parser.parse_args()
    parts = [
        heading(
            f"Tasks alone and together, and weighed by value: {given.log}",
            f"tasks --log {given.log}",
            "mean loss in nats, of the network before calibration; differences paired by\n"
            "  shopper, 95 % intervals; alone, a task of few questions reads them more often",
        ),
    ]
    found = []
    for seed, dataset in datasets(given.log, given.seeds, given.days):
        prepared = prepare(dataset, seed=seed)
        config = prepared.recipe()
        joint, seconds = trained(prepared, config)
        parts.append(f"\n## Seed {seed}: all tasks together took {seconds:.0f} CPU seconds\n")
        if seed in given.value:
            weighted, _ = trained(prepared, structs.replace(config, value_weighted=True))
            rows = objectives(prepared, joint, weighted)
            parts.append("The value-weighted objective, test days.\n")
            parts += table(rows, "without", "with")
            found += [{"seed": seed, "what": "value"} | to_builtins(row) for row in rows]
        if seed in given.alone:
            started = time.process_time()
            apart = fit_apart(
                prepared, config, joint, compare=True, run_folder=None, report=lambda *_: None
            )
            spent = time.process_time() - started
            parts.append(f"Each task alone, validation days: {spent:.0f} CPU seconds.\n")
            parts += table(apart.comparisons, "alone", "together")
            found += [{"seed": seed, "what": "alone"} | to_builtins(r) for r in apart.comparisons]
        write_report(f"tasks_{given.log}", parts, found)


if __name__ == "__main__":
    main()
