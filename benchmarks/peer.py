"""Ours beside RecTools SASRec with softmax: time to its quality, memory, and one shopper's list.

Run with `OMP_NUM_THREADS=1 python -m benchmarks.peer --peer-python PATH [--keep FOLDER]`. The peer
needs an environment of its own (`pip install torch 'rectools[torch]==0.19.0'`). Amazon Beauty,
leave-one-out; each fit is a process of its own with one thread. Lines come as the fits go on, and a
run that was killed goes on with what the kept folder holds; a fit that was killed starts anew.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.protocols import leave_one_out
from benchmarks.protocols.ours import model_folder
from benchmarks.protocols.peer_curves import Line, Lines, curves, draw, epochs_of, stages
from benchmarks.protocols.report import RESULTS, facts_of, save
from endcap.schema import MetricRow

PEER, OURS, MIXED = "RecTools SASRec", "endcap", "endcap, mixed"
SCRIPT = Path(__file__).parent / "protocols" / "rectools_sasrec.py"
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "POLARS_MAX")}
ISSUE_MS = 38.0
"""One shopper's list of the peer, as the goal names it."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure of both; the goal is a share of the peer's."""

    name: str
    metric: str
    peer: float
    ours: float
    goal: float
    digits: int = 0

    def line(self) -> str:
        """Say it as a row of the table."""
        share = self.ours / self.peer
        verdict = "reached" if share <= self.goal else "**missed**"
        return (
            f"| {self.name} | {self.peer:,.{self.digits}f} | {self.ours:,.{self.digits}f} | "
            f"{share:.3f} | at most {self.goal:.3g}: {verdict} |"
        )

    def rows(self) -> list[MetricRow]:
        """Return both as tidy rows."""
        told = ((PEER, self.peer), (OURS, self.ours))
        return [MetricRow(task="peer", metric=self.metric, model=m, value=v) for m, v in told]


def run(folder: Path, peer_python: Path) -> None:
    """Run what the folder lacks, one process after another, and write the report."""
    log = leave_one_out.read_log("beauty")
    table, file = log.table, folder / "log.npz"
    np.savez(file, user=table.user, item=table.item, places_left=log.places_left)
    peer, mine = folder / "rectools.jsonl", folder / "endcap.jsonl"
    if not Lines(peer).of("asked"):
        peer.unlink(missing_ok=True)
        start([str(peer_python), str(SCRIPT), str(file), str(peer)])
    if not Lines(mine).of("fitted"):
        clear(folder)
        watch("fit", folder)
    if not Lines(mine).of("asked"):
        watch("ask", folder)
    if len(Lines(mine).of("epoch")) < len(list(folder.glob("epoch*.pt"))):
        watch("judge", folder)
    report(Lines(peer), Lines(mine), versions(peer_python))


def clear(folder: Path) -> None:
    """Remove what a killed fit of ours left: one that went on would not know its CPU seconds."""
    for file in (folder / "endcap.jsonl", *folder.glob("epoch*.pt")):
        file.unlink(missing_ok=True)
    shutil.rmtree(folder / ".endcap.model.run", ignore_errors=True)


def watch(what: str, folder: Path) -> None:
    """Fit, ask or judge ours."""
    start([sys.executable, "-m", "benchmarks.protocols.watched", what, str(folder)])


def start(command: list[str]) -> None:
    """Run a process with one thread, and wait for it."""
    subprocess.run(command, check=True, env={**os.environ, **ONE_THREAD})


def versions(peer_python: Path) -> str:
    """Name the peer's packages."""
    names = "rectools", "torch", "pytorch-lightning", "numpy"
    asked = f"import importlib.metadata as m; print(', '.join(n+' '+m.version(n) for n in {names}))"
    told = subprocess.run([peer_python, "-c", asked], check=True, capture_output=True, text=True)
    return told.stdout.strip()


def first_at(epochs: Sequence[Line], name: str, level: float) -> Line | None:
    """Return the first epoch whose figure is at a level."""
    return next((one for one in epochs if one[name] >= level), None)


def report(peer: Lines, mine: Lines, packages: str) -> None:
    """Write the table of goals, the curves and what lies behind them."""
    best = max(peer.of("epoch"), key=lambda one: one["ndcg"])
    epochs = epochs_of(mine)
    facts = facts_of("peer", [leave_one_out.file_of("beauty")])
    facts |= {"peer": packages, "seeds": "0", "load": f"{os.getloadavg()[2]:.0f}, at the end"}
    del facts["intervals"]
    figures = figures_of(peer, mine, best, epochs)
    parts = [
        "## Against the goals",
        f"The peer's best validation NDCG@10 is {best['ndcg']:.4f}, after epoch {best['epoch']} of "
        f"{peer.last('fitted')['epochs']}. Its padding is left out of its loss. CPU seconds count "
        "from the start of each process, reading and imports with them; the peer's leave out its "
        "validation, ours contain it. The peer ran first, then ours, other jobs beside both.",
        "\n".join([
            "| figure | peer | endcap | share | goal |", "|---" * 5 + "|",
            *(figure.line() for figure in figures),
        ]),
        quality(peer, mine, epochs),
        stages(mine),
        curves(peer.of("epoch"), epochs),
        "![validation NDCG@10 against CPU seconds](peer.png)",
    ]  # fmt: skip
    rows = [row for figure in figures for row in figure.rows()]
    drawn = (PEER, peer.of("epoch"), "ndcg"), (OURS, epochs, "ndcg"), (MIXED, epochs, "mixed_ndcg")
    rows += [
        MetricRow(task="next", metric="ndcg", model=model, k=10, split="validation",
                  value=one[name], group=f"cpu_s={one['cpu_s']:.1f}")
        for model, told, name in drawn
        for one in told
    ]  # fmt: skip
    save("peer", facts, parts, rows)
    draw(peer.of("epoch"), epochs, best["ndcg"], RESULTS / "peer.png")


def figures_of(peer: Lines, mine: Lines, best: Line, epochs: Sequence[Line]) -> list[Figure]:
    """Return the figures that have a goal."""
    asked, fitted = mine.last("asked"), mine.last("fitted")
    ends = fitted["cpu_s"] - tail_begin(mine)
    found = []
    for name, metric, key, more in (
        ("network alone", "network", "ndcg", 0.0),
        ("list as served, mixing and writing counted", "served", "mixed_ndcg", ends),
    ):
        at = first_at(epochs, key, best["ndcg"])
        spent = at["cpu_s"] + more if at else np.inf
        where = f"{name}, epoch {at['epoch']}" if at else f"{name}, never"
        found.append(Figure(name=f"CPU s to the peer's best validation NDCG@10 ({where})",
                            metric=f"cpu_s_to_best_{metric}", peer=best["cpu_s"], ours=spent,
                            goal=0.1))  # fmt: skip
    one, memory = peer.last("asked")["p50_ms"], peer.last("fitted")["peak_mb"]
    return [
        *found,
        Figure(name="peak memory of the fit, MB", metric="peak_mb", peer=memory,
               ours=fitted["peak_mb"], goal=0.5),
        Figure(name="one shopper's list, CPU ms (p50)", metric="list_ms", peer=one,
               ours=asked["list_p50_ms"], goal=0.05, digits=2),
        Figure(name="the same, beside the 38 ms of the goal", metric="list_ms_38", peer=ISSUE_MS,
               ours=asked["list_p50_ms"], goal=0.05, digits=2),
        Figure(name="one shopper's scores of all items alone, CPU ms (p50)", metric="scores_ms",
               peer=one, ours=asked["scores_p50_ms"], goal=0.05, digits=2),
    ]  # fmt: skip


def tail_begin(mine: Lines) -> float:
    """Return the CPU seconds at which the last epoch ended."""
    return float(next(one["cpu_s"] for one in mine.of("began") if one["what"] == "calibrating"))


def quality(peer: Lines, mine: Lines, epochs: Sequence[Line]) -> str:
    """Tell how good the finished models are, and what the trainer's own figure is."""
    told, stock = peer.last("fitted"), peer.last("asked")["stock_epoch_s"]
    best = max(peer.of("epoch"), key=lambda one: one["ndcg"])
    judged = {line["split"]: line for line in mine.of("judged")}
    chosen = max(epochs, key=lambda one: one["told_ndcg"])
    cells = [
        (PEER, best, told, peer.of("epoch")[-1]["cpu_s"]),
        (OURS, judged["validation"], judged["test"], mine.last("fitted")["cpu_s"]),
    ]
    return "\n".join([
        "## The finished models", "",
        "| model | validation NDCG@10 / HR@10 | test NDCG@10 / HR@10 | whole fit, CPU s |",
        "|---|---|---|---|",
        *(f"| {name} | {v['ndcg']:.4f} / {v['hit_rate']:.4f} | {t['ndcg']:.4f} / "
          f"{t['hit_rate']:.4f} | {cpu:,.0f} |" for name, v, t, cpu in cells), "",
        f"- The peer's own lists have a validation NDCG@10 of {told['own_ndcg']:.4f}; this "
        f"benchmark counts {best['ndcg']:.4f}.",
        f"- As it ships, padding in its loss, an epoch of the peer takes {stock:,.0f} CPU s by the "
        f"median of 6 steps: {stock * best['epoch']:,.0f} to its best epoch, computed, not run.",
        f"- Ours is the epoch that its trainer chose, number {chosen['epoch']} "
        f"({chosen['told_ndcg']:.4f} by its own figure, see below). The model as it is served and "
        f"the weights of that epoch differ by "
        f"{abs(chosen['mixed_ndcg'] - judged['validation']['ndcg']):.0e} in validation NDCG@10.",
    ])  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", type=Path, required=True, help="where rectools is")
    parser.add_argument("--keep", type=Path, help="keep lines and models here, and go on from them")
    given = parser.parse_args()
    with model_folder(given.keep, "peer") as place:
        run(place, given.peer_python)
