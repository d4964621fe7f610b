"""Amazon Beauty (or Sports), leave-one-out: the baselines beside the published peers.

Run from the repository: `python -m benchmarks.amazon [sports]`. Our model joins as one more
scorer: `run(models={Split.TEST: [...]})`; user and item rows are those of
`leave_one_out.read_log(cut)`.
"""

import sys
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.protocols import leave_one_out
from benchmarks.protocols.report import Published, Section, write_report
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
from endcap.schema import Split

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
    log: leave_one_out.OrderedLog, cut: str, models: Mapping[Split, Sequence[Scorer]]
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
            if not (name == "EASE" and cut == "sports")
        ]
        reports += [rank_report(model.name, model, task, (K,)) for model in models.get(split, ())]
    ours = {model.name for model in models.get(Split.TEST, ())}
    test = {report.model: report for report in reports if report.task == "test"}
    return Section(
        title=f"Amazon {cut}, leave-one-out",
        metrics=("ndcg", "hit_rate"),
        k=K,
        digits=4,
        rows=[row for report in reports for row in report.rows(report.task)],
        published=PUBLISHED[cut],
        differences=[
            compare(test[name], test[rival], "ndcg", K)
            for name in sorted(ours)
            for rival in ("forward co-occurrence", "EASE", "item-kNN BM25")
            if rival in test
        ],
        note="Fitted without validation and test items; at the test question the validation item "
        "is part of the history. The published co-occurrence figure is of a sample of users.",
    )


def run(cut: str = "beauty", models: Mapping[Split, Sequence[Scorer]] | None = None) -> None:
    """Reproduce the baselines, add what is given, write the report."""
    log = leave_one_out.read_log(cut)
    check(log, cut)
    write_report(
        f"amazon_{cut}",
        script="amazon",
        files=[leave_one_out.file_of(cut)],
        sections=[section(log, cut, models or {})],
    )


def check(log: leave_one_out.OrderedLog, cut: str) -> None:
    """Stop where the rows are not those of the protocol."""
    table, task = log.table, log.task(Split.TEST)
    unseen = int((~task.in_catalogue[task.target_item]).sum())
    found = (table.num_users, table.num_items, len(table.user), unseen)
    if any(want not in (None, got) for got, want in zip(found, SHAPES[cut], strict=True)):
        raise SystemExit(f"The rows differ from the protocol's: {found}, not {SHAPES[cut]}.")


if __name__ == "__main__":
    run(*sys.argv[1:2])
