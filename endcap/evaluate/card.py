"""The model card: what a model is for, its data, figures and limits, as one page of Markdown.

Every sentence is chosen by facts of the model folder; nothing in it is free prose.
"""

from collections.abc import Iterable, Sequence

from endcap.evaluate.facts import Facts, at_the_ends, not_better
from endcap.evaluate.tables import (
    Table,
    comparison_table,
    ranked_tasks,
    ranking_table,
    task_table,
    where,
)
from endcap.schema import MetricRow

USES = {
    "recommendation": "list the items that a shopper is likely to want next",
    "behaviour": "say with which chance a shopper clicks, buys or stays with an item",
    "ad": "say with which chance an item is clicked or bought as an ad",
}
LEAST_SHOPPERS = 300
"""With fewer shoppers on test days, intervals are wide."""


def card_markdown(facts: Facts, rows: Sequence[MetricRow]) -> str:
    """Write the card."""
    sections = [
        f"# Model {facts.version} of {facts.shop}",
        f"Fitted {facts.created_at} by Endcap {facts.endcap}.",
        "## What it is for",
        _list(USES[group] for group in dict.fromkeys(group for _, group, _ in facts.tasks)),
        "## Data",
        _data(facts),
        "## Tasks",
        _table(("task", "group", "asks"), facts.tasks),
        *_sharing(facts),
        "## Figures",
        _figures(rows),
        "## Limits",
        _list(_limits(facts, rows)),
        "## How to make it again",
        _again(facts),
    ]
    return "\n\n".join(sections) + "\n"


def _data(facts: Facts) -> str:
    period = (
        f"From {facts.first_at} to {facts.last_at} (UTC)."
        if facts.first_at
        else "The log tells an order, and no times."
    )
    counts = (
        f"{sum(facts.events.values()):,} events of {facts.shoppers:,} shoppers with "
        f"{facts.items:,} items and {facts.campaigns:,} campaigns. {period} "
        f"Kept aside by {facts.split.replace('_', ' ')}."
    )
    kinds = [(kind, f"{count:,}") for kind, count in facts.events.items()]
    return f"{counts}\n\n{_table(('kind of event', 'events'), kinds)}"


def _sharing(facts: Facts) -> list[str]:
    """Tell what a comparison of tasks found; nothing where none was made."""
    if not facts.comparisons:
        return []
    note = (
        "Each task fitted alone, beside all together: mean loss on validation days, 95 % intervals "
        "over shoppers. Below 0, sharing hurts the task."
    )
    table = _of(comparison_table(facts.comparisons, facts.apart))
    return ["## Tasks alone and together", f"{note}\n\n{table}"]


def _figures(rows: Sequence[MetricRow]) -> str:
    parts = []
    for task in ranked_tasks(rows):
        shoppers = where(rows, task=task, metric="ndcg")[0].n
        parts.append(f"### {task}: {shoppers:,} shoppers\n\n{_of(ranking_table(rows, task))}")
    if (tasks := task_table(rows)).lines:
        parts.append(f"### Chances\n\n{_of(tasks)}")
    if not parts:
        return "None: too little happened on the days kept aside."
    note = (
        "Measured on test days; brackets are 95 % intervals over shoppers, the fitted model held "
        "fixed. All figures: `metrics.json`; with pictures: `report.html`."
    )
    return "\n\n".join([note, *parts])


def _limits(facts: Facts, rows: Sequence[MetricRow]) -> list[str]:
    found = [f"{name} was not trained: it {reason}." for name, reason in facts.left_out.items()]
    if not facts.first_at:
        found.append("Without times there are no horizons and no hours of the day.")
    if not facts.events.get("impression"):
        found.append("The log does not tell what was shown: a click is compared with nothing.")
    elif not facts.examines:
        found.append("Examination of slots is not identifiable from this log; a default stands in.")
    asked = max((row.n for row in where(rows, metric="ndcg")), default=0)
    if 0 < asked < LEAST_SHOPPERS:
        found.append(f"Lists are measured on {asked:,} shoppers: intervals are wide.")
    found += [*not_better(rows), *at_the_ends(facts)]
    found.append("It knows nothing that happened after its log ends, and predicts, not explains.")
    return found


def _again(facts: Facts) -> str:
    seed = facts.training.get("seed", 0)
    settings = [(name.replace("_", " "), f"{value}") for name, value in facts.training.items()]
    return (
        f"`endcap fit LOG --out MODEL --seed {seed}` with Endcap {facts.endcap} on the log of "
        f"fingerprint `{facts.fingerprint}`; `manifest.json` holds the whole configuration.\n\n"
        f"{_table(('setting', 'value'), settings)}"
    )


def _of(table: Table) -> str:
    return _table(table.columns, table.lines)


def _table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [columns, ["---"] * len(columns), *lines]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _list(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)
