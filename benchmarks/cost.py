"""Tell how time and memory of a fit grow with events, items and history length.

Run with `OMP_NUM_THREADS=1 python -m benchmarks.cost [--steps 25]`. Each setting has a process of
its own: a made-up log of next items is laid out whole, then so many steps are trained, and a pass
over all questions is that many times a step (an extrapolation). Beside it stands the arithmetic of
the model's design: FLOP a step = questions (3 T (28 d^2 n + 2 T d n) + 6 d K), T the events of a
mean window, d the width, n the blocks, K the items or draws of the softmax.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.large_logs import DAYS
from benchmarks.many_items import DAY_US, catalogue
from benchmarks.shops import RESULTS, write_report
from benchmarks.watch import peak_gb
from endcap.schema import (
    IMPRESSION,
    Action,
    Campaigns,
    Dataset,
    Histories,
    NextItem,
    ShopConfig,
    Split,
    make_events,
)

USUAL = {"events": 200_000, "items": 10_000, "history": 20}
SWEEPS: dict[str, tuple[int, ...]] = {
    "events": (50_000, 200_000, 800_000, 3_200_000),
    "items": (1_000, 10_000, 40_000, 100_000, 400_000),
    "history": (5, 20, 80, 200),
}


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a setting took."""

    swept: str
    events: int
    items: int
    history: int
    lay_out_cpu: float
    lay_out_gb: float
    step_cpu: float
    steps: int
    peak_gb: float
    gflop: float

    @property
    def pass_cpu(self) -> float:
        """The CPU seconds of one pass over all questions."""
        return self.step_cpu * self.steps


def dataset(events: int, items: int, history: int) -> Dataset:
    """Make a log in which every shopper has so many events."""
    random = np.random.default_rng(0)
    users = max(events // history, 2)
    count = users * history
    at_us = np.sort(random.integers(DAYS * DAY_US, size=(users, history)), axis=1).ravel()
    item = (items * random.random(count) ** 3).astype(np.int32)
    at_us += 20_000 * DAY_US
    cuts = [(20_000 + DAYS - 2) * DAY_US, (20_000 + DAYS - 1) * DAY_US]
    action = np.full(count, Action.VIEW)
    return Dataset(
        shop=ShopConfig(tasks=(NextItem(name="next"),)),
        user_ids=[f"u{row}" for row in range(users)],
        catalogue=catalogue(items, random),
        campaigns=Campaigns(),
        histories=Histories(
            events=make_events(timestamp_us=at_us, item=item, action=action),
            offsets=np.arange(users + 1, dtype=np.int64) * history,
        ),
        event_split=np.searchsorted(cuts, at_us, side="right").astype(np.uint8),
        impressions=np.zeros(0, dtype=IMPRESSION),
        impression_split=np.zeros(0, dtype=np.uint8),
        event_decision=np.full(count, -1, dtype=np.int64),
        train_end_us=cuts[0],
        validation_end_us=cuts[1],
        end_us=(20_000 + DAYS) * DAY_US,
    )


def measure(swept: str, steps: int, *, events: int, items: int, history: int) -> Cost:
    """Lay a log out and train some steps of it."""
    from endcap.model import ModelConfig
    from endcap.train import TrainConfig, prepare
    from endcap.train.starting import make_trainer

    made = dataset(events, items, history)
    began = time.process_time()
    prepared = prepare(made)
    laid_out, laid_out_gb = time.process_time() - began, peak_gb()
    config = TrainConfig(model=ModelConfig(max_history=history), questions_per_epoch=2**40)
    trainer = make_trainer(prepared, config)
    rows = prepared.rows_of(Split.TRAIN)
    random = np.random.default_rng(0)
    batches = trainer.batcher.cut(rows, config.batch_size, random, tokens=config.tokens)
    trainer.network.train()
    took = []
    for batch in batches[:steps]:
        began = time.process_time()
        trainer._step(batch, random)
        took.append(time.process_time() - began)
    seen = np.mean([trainer.batcher.length[batch].mean() for batch in batches])
    draws = items if items < config.many_items else config.negatives
    dim, blocks = config.model.dim, config.model.num_blocks
    per_question = 3 * seen * (28 * dim**2 * blocks + 2 * seen * dim * blocks) + 6 * dim * draws
    return Cost(
        swept=swept,
        events=events,
        items=items,
        history=history,
        lay_out_cpu=round(laid_out, 2),
        lay_out_gb=round(laid_out_gb, 3),
        step_cpu=round(float(np.median(took)), 4),
        steps=len(batches),
        peak_gb=round(peak_gb(), 3),
        gflop=round(float(per_question * len(rows) / len(batches)) / 1e9, 2),
    )


def run(steps: int) -> None:
    """Measure every setting, and write table and plot."""
    found: list[Cost] = []
    for swept, values in SWEEPS.items():
        for value in values:
            given = json.dumps({"swept": swept, "steps": steps, **USUAL, swept: value})
            command = [sys.executable, "-m", "benchmarks.cost", "--setting", given]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found.append(Cost(**json.loads(told.splitlines()[-1])))
            print(found[-1], flush=True)
    _write(found, steps)


def _write(found: list[Cost], steps: int) -> None:
    head = ("grows", "events", "items", "history", "laying out, CPU s", "GB", "a step, CPU s",
            "GFLOP a step", "CPU s a GFLOP", "a pass, CPU s", "peak GB")  # fmt: skip
    lines = [
        f"| {one.swept} | {one.events:,} | {one.items:,} | {one.history} | {one.lay_out_cpu:.1f} | "
        f"{one.lay_out_gb:.2f} | {one.step_cpu:.3f} | {one.gflop:.1f} | "
        f"{one.step_cpu / one.gflop:.4f} | {one.pass_cpu:,.0f} | {one.peak_gb:.2f} |"
        for one in found
    ]
    write_report(
        "cost",
        [
            "# How a fit's time and memory grow",
            "",
            f"Next items alone, default width (64, 2 blocks), one thread. A step is the median of "
            f"{steps}; a pass is a step times the steps of one pass, an extrapolation. `GFLOP` is "
            f"the arithmetic of model.md R5. GB are the peak of the process until then.",
            "",
            f"| {' | '.join(head)} |",
            "|" + "---|" * len(head),
            *lines,
            "",
            "![growth](cost.png)",
        ],
        [asdict(one) for one in found],
    )
    _draw(found)


def _draw(found: list[Cost]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, len(SWEEPS), figsize=(11, 6), layout="constrained")
    for column, swept in enumerate(SWEEPS):
        rows = [one for one in found if one.swept == swept]
        x = [getattr(one, swept) for one in rows]
        time_axis, memory = axes[0][column], axes[1][column]
        time_axis.loglog(x, [one.pass_cpu for one in rows], "o-", label="a pass, CPU s")
        time_axis.loglog(x, [one.lay_out_cpu for one in rows], "s-", label="laying out, CPU s")
        rate = rows[0].pass_cpu / (rows[0].gflop * rows[0].steps)
        time_axis.loglog(x, [one.gflop * one.steps * rate for one in rows], "k:", label="as FLOP")
        memory.semilogx(x, [one.peak_gb for one in rows], "o-", label="peak, GB")
        memory.semilogx(x, [one.lay_out_gb for one in rows], "s-", label="laid out, GB")
        memory.set_ylim(bottom=0)
        for axis in (time_axis, memory):
            axis.set_xlabel(swept)
            axis.legend(fontsize=7)
    figure.savefig(RESULTS / "cost.png", dpi=110)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--setting", help="used by the script itself")
    given = parser.parse_args()
    if given.setting:
        print(json.dumps(asdict(measure(**json.loads(given.setting)))))
    else:
        run(given.steps)
