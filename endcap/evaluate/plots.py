"""Which figures make which picture; the report and the notebook draw the same ones."""

from collections.abc import Sequence

from endcap.evaluate import charts
from endcap.evaluate.charts import Chart
from endcap.evaluate.tables import OURS, chance_tasks, part_of, ranked_tasks, where
from endcap.schema import MetricRow

Rows = Sequence[MetricRow]
LOG = "the log"
TENTHS = [str(tenth) for tenth in range(1, 11)]
TENTH = "tenth of the items, the most wanted first"


def lists(rows: Rows, task: str | None = None) -> Chart | None:
    """Draw the recall of a question's lists, models side by side."""
    task = task or next(iter(ranked_tasks(rows)), None)
    found = [row for row in where(rows, task=task, metric="recall") if row.k == 10]
    return charts.intervals(found, label="recall@10") if found else None


def calibration(rows: Rows, task: str | None = None) -> Chart | None:
    """Draw what came against what was said."""
    task = task or next(iter(chance_tasks(rows)), None)
    said = where(rows, task=task, metric="predicted", part="bin")
    came = where(rows, task=task, metric="happened", part="bin")
    return charts.calibration(said, came) if said else None


def slots(rows: Rows, task: str) -> Chart | None:
    """Draw what came in each slot against what was said; None for a task without slots."""
    came = {row.group: row for row in where(rows, task=task, metric="happened", part="slot")}
    said = [row for row in where(rows, task=task, metric="predicted", part="slot")]
    return charts.calibration(said, [came[row.group] for row in said]) if said else None


def popularity(rows: Rows, task: str | None = None) -> Chart | None:
    """Draw the recall of items by how many people want them."""
    found, shown = _tenths(rows, task, "recall")
    if not shown:
        return None
    return charts.bars(
        {model: [_value(found[model].get(tenth)) for tenth in TENTHS] for model in shown},
        TENTHS,
        x_label=TENTH,
        y_label="recall@10",
        bounds={OURS: [_bounds(found[OURS].get(tenth)) for tenth in TENTHS]},
    )


def exposure(rows: Rows, task: str | None = None) -> Chart | None:
    """Draw whose places in lists they are, beside what shoppers did."""
    found, shown = _tenths(rows, task, "exposure")
    if not shown:
        return None
    models = [*shown, *([LOG] if LOG in found else [])]
    series = {model: [_value(found[model].get(tenth)) for tenth in TENTHS] for model in models}
    return charts.bars(series, TENTHS, x_label=TENTH, y_label="share of list places")


def examination(rows: Rows) -> Chart | None:
    """Draw how often each slot is looked at; None where no log could tell."""
    series: dict[str, list[tuple[float, float]]] = {}
    for row in where(rows, metric="examination", part="slot"):
        placement, slot, device = part_of(row).rsplit("/", maxsplit=2)
        series.setdefault(f"{placement}, {device}", []).append((int(slot), row.value))
    told = [name for name in series if not name.endswith(", unknown")] or list(series)
    seen = {name: series[name] for name in told if len(series[name]) > 1}
    return charts.lines(seen, x_label="slot", y_label="examination", wide=True) if seen else None


def attention(rows: Rows, part: str) -> Chart | None:
    """Draw the shares of attention, by `age` or by `dimension`."""
    found = where(rows, task="attention", metric="share", part=part)
    ours, even = ([row for row in found if row.model == model] for model in (OURS, "even"))
    if not ours:
        return None
    series = {"attention": [row.value for row in ours]}
    if even:
        series["spread evenly"] = [row.value for row in even]
    return charts.bars(series, [part_of(row) for row in ours], y_label="share", wide=True)


def _tenths(
    rows: Rows, task: str | None, metric: str
) -> tuple[dict[str, dict[str, MetricRow]], list[str]]:
    """Return rows by model and tenth, and the models to show: ours, the best rule, popularity."""
    task = task or next(iter(ranked_tasks(rows)), None)
    found: dict[str, dict[str, MetricRow]] = {}
    for row in where(rows, task=task, metric=metric, part="tenth"):
        found.setdefault(row.model, {})[part_of(row)] = row
    against = where(rows, task=task, metric="ndcg difference")
    rivals = [row.model.partition(" - ")[2] for row in against]
    return found, [m for m in dict.fromkeys([OURS, *rivals, "popularity"]) if m in found]


def _value(row: MetricRow | None) -> float:
    return row.value if row else 0.0


def _bounds(row: MetricRow | None) -> tuple[float, float] | None:
    return None if row is None or row.low is None or row.high is None else (row.low, row.high)
