"""Explanations as pictures: where a prediction looked, what moves it, what an ad takes."""

from typing import TYPE_CHECKING

from endcap.errors import QueryError

if TYPE_CHECKING:
    import polars as pl

    from endcap.api.explaining import Explained
    from endcap.evaluate.charts import Chart

KINDS = ("dimensions", "effects", "events", "shares")
MOST_ITEMS, MOST_EVENTS = 3, 20


def picture(found: "Explained", kind: str) -> "Chart":
    """Draw one of `KINDS`.

    Raises:
        MissingExtraError: matplotlib is not installed.
        QueryError: there is no such plot, or nothing to draw it from.
    """
    if kind not in KINDS:
        raise QueryError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}.")
    chart = {"dimensions": _attention, "effects": _effects, "events": _events, "shares": _shares}[
        kind
    ](found)
    if chart is None:
        raise QueryError(
            f"This explanation of task {found.task!r} has no {kind} to draw; "
            f"its tables say what it has."
        )
    return chart


def _attention(found: "Explained") -> "Chart | None":
    return _by_dimension(found.dimensions, "attention", "share of attention")


def _effects(found: "Explained") -> "Chart | None":
    return _by_dimension(found.dimensions, "effect", "effect on the log-odds")


def _by_dimension(frame: "pl.DataFrame", column: str, y_label: str) -> "Chart | None":
    from endcap.evaluate import charts

    told = frame.drop_nulls(column)
    if told.is_empty():
        return None
    series = _by_item(told, column)
    labels = told["dimension"].unique(maintain_order=True).to_list()
    return charts.bars(series, labels, x_label="dimension", y_label=y_label, wide=True)


def _by_item(told: "pl.DataFrame", column: str) -> dict[str, list[float]]:
    """Return a column of the first items that are explained."""
    return {
        item_id: told.filter(item_id=item_id)[column].to_list()
        for item_id in told["item_id"].unique(maintain_order=True)[:MOST_ITEMS]
    }


def _events(found: "Explained") -> "Chart | None":
    from endcap.evaluate import charts

    told = found.events.drop_nulls("attention")
    if told.is_empty():
        return None
    series = {
        item_id: values[-MOST_EVENTS:] for item_id, values in _by_item(told, "attention").items()
    }
    count = len(next(iter(series.values())))
    labels = [str(place - count) for place in range(count)]
    return charts.bars(
        series, labels, x_label="event, -1 the latest", y_label="share of attention", wide=True
    )


def _shares(found: "Explained") -> "Chart | None":
    from endcap.evaluate import charts

    pages = found.shares.partition_by("without", as_dict=True, maintain_order=True)
    series = {
        "the page" if without is None else f"without {without}": page["share"].to_list()
        for (without,), page in pages.items()
    }
    slots = found.shares["slot"].unique(maintain_order=True).cast(str).to_list()
    return charts.bars(
        series, slots, x_label="slot", y_label="share of the page's attention", wide=True
    )
