"""The report: one HTML file that opens from disk, with all figures of a model and what they mean.

It is made of a model folder's facts and tidy rows alone, so whatever it shows is in `metrics.json`.
"""

from collections.abc import Sequence
from pathlib import Path

from endcap.evaluate.charts import require_charts
from endcap.evaluate.facts import Facts, at_the_ends, not_better
from endcap.evaluate.sections import sections_of
from endcap.evaluate.tables import OURS, ranked_tasks, where
from endcap.schema import MetricRow

TEMPLATES = Path(__file__).parent / "templates"
Rows = Sequence[MetricRow]


def report_html(facts: Facts, rows: Rows) -> str:
    """Write the report as one page that needs no network and no script.

    Raises:
        MissingExtraError: matplotlib or jinja2 is not installed.
    """
    require_charts()
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.get_template("report.html.jinja")
    return page.render(
        facts=facts,
        tiles=headline(facts, rows),
        sections=sections_of(facts, rows),
        left_out=facts.left_out,
        failures=not_better(rows),
        ends=at_the_ends(facts),
        mixes=facts.mixes,
    )


def headline(facts: Facts, rows: Rows) -> list[tuple[str, str, str]]:
    """Return what one wants to know first: a label, a figure, and what it stands beside."""
    period = f"{facts.first_at} to {facts.last_at}" if facts.first_at else "an order, no times"
    tiles = [
        ("events", f"{sum(facts.events.values()):,}", period),
        ("shoppers", f"{facts.shoppers:,}", f"{facts.items:,} items"),
        ("tasks trained", f"{len(facts.tasks)}", f"{len(facts.left_out)} left out"),
    ]
    for task in ranked_tasks(rows)[:1]:
        found = {row.model: row for row in where(rows, task=task, metric="recall") if row.k == 10}
        ours = found.pop(OURS)
        best = max(found.values(), key=lambda row: row.value, default=None)
        beside = f"{best.model}: {best.value:.3f}" if best else "no rule beside it"
        tiles.append(("recall@10", f"{ours.value:.3f}", beside))
    for row in where(rows, task="click", metric="auc", model=OURS):
        tiles.append(("click AUC", f"{row.value:.3f}", "base rate: 0.500"))
    return tiles
