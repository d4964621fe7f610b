"""The questions that the report answers, one section each, with their pictures and tables."""

from endcap.evaluate import charts, plots
from endcap.evaluate.facts import Facts, curves_of
from endcap.evaluate.faithfulness import FAITHFULNESS
from endcap.evaluate.item_sections import fairness_section, popularity_section
from endcap.evaluate.panels import Panel, Rows, Section, capital, drawn_ones
from endcap.evaluate.tables import (
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


def sections_of(facts: Facts, rows: Rows) -> list[Section]:
    """Build the sections, in reading order."""
    return [
        _figures(rows),
        _curves(facts),
        _sharing(facts),
        _calibration(rows),
        popularity_section(rows),
        _slots(rows),
        _attention(rows),
        fairness_section(rows),
    ]


def _figures(rows: Rows) -> Section:
    panels = []
    for task in ranked_tasks(rows):
        title = _headed(task, where(rows, task=task, metric="ndcg")[0].n)
        table = ranking_table(rows, task)
        panels.append(Panel(title=title, charts=drawn_ones(plots.lists(rows, task)), table=table))
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
        drawn = drawn_ones(plots.calibration(rows, task))
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


def _slots(rows: Rows) -> Section:
    says = (
        "A click needs a look first: P(click) = examination x P(click | looked at). The curve is "
        "learned where positions varied, and corrected slot by slot on validation days, so that "
        "the product holds there; the first slot of the best placement is 1."
    )
    drawn = drawn_ones(plots.examination(rows))
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
            charts=drawn_ones(ages),
        ),
        Panel(
            title="By dimension of the product",
            note="" if dimensions else "Not measured for this model.",
            charts=drawn_ones(dimensions),
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
        title = capital(task)
        panels.append(Panel(title=title, note=note, table=Table(columns=columns, lines=lines)))
    return panels
