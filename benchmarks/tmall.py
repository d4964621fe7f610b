"""Tmall brands: next brand (A1) and purchase within seven days (A2), ours beside the baselines.

Run from the repository: `python -m benchmarks.tmall [--seeds 0]`.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.protocols import ours, tmall
from benchmarks.protocols.chances import ChanceModel, Names, any_purchase, chance_section
from benchmarks.protocols.report import Published, Section, write_report
from endcap.evaluate import (
    Als,
    Blend,
    Ease,
    EventTable,
    ForwardCooccurrence,
    ItemKnn,
    OwnHistory,
    Popularity,
    PurchaseRows,
    RankReport,
    Scorer,
    compare,
    purchase_rows,
    rank_report,
)
from endcap.evaluate.classifiers import Chances
from endcap.evaluate.purchases import Level
from endcap.prep import encode, read
from endcap.schema import Action, Dataset, SplitConfig

K = 20

TASKS = ("ALL-any", "NEW-any", "ALL-buy", "NEW-buy")

PUBLISHED: dict[str, tuple[tuple[float, ...] | None, ...]] = {
    "popularity": (
        (.101, .071, .587), (.065, .049, .450), (.037, .069, .162), (.020, .043, .086)),
    "popularity, 7 days": (
        (.080, .062, .545), (.050, .040, .416), (.027, .061, .150), (.011, .022, .058)),
    "popularity, 14 days": (
        (.087, .070, .579), (.059, .050, .454), (.031, .071, .162), (.018, .045, .094)),
    "own history, recency": ((.145, .111, .696), None, (.089, .138, .250), None),
    "own history, days": ((.175, .123, .719), None, (.101, .146, .281), None),
    "own history, decayed 30": ((.173, .118, .720), None, None, None),
    "own history, decayed 14": (None, None, (.101, .144, .269), None),
    "own history, typed 14": ((.169, .117, .718), None, (.105, .146, .264), None),
    "item-kNN": (
        (.119, .090, .643), (.067, .054, .471), (.049, .092, .208), (.025, .050, .103)),
    "EASE 200": ((.140, .110, .695), None, None, (.022, .047, .094)),
    "EASE 500": (None, (.077, .061, .511), None, None),
    "EASE 20": (None, None, (.068, .131, .269), None),
    "iALS": (
        (.139, .099, .678), (.074, .063, .540), (.058, .109, .227), (.024, .045, .090)),
    "history + CF": (
        (.186, .129, .735), (.074, .064, .542), (.104, .153, .287), (.022, .042, .092)),
}  # fmt: skip

USER_7: Names = (
    "user_recency_any", "user_recency_buy", "user_days_7", "user_days_30",
    "user_buy_days_30", "user_buy_days_total", "user_tenure",
)  # fmt: skip

PAIR_7: Names = (
    "pair_recency_any", "pair_recency_buy", "pair_days_total", "pair_clicks_total",
    "pair_buys_total", "user_recency_any", "user_buy_days_30",
)  # fmt: skip

CHANCE_PUBLISHED: Published = {
    ("user (a)", "base rate"): (.500, .521, .015),
    ("user (a)", "logistic, 7 features"): (.727, .473, .054),
    ("user (a)", "logistic, all"): (.726, .470, .049),
    ("user (a)", "boosted trees"): (.720, .474, .057),
    ("user (b)", "base rate"): (.500, .557, .014),
    ("user (b)", "logistic, 7 features"): (.716, .504, .034),
    ("user (b)", "logistic, all"): (.715, .502, .026),
    ("user (b)", "boosted trees"): (.712, .504, .030),
    ("pair (a)", "base rate"): (.500, .0131, .0008),
    ("pair (a)", "logistic, 7 features"): (.859, .0110, .0005),
    ("pair (a)", "logistic, all"): (.852, .0109, .0006),
    ("pair (a)", "boosted trees"): (.852, .0108, .0005),
    ("pair (b)", "base rate"): (.500, .0133, .0008),
    ("pair (b)", "logistic, 7 features"): (.825, .0115, .0003),
    ("pair (b)", "logistic, all"): (.840, .0114, .0003),
    ("pair (b)", "boosted trees"): (.842, .0112, .0003),
}  # fmt: skip


SHAPES: dict[Level, list[int]] = {
    "user": [860, 185, 3_474, 850],
    "pair": [42_531, 75, 190_182, 343],
}
"""Rows and purchases of the test parts (a) and (b)."""


def scorers(training: EventTable) -> Iterator[tuple[str, Scorer]]:
    """Fit the rows of A1, one at a time."""
    simple = (
        Popularity(),
        Popularity(days=7),
        Popularity(days=14),
        OwnHistory(rule="recency"),
        OwnHistory(rule="days"),
        OwnHistory(rule="decayed"),
        OwnHistory(rule="decayed", half_life_days=14),
        OwnHistory(rule="typed", half_life_days=14),
        ItemKnn(),
        ForwardCooccurrence(),
    )
    for baseline in simple:
        yield baseline.name, baseline.fit(training, training)
    for ridge in (20.0, 200.0, 500.0):
        yield f"EASE {ridge:g}", Ease(ridge=ridge).fit(training, training)
    factors = Als(dim=16, alpha=1.0, ridge=1.0).fit(training, training)
    yield "iALS", factors
    own = OwnHistory(rule="decayed", fill=None).fit(training, training)
    yield "history + CF", Blend(name="history + CF", parts=((1.0, own), (0.3, factors)))


def next_brand(log: tmall.TmallLog, models: Sequence[ours.Fit]) -> Section:
    """A1: rank all brands, with and without those of the user's past."""
    training, tasks = log.before(tmall.CUT), tmall.tasks(log)
    reports: dict[tuple[str, str], RankReport] = {}
    for name, scorer in scorers(training):
        for task in TASKS:
            if not (task.startswith("NEW") and name.startswith("own")):
                reports[task, name] = rank_report(name, scorer, tasks[task], (K,))
    for model in models:
        for task in TASKS:
            action = Action.PURCHASE if task.endswith("buy") else None
            scorer = model.scorer(tmall.CUT, unseen=task.startswith("NEW"), action=action)
            reports[task, model.name] = rank_report(model.name, scorer, tasks[task], (K,))
    ordered = sorted(reports.values(), key=lambda report: TASKS.index(report.task))
    names = {model.name for model in models}
    fitted = [report for report in ordered if report.model in names]
    return Section(
        title="A1 next brand",
        metrics=("ndcg", "recall", "hit_rate"),
        k=K,
        rows=[row for report in ordered for row in report.rows()],
        published={
            (task, model): figures
            for model, by_task in PUBLISHED.items()
            for task, figures in zip(TASKS, by_task, strict=True)
            if figures is not None
        },
        differences=[
            compare(report, reports[report.task, rival], "ndcg", K)
            for report in fitted
            for rival in ("own history, days", "history + CF", "EASE 500", "popularity")
            if (report.task, rival) in reports
        ],
        note="The published EASE ridges were recovered from their figures: 200, 500, 20 (our own "
        "validation run picks 50, 500, 20, 200). The settings of iALS are not written down; ours "
        "(16 factors, alpha 1, ridge 1) are one of six tried on test: its rows and the blend's "
        "are context, not a tuned rival. Ours is fitted on days up to 8 July and validated on 9 to "
        "15 July, the baselines are fitted on all of them; lists of buys ask it for a purchase.",
    )


def purchases(log: tmall.TmallLog, level: Level, chances: Mapping[str, ChanceModel]) -> Section:
    """A2: a purchase within 7 days, of anything (user) or of a brand seen before (pair)."""
    first, last = tmall.day_number(5, 20), tmall.CUT - 1
    asked = {
        name: purchase_rows(log.table, days, horizon_days=7, level=level)
        for name, days in (
            ("training", range(first, tmall.CUT - 7, 7)),
            (f"{level} (a)", [last]),
            (f"{level} (b)", range(last, last + 28, 7)),
        )
    }
    found = [
        n for name in list(asked)[1:] for n in (len(asked[name].label), asked[name].label.sum())
    ]
    if found != SHAPES[level]:
        raise SystemExit(f"The rows differ from the protocol's: {found}, not {SHAPES[level]}.")
    features = USER_7 if level == "user" else PAIR_7
    digits = 3 if level == "user" else 4
    part = chance_section(asked, {"logistic, 7 features": features}, extra=chances)
    return Section(
        title=f"A2 purchase within 7 days, {level} level",
        metrics=part.metrics,
        digits=digits,
        rows=part.rows,
        published=CHANCE_PUBLISHED,
        differences=part.differences,
        note="(a) 15 July; (b) 15, 22, 29 July and 5 August. The seven features and the trees' "
        "settings are not written down to the letter; ours were fixed before the test was read. "
        "Our model answers by its tasks of the shopper and of the pair, calibrated by its own fit. "
        "It is asked at midnight, as a server would.",
    )


def dataset_of(file: Path = tmall.FILE) -> Dataset:
    """Read the log with the ready mapping; the week before the cut is validation."""
    log = read(file)
    split = SplitConfig(train_end="2014-07-09", validation_end="2014-07-16")
    return encode(replace(log, shop=msgspec.structs.replace(log.shop, split=split)))


def pair_chance(model: ours.Fit, _: PurchaseRows, test: PurchaseRows) -> Chances:
    """Ask ours for P(this brand is bought within 7 days) at each snapshot."""
    return model.purchase_chances(test.user, test.item, test.snapshot, days=7)


def run(seeds: Sequence[int], folder: Path) -> None:
    """Reproduce the baselines, fit and add ours, write the report."""
    log = tmall.read_log()
    check(log)
    dataset = dataset_of()
    models = [
        ours.fit_into(dataset, folder, seed=seed, user_ids=log.user_ids, item_ids=log.item_ids)
        for seed in seeds
    ]
    sections = [
        next_brand(log, models),
        purchases(log, "user", {model.name: partial(any_purchase, model, 7) for model in models}),
        purchases(log, "pair", {model.name: partial(pair_chance, model) for model in models}),
    ]
    fits = [model.cost.line() for model in models]
    write_report("tmall", files=[tmall.FILE], sections=sections, fits=fits)


def check(log: tmall.TmallLog) -> None:
    """Stop where the rows are not those of the protocol."""
    training = log.before(tmall.CUT)
    kinds = len(log.table.distinct(log.table.action, log.table.day))
    found = (len(log.table.user), kinds, len(training.distinct(training.action, training.day)))
    users, brands = (len(np.unique(rows)) for rows in (training.user, training.item))
    if (*found, users, brands) != (182_880, 85_030, 61_017, 860, 7_842):
        raise SystemExit(f"The rows differ from the protocol's: {found}, {users}, {brands}.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    ours.add_options(parser, seeds=(0,))
    given = parser.parse_args()
    with ours.model_folder(given.models, "tmall") as place:
        run(given.seeds, place)
