"""Amazon Beauty (or Sports), leave-one-out: ours beside the baselines and the published peers.

Run from the repository: `python -m benchmarks.amazon [sports] [--seeds 0 1 2] [--ease]`.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.protocols import leave_one_out, ours
from benchmarks.protocols.report import RESULTS, Published, Section, mean_report, write_report
from endcap.evaluate import (
    Baseline,
    Ease,
    ForwardCooccurrence,
    ItemKnn,
    Popularity,
    RankReport,
    Scorer,
    compare,
    rank_report,
)
from endcap.features import DAY_US, CounterHistory
from endcap.prep import encode, read
from endcap.schema import MetricRow, Split

K = 10

SHAPES = {"beauty": (22_363, 12_101, 198_502, 138), "sports": (35_598, 18_357, 296_337, None)}
"""Users, items, events, and test items that training does not hold."""

BASELINES: tuple[tuple[str, Baseline], ...] = (
    ("popularity", Popularity()),
    ("item-kNN 20", ItemKnn(neighbours=20, shrink=0.0)),
    ("item-kNN 1000", ItemKnn(neighbours=1000, shrink=0.0)),
    ("item-kNN BM25", ItemKnn(neighbours=1000, weighing="bm25")),
    ("forward co-occurrence", ForwardCooccurrence()),
    ("EASE", Ease(ridge=250.0)),
)

PUBLISHED: dict[str, Published] = {
    "beauty": {
        ("validation", "popularity"): (0.0078, 0.0157),
        ("validation", "item-kNN 20"): (0.0371, 0.0632),
        ("validation", "item-kNN 1000"): (0.0403, 0.0700),
        ("validation", "item-kNN BM25"): (0.0425, 0.0727),
        ("validation", "EASE"): (0.0496, 0.0871),
        ("test", "popularity"): (0.0053, 0.0110),
        ("test", "item-kNN 20"): (0.0304, 0.0526),
        ("test", "item-kNN 1000"): (0.0323, 0.0565),
        ("test", "item-kNN BM25"): (0.0349, 0.0624),
        ("test", "forward co-occurrence"): (0.0517, np.nan),
        ("test", "EASE"): (0.0352, 0.0663),
    },
    "sports": {
        ("test", "popularity"): (0.0052, 0.0091),
        ("test", "item-kNN 1000"): (0.0182, 0.0315),
        ("test", "item-kNN BM25"): (0.0199, 0.0331),
        ("test", "forward co-occurrence"): (0.025, np.nan),
    },
}


def section(
    log: leave_one_out.OrderedLog, cut: str, models: Sequence[Scorer], *, with_ease: bool
) -> Section:
    """Rank every item for every user; seen items are filtered, ties count against the model."""
    reports: list[RankReport] = []
    training = log.history(Split.VALIDATION)
    for split in (Split.VALIDATION, Split.TEST):
        history, task = log.history(split), log.task(split)
        if len(task.users) != log.table.num_users:
            raise SystemExit("Some target was bought before; the cut differs from the protocol's.")
        reports += [
            rank_report(name, baseline.fit(training, history), task, (K,))
            for name, baseline in BASELINES
            if name != "EASE" or with_ease
        ]
    test = {report.model: report for report in reports if report.task == "test"}
    asked = log.task(Split.TEST)
    fitted = [rank_report(model.name, model, asked, (K,)) for model in models]
    if len(fitted) > 1:
        fitted.append(mean_report(f"endcap, mean of {len(fitted)} seeds", fitted))
    rows = [row for report in (*reports, *fitted) for row in report.rows(report.task)]
    return Section(
        title=f"Amazon {cut}, leave-one-out",
        metrics=("ndcg", "hit_rate"),
        k=K,
        digits=4,
        rows=rows if with_ease else rows + stored_rows(cut, "EASE"),
        published=PUBLISHED[cut],
        differences=[
            compare(report, test[rival], "ndcg", K)
            for report in fitted
            for rival in ("forward co-occurrence", "EASE", "item-kNN BM25")
            if rival in test
        ],
        note="Fitted without validation and test items; at the test question the validation item "
        "is part of the history. The published co-occurrence figure is of a sample of users. "
        "Our model stops, and chooses the mix of its columns, on the validation items.",
    )


def stored_rows(cut: str, model: str) -> list[MetricRow]:
    """Return a row that an earlier run wrote, named with its date: it takes long to fit."""
    files = sorted(RESULTS.glob(f"amazon_{cut}_*.json"), key=lambda file: file.stem[-10:])
    for file in reversed(files):
        told = json.loads(file.read_text())
        rows = [row for row in told["rows"] if row["model"].split(" (")[0] == model]
        if rows:
            name = rows[0]["model"] if "(" in rows[0]["model"] else f"{model} ({file.stem[-10:]})"
            return [msgspec.convert({**row, "model": name}, MetricRow) for row in rows]
    return []


def fit_models(
    log: leave_one_out.OrderedLog, cut: str, seeds: Sequence[int], folder: Path
) -> tuple[list[ours.OurScorer], list[ours.Cost]]:
    """Fit ours with the default recipe, one model per seed; the validation item may be read."""
    file = leave_one_out.file_of(cut)
    dataset = encode(read(file, items=file.with_name("item_attributes.parquet")))
    scorers, costs = [], []
    for seed in seeds:
        predictor, cost = ours.fit_ours(dataset, folder, seed=seed)
        scorers.append(
            ours.OurScorer(
                name=f"endcap, seed {seed}",
                predictor=predictor,
                histories=ours.known_before(dataset, dataset.event_split != Split.TEST),
                user_row=ours.rows_of(log.user_ids, dataset.user_ids),
                item_row=ours.rows_of(log.item_ids, dataset.catalogue.item_ids),
                counters=CounterHistory(dataset).as_of(dataset.end_us // DAY_US),
                at_us=None,
                unseen=True,
            )
        )
        costs.append(cost)
    return scorers, costs


def run(cut: str, seeds: Sequence[int], folder: Path, *, with_ease: bool) -> None:
    """Reproduce the baselines, fit and add ours, write the report."""
    log = leave_one_out.read_log(cut)
    check(log, cut)
    models, costs = fit_models(log, cut, seeds, folder)
    write_report(
        f"amazon_{cut}",
        script="amazon",
        files=[leave_one_out.file_of(cut)],
        sections=[section(log, cut, models, with_ease=with_ease)],
        fits=[cost.line() for cost in costs],
    )


def check(log: leave_one_out.OrderedLog, cut: str) -> None:
    """Stop where the rows are not those of the protocol."""
    table, task = log.table, log.task(Split.TEST)
    unseen = int((~task.in_catalogue[task.target_item]).sum())
    found = (table.num_users, table.num_items, len(table.user), unseen)
    if any(want not in (None, got) for got, want in zip(found, SHAPES[cut], strict=True)):
        raise SystemExit(f"The rows differ from the protocol's: {found}, not {SHAPES[cut]}.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cut", nargs="?", default="beauty", choices=sorted(SHAPES))
    parser.add_argument("--ease", action="store_true", help="fit EASE too: many minutes, much RAM")
    ours.add_options(parser, seeds=(0, 1, 2))
    given = parser.parse_args()
    with ours.model_folder(given.models, f"amazon_{given.cut}") as place:
        run(given.cut, given.seeds, place, with_ease=given.ease)
