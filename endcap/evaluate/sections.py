"""The questions that the report answers, one section each, with their pictures and tables."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from endcap.evaluate import charts, plots
from endcap.evaluate.charts import Chart
from endcap.evaluate.facts import Facts, curves_of
from endcap.evaluate.faithfulness import FAITHFULNESS
from endcap.evaluate.tables import (
    OURS,
    Table,
    chance_tasks,
    comparison_table,
    correction_table,
    part_of,
    promised_table,
    ranked_tasks,
    ranking_table,
    task_table,
    where,
    written,
)
from endcap.schema import MetricRow

Rows = Sequence[MetricRow]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A titled part of a section: pictures, a table, or the reason why there is none."""

    title: str = ""
    note: str = ""
    charts: tuple[Chart, ...] = ()
    table: Table | None = None
    folded: bool = False
    """Whether the table opens on a click."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A question that the report answers."""

    name: str
    title: str
    says: str
    panels: list[Panel] = field(default_factory=list)


def sections_of(facts: Facts, rows: Rows) -> list[Section]:
    """Build the sections, in reading order."""
    return [
        _figures(rows),
        _curves(facts),
        _sharing(facts),
        _calibration(rows),
        _popularity(rows),
        _slots(rows),
        _attention(rows),
        _fairness(rows),
    ]


def _figures(rows: Rows) -> Section:
    panels = []
    for task in ranked_tasks(rows):
        title = _headed(task, where(rows, task=task, metric="ndcg")[0].n)
        table = ranking_table(rows, task)
        panels.append(Panel(title=title, charts=_drawn(plots.lists(rows, task)), table=table))
    if not panels:
        panels.append(Panel(note="Nobody came back on the days kept aside: no list is measured."))
    tasks = task_table(rows)
    if tasks.lines:
        note = (
            "The base rate is the rate of training days, the same for everybody. The difference "
            "of log-losses is paired over the same shoppers; below 0 the model is better. Boosted "
            "trees learn each task alone, from the context's columns and the slot. A "
            "purchase is asked of sampled pairs of shopper and item, at the rates of the sample."
        )
        panels.append(Panel(title="Chances", note=note, table=tasks))
    says = (
        "Everything is asked on days that training never saw; brackets are 95 % intervals over "
        "shoppers, the fitted model held fixed. Lists stand beside rules that learn nothing."
    )
    return Section(name="figures", title="How good is it?", says=says, panels=panels)


def _drawn(*found: Chart | None) -> tuple[Chart, ...]:
    return tuple(chart for chart in found if chart is not None)


def _headed(task: str, n: int) -> str:
    return f"{task[:1].upper()}{task[1:]}: {n:,} shoppers"


def _curves(facts: Facts) -> Section:
    curves = curves_of(facts.curves)
    says = (
        "Validation days after each pass over the log; the dashed line is the pass that was kept."
    )
    marks = {"kept": float(facts.best_epoch)} if facts.best_epoch else {}
    drawn = tuple(
        charts.lines({name: points}, x_label="epoch", y_label=name, marks=marks)
        for name, points in curves.items()
    )
    panel = Panel(charts=drawn) if drawn else Panel(note="Not kept by this model.")
    return Section(name="curves", title="How did it learn?", says=says, panels=[panel])


def _sharing(facts: Facts) -> Section:
    says = (
        "Each task fitted alone, beside all tasks together: mean loss on validation days, and the "
        "difference with its 95 % interval over the same shoppers. Below 0, what tasks share hurts."
    )
    if facts.comparisons:
        panel = Panel(table=comparison_table(facts.comparisons, facts.apart))
    else:
        note = "Not compared by this fit; `endcap fit --compare-tasks` does."
        if facts.apart:
            note += f" By its recipe these have a network of their own: {', '.join(facts.apart)}."
        panel = Panel(note=note)
    return Section(name="sharing", title="Do tasks help one another?", says=says, panels=[panel])


def _calibration(rows: Rows) -> Section:
    panels = []
    for task in chance_tasks(rows):
        said = where(rows, task=task, metric="predicted", part="bin")
        came = where(rows, task=task, metric="happened", part="bin")
        if not said:
            continue
        lines = tuple(
            (part_of(p), f"{h.n:,}", written(p, bare=True), written(h))
            for p, h in zip(said, came, strict=True)
        )
        table = Table(columns=("bin", "asked", "said", "came"), lines=lines)
        drawn = _drawn(plots.calibration(rows, task))
        panels.append(Panel(title=task, charts=drawn, table=table, folded=True))
    slots = task_table(rows, part="slot")
    if slots.lines:
        note = (
            "The page rule picks what is predicted high, so a slot's winners are over-predicted "
            "where a model errs. The base rate of a slot is its own; said / came above 1 promises "
            "too much."
        )
        for task in chance_tasks(rows):
            if chart := plots.slots(rows, task):
                panels.append(Panel(title=f"{task}, a dot per slot", charts=(chart,)))
        panels.append(Panel(title="By shown slot", note=note, table=slots))
    picks = promised_table(rows, "pick")
    if picks.lines:
        note = (
            "Of every page that was shown, what promised most if looked at, and the others: "
            "a page rule that picks the largest of many guesses picks errors too."
        )
        panels.append(Panel(title="Winners", note=note, table=picks))
    says = (
        "Of all that was given 30 %, do 30 in 100 come? Dots are tenths of the answers; ECE is "
        "their mean distance from the diagonal, and its floor is what chance alone gives a right "
        "model. A constant is calibrated too: read this beside the log-loss above."
    )
    if not panels:
        panels.append(Panel(note="The log teaches no task that answers with a chance."))
    return Section(name="calibration", title="Do its chances hold?", says=says, panels=panels)


def _popularity(rows: Rows) -> Section:
    panels = []
    for task in ranked_tasks(rows):
        drawn = _drawn(plots.popularity(rows, task), plots.exposure(rows, task))
        if drawn:
            panels.append(Panel(title=_plain(task), charts=drawn, table=_tail(rows, task)))
        cold = _little_known(rows, task)
        if cold.lines:
            note = (
                "Shoppers as if only their latest events were known; new items have no event on "
                "training days, and stand in lists of all items."
            )
            panels.append(Panel(title=f"{_plain(task)}, little known", note=note, table=cold))
    if not panels:
        panels.append(Panel(note="No list is measured, so no item is known to be shown or missed."))
    says = (
        "Most shoppers want few items. Tenth 1 holds the items that most people had on training "
        f"days; {plots.LOG!r} is what shoppers did then. Tenths 3 to 10 are the last 80 %."
    )
    return Section(
        name="popularity", title="Does it serve the long tail?", says=says, panels=panels
    )


def _little_known(rows: Rows, task: str) -> Table:
    """Set ours beside popularity where little is known."""
    parts = {"known": "shoppers of {} events", "items": "{} items"}
    lines = []
    for part, text in parts.items():
        for metric in ("recall", "exposure"):
            found = where(rows, task=task, metric=metric, part=part)
            by_group = {(row.group, row.model): row for row in found}
            for group in dict.fromkeys(row.group for row in found if row.model == OURS):
                ours, theirs = by_group[group, OURS], by_group.get((group, "popularity"))
                name = text.format(group.partition("=")[2])
                lines.append(
                    (f"{name}: {metric}@10", f"{ours.n:,}", written(ours), written(theirs))
                )
    columns = ("", "shoppers", OURS, "popularity")
    return Table(columns=columns, lines=tuple(lines))


def _plain(task: str) -> str:
    return f"{task[:1].upper()}{task[1:]}"


def _tail(rows: Rows, task: str) -> Table:
    shares = {row.model: row for row in where(rows, task=task, metric="tail_exposure")}
    lines = tuple(
        (model, *(f"{_alone(rows, task, metric, model)}" for metric in ("coverage", "gini")),
         written(row, bare=True))
        for model, row in shares.items()
    )  # fmt: skip
    columns = ("", "coverage", "Gini", "places of the last 80 % of items")
    return Table(columns=columns, lines=lines, ours=tuple(line[0] == OURS for line in lines))


def _alone(rows: Rows, task: str, metric: str, model: str) -> str:
    found = where(rows, task=task, metric=metric, model=model)
    return written(found[0], bare=True) if found else "-"


def _slots(rows: Rows) -> Section:
    says = (
        "A click needs a look first: P(click) = examination x P(click | looked at). The curve is "
        "learned where positions varied, and corrected slot by slot on validation days, so that "
        "the product holds there; the first slot of the best placement is 1."
    )
    drawn = _drawn(plots.examination(rows))
    if drawn:
        panel = Panel(charts=drawn, table=correction_table(rows), folded=True)
    else:
        panel = Panel(
            note="Not identifiable from this log; each slot is taken to be looked at 0.85 times as "
            "often as the one before."
        )
    return Section(name="slots", title="Which slots are looked at?", says=says, panels=[panel])


def _attention(rows: Rows) -> Section:
    ages, dimensions = plots.attention(rows, "age"), plots.attention(rows, "dimension")
    asked = [row.n for row in where(rows, task="attention", metric="share", part="age")]
    panels = [
        Panel(
            title="By age of the event",
            note=f"Means over {asked[0]:,} questions. 'Spread evenly' gives each event the same."
            if asked
            else "The log teaches no task of candidates, so no candidate attends to events.",
            charts=_drawn(ages),
        ),
        Panel(
            title="By dimension of the product",
            note="" if dimensions else "Not measured for this model.",
            charts=_drawn(dimensions),
        ),
        *_reasons(rows),
    ]
    says = (
        "What a candidate's answer is read from. Attention is where the model looks, not why a "
        "shopper acts."
    )
    return Section(name="attention", title="What does it look at?", says=says, panels=panels)


def _reasons(rows: Rows) -> list[Panel]:
    """Show whether the events that are named as reasons are some, a panel per task."""
    columns = ("events in order of", "first gone", "first alone", "area", "above random")
    kinds = ("comprehensiveness", "sufficiency", "deletion_auc", "deletion_auc_above_random")
    panels = []
    for task in dict.fromkeys(row.task for row in rows if row.task.startswith(FAITHFULNESS)):
        of_task = [row for row in where(rows, task=task) if row.k <= 1]
        found = {(row.model, row.metric): row for row in of_task}
        lines = tuple(
            (model, *(written(found[model, kind]) if (model, kind) in found else "-"
                      for kind in kinds))
            for model in dict.fromkeys(row.model for row in of_task)
        )  # fmt: skip
        note = (
            f"Fall of the log-odds of {of_task[0].n:,} shoppers' best item as their events are "
            "taken away in an order, or all but the first (less is better there). An order that "
            "names reasons stands above random."
        )
        title = _plain(task)
        panels.append(Panel(title=title, note=note, table=Table(columns=columns, lines=lines)))
    return panels


def _fairness(rows: Rows) -> Section:
    panels = []
    kinds = dict.fromkeys(
        row.group.partition("=")[0] for row in rows if row.group and row.metric == "tail_exposure"
    )
    for task in ranked_tasks(rows)[:1]:
        panels += [
            Panel(
                title=f"Shoppers by {kind}", table=_group_table(rows, task, kind, "tail_exposure")
            )
            for kind in kinds
        ]
        sellers = _group_table(rows, task, "seller", "exposure")
        if sellers.lines:
            panels.append(Panel(title="Sellers", table=sellers))
        else:
            panels.append(Panel(title="Sellers", note="The catalogue names no seller."))
    says = (
        "Whether some are served worse: recall by group of shoppers with the share of the last "
        "80 % of items in their lists, and by seller with the share of list places beside what "
        f"shoppers did ({plots.LOG!r})."
    )
    if not panels:
        panels.append(Panel(note="No list is measured."))
    return Section(name="fairness", title="Whom does it serve?", says=says, panels=panels)


def _group_table(rows: Rows, task: str, kind: str, exposure: str) -> Table:
    models = [OURS, "popularity"]
    if exposure == "exposure":
        models.append(plots.LOG)
    recall = {(r.group, r.model): r for r in where(rows, task=task, metric="recall", part=kind)}
    shares = {(r.group, r.model): r for r in where(rows, task=task, metric=exposure, part=kind)}
    lines = []
    for group in dict.fromkeys(group for group, model in shares if model == OURS):
        ours = recall.get((group, OURS))
        cells = [written(recall.get((group, model))) for model in models[:2]]
        cells += [written(shares.get((group, model)), bare=True) for model in models]
        lines.append((group.partition("=")[2], f"{ours.n:,}" if ours else "-", *cells))
    what = "places" if exposure == "exposure" else "last 80 %"
    columns = ("", "shoppers", "recall@10", "popularity's", f"{what}, endcap", "popularity")
    return Table(columns=columns + ((plots.LOG,) if len(models) == 3 else ()), lines=tuple(lines))
