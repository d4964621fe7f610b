"""Our side of the comparison with the peer: a fit that is watched, then asked, then judged.

`python -m benchmarks.protocols.watched fit|ask|judge FOLDER`. Each is a process of its own, so that
CPU seconds and peak memory are its own. Lines go to FOLDER/endcap.jsonl as they come.
"""

import argparse
import json
import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.protocols.peer_curves import Lines

if TYPE_CHECKING:
    from benchmarks.protocols.leave_one_out import OrderedLog
    from benchmarks.protocols.ours import OurScorer
    from endcap.artifact import Artifact
    from endcap.schema import Dataset
    from endcap.train.loop import Trainer

K, WARM_UP = 10, 20
LINES, MODEL = "endcap.jsonl", "endcap.model"


def tell(folder: Path, kind: str, **told: float | str) -> None:
    """Append a line, at once."""
    with (folder / LINES).open("a") as file:
        file.write(json.dumps({"kind": kind, **told}) + "\n")
    print(kind, told, flush=True)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Watch:
    """Note what each stage of a fit begins at, and keep the checkpoint of every epoch."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.what = folder, ""

    def __call__(self, what: str, done: int, total: int) -> None:
        if what == self.what:
            return
        if self.what.startswith("epoch"):
            number = self.what.split()[1]
            (checkpoint,) = self.folder.glob(f".{MODEL}.run/*/checkpoint.pt")
            os.link(checkpoint, self.folder / f"epoch{number}.pt")  # the fit replaces, never writes
        self.what = what
        tell(self.folder, "began", what=what, cpu_s=time.process_time(), peak_mb=peak_mb())


def fit(folder: Path, seed: int) -> None:
    """Fit the log with the default recipe into a model folder, as `benchmarks.amazon` does."""
    from endcap.api.fitting import fit_dataset

    fit_dataset(the_dataset(), folder / MODEL, seed=seed, report=Watch(folder))
    tell(folder, "fitted", cpu_s=time.process_time(), peak_mb=peak_mb())


def the_dataset() -> "Dataset":
    """Read and encode the log, as `benchmarks.amazon` does."""
    from benchmarks.protocols import leave_one_out
    from endcap.prep import encode, read

    file = leave_one_out.file_of("beauty")
    return encode(read(file, items=file.with_name("item_attributes.parquet")))


def ask(folder: Path, count: int) -> None:
    """Time the list of one shopper, whole and without the table that holds it."""
    from endcap.api.model import load

    model = load(folder / MODEL)
    at_us = model.artifact.manifest.log_end_us
    counters = model.counters_at(at_us)
    order = np.random.default_rng(0).permutation(len(model.artifact.user_ids))
    users = [str(model.artifact.user_ids[row]) for row in order[: count + WARM_UP]]
    histories = {user: model.history(user) for user in users}

    def listed(user: str) -> None:
        model.recommend([user], limit=K, exclude_seen=True)

    def scored(user: str) -> None:
        model.predictor.next_scores(histories[user], at_us, counters, unseen=True)

    timed = {"list": timings(listed, users), "scores": timings(scored, users)}
    figures = {
        f"{name}_p{share}_ms": float(np.percentile(took, share))
        for name, took in timed.items()
        for share in (50, 95)
    }
    tell(folder, "asked", **figures, peak_mb=peak_mb())


def timings(asked: Callable[[str], None], users: list[str]) -> list[float]:
    """Return CPU ms of each question after the first ones."""
    took = []
    for user in users:
        began = time.process_time()
        asked(user)
        took.append(1e3 * (time.process_time() - began))
    return took[WARM_UP:]


def judge(folder: Path, seed: int) -> None:
    """Rank validation items after each epoch by the protocol, and both splits by the model."""
    from benchmarks.protocols.leave_one_out import read_log
    from endcap.artifact import load_artifact
    from endcap.schema import Split
    from endcap.train import prepare
    from endcap.train.starting import make_trainer

    dataset, log = the_dataset(), read_log("beauty")
    artifact, known = load_artifact(folder / MODEL), Lines(folder / LINES)
    for split in (Split.VALIDATION, Split.TEST):
        name = split.name.lower()
        if all(line["split"] != name for line in known.of("judged")):
            scorer = served(artifact, dataset, log, split)
            tell(folder, "judged", split=name, **figures_of(scorer, log, split))
    prepared = prepare(dataset, seed=seed)
    trainer = make_trainer(prepared, prepared.recipe())
    judged = EpochScorer.of(trainer, served(artifact, dataset, log, Split.VALIDATION), dataset)
    numbers = {int(file.stem.removeprefix("epoch")) for file in folder.glob("epoch*.pt")}
    for epoch in sorted(numbers - {line["epoch"] for line in known.of("epoch")}):
        told = judged.take(folder / f"epoch{epoch}.pt")
        judged.mixed = False
        alone = figures_of(judged, log, Split.VALIDATION)
        judged.mixed = True
        mixed = figures_of(judged, log, Split.VALIDATION)
        tell(folder, "epoch", epoch=epoch, told_ndcg=told, **alone,
             mixed_ndcg=mixed["ndcg"], mixed_hit_rate=mixed["hit_rate"])  # fmt: skip


def figures_of(scorer: Any, log: "OrderedLog", split: Any) -> dict[str, float]:
    """Return NDCG and hit rate of the protocol, over all users."""
    from endcap.evaluate import rank_report

    report = rank_report("endcap", scorer, log.task(split), (K,))
    return {name: report.mean(name, K) for name in ("ndcg", "hit_rate")}


def served(artifact: "Artifact", dataset: "Dataset", log: "OrderedLog", split: Any) -> "OurScorer":
    """Return the model as a server would ask it, reading what lies before a split's item."""
    from benchmarks.protocols import ours
    from endcap.features import DAY_US, CounterHistory
    from endcap.predict import NetworkPredictor

    return ours.OurScorer(
        name="endcap",
        predictor=NetworkPredictor(artifact),
        histories=ours.known_before(dataset, dataset.event_split < split),
        user_row=ours.rows_of(log.user_ids, dataset.user_ids),
        item_row=ours.rows_of(log.item_ids, dataset.catalogue.item_ids),
        counters=CounterHistory(dataset).as_of(dataset.end_us // DAY_US),
        at_us=None,
        unseen=True,
    )


@dataclass(kw_only=True)
class EpochScorer:
    """The network of an epoch, alone or with the other columns at the finished fit's weights."""

    name: str
    trainer: "Trainer"
    served: "OurScorer"
    cut_us: int
    mixed: bool = False

    @classmethod
    def of(cls, trainer: "Trainer", served: "OurScorer", dataset: "Dataset") -> "EpochScorer":
        """Take the mix that the fit chose for lists without seen items, as the model serves it."""
        return cls(name="endcap", trainer=trainer, served=served, cut_us=dataset.train_end_us)

    def take(self, file: Path) -> float:
        """Put an epoch's weights into the trainer; return the NDCG that it told then."""
        import torch

        state = torch.load(file, weights_only=True)
        self.trainer.network.load_state_dict(state["network"])
        self.trainer.averaged.mean = state["averaged"]
        validation = state["progress"]["history"][-1]["validation"]
        return float(next(value for name, value in validation.items() if "ndcg" in name))

    def scores(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score every item for some users of the protocol, [B, V] in its rows."""
        from endcap.train.mix_columns import network_scores

        scorer, batcher = self.served, self.trainer.batcher
        rows = scorer.user_row[users]
        histories = [scorer.histories.of(int(row)) for row in rows]
        with self.trainer.averaged.serving():
            chunks = network_scores(self.trainer.network, batcher, rows, histories, self.cut_us)
            found = np.concatenate(list(chunks))
        if self.mixed:
            beside = scorer.predictor.scorer.beside
            for row, history in enumerate(histories):
                found[row] += sum(
                    beside(history, self.cut_us, scorer.counters, unseen=True).values()
                )
        return found[:, scorer.item_row]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("fit", "ask", "judge"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--users", type=int, default=200, help="asked one by one")
    given = parser.parse_args()
    if given.what == "fit":
        fit(given.folder, given.seed)
    elif given.what == "ask":
        ask(given.folder, given.users)
    else:
        judge(given.folder, given.seed)
