"""Which tasks a log unlocks, and why it leaves the others out."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import polars as pl

from endcap.schema import (
    ANY_EVENT,
    Binary,
    Count,
    Hazard,
    NextCategory,
    NextItem,
    ShopConfig,
    Task,
    group_of,
)

FIELD_COLUMNS = {
    "category": "categories", "price": "price", "brand": "brand", "seller": "seller_id"
}  # fmt: skip
"""Fields of items that a task may ask of, and the columns that tell them."""


@dataclass(frozen=True, kw_only=True)
class TaskUse:
    """One task, and whether this log can teach it."""

    name: str
    group: str
    is_unlocked: bool
    reason: str
    """What of the log teaches it, or what is missing."""


class Contents:
    """Counts of what a log holds, each taken once."""

    def __init__(
        self, table: pl.DataFrame, shop: ShopConfig, *, item_columns: Collection[str]
    ) -> None:
        self._rows: dict[tuple[str, bool], int] = {}
        self._dwells: dict[tuple[str, bool], int] = {}
        for kind, ad, rows, dwells in table.rows():
            self._rows[kind, ad], self._dwells[kind, ad] = rows, dwells
        self.has_clock, self._item_columns = shop.has_clock, item_columns
        self._own_columns = {*shop.items.attributes, *shop.items.numbers}
        self.num_events = sum(self._rows.values())

    def rows(self, kind: str, ad: bool | None = None) -> int:
        """Count events of a kind: of ads, of products, or (None) both."""
        wanted = (False, True) if ad is None else (ad,)
        return sum(self._rows.get((kind, one), 0) for one in wanted)

    def tells(self, of: str) -> bool:
        """Tell whether items have a field that a task may ask of."""
        if of in FIELD_COLUMNS:
            return FIELD_COLUMNS[of] in self._item_columns
        return of in self._own_columns or "attributes" in self._item_columns

    def dwells(self, kind: str, ad: bool) -> int:
        """Count events of a kind that tell a dwell."""
        return self._dwells.get((kind, ad), 0)


def count_contents(events: pl.DataFrame) -> pl.DataFrame:
    """Count rows and dwells by kind, those of ads apart."""
    is_ad = pl.col("campaign_id").is_not_null()
    return events.group_by("event_type", is_ad.alias("is_ad")).agg(
        rows=pl.len(), dwells=pl.col("dwell_ms").count()
    )


def use_tasks(
    contents_table: pl.DataFrame, shop: ShopConfig, *, item_columns: Collection[str]
) -> tuple[TaskUse, ...]:
    """Say of each of the shop's tasks whether the log unlocks it.

    Args:
        contents_table: as `count_contents` counts it.
        item_columns: what the catalogue tells, by our names.
    """
    contents = Contents(contents_table, shop, item_columns=item_columns)
    uses = []
    for task in shop.tasks:
        missing = _missing(task, contents)
        uses.append(
            TaskUse(name=task.name, group=group_of(task), is_unlocked=not missing,
                    reason=missing or _taught_by(task, contents))
        )  # fmt: skip
    return tuple(uses)


def unlocked_tasks(uses: tuple[TaskUse, ...], shop: ShopConfig) -> tuple[Task, ...]:
    """Keep the shop's tasks that the log unlocks.

    A task of an own event type stays, so that the numbers of own types do not hang on the log.
    """
    names = {use.name for use in uses if use.is_unlocked}
    own = shop.own_types
    return tuple(
        task
        for task in shop.tasks
        if task.name in names or getattr(task, "event_type", None) in own
    )


def _missing(task: Task, contents: Contents) -> str:
    """Name the first thing that a task needs and the log has not; empty when it has all."""
    return next((reason for has, reason in _needs(task, contents) if not has()), "")


Need = tuple[Callable[[], bool], str]


def _needs(task: Task, contents: Contents) -> list[Need]:
    match task:
        case NextItem():
            return []
        case Binary():
            return [*_space_needs(task, contents), *_event_needs(task, contents)]
        case Hazard(measures="dwell"):
            return [
                *_space_needs(task, contents),
                (lambda: contents.dwells(_timed(task), task.ads) > 0,
                 f"no dwell_ms on {task.space}"),
            ]  # fmt: skip
        case Hazard():
            return [
                (lambda: contents.has_clock, "no time: only the order of events is known"),
                *_space_needs(task, contents),
                *_event_needs(task, contents),
            ]
        case Count():
            return [
                (lambda: contents.has_clock, "no time: only the order of events is known"),
                *_event_needs(task, contents),
            ]
        case NextCategory():
            return [
                (lambda: contents.has_clock, "no time: only the order of events is known"),
                (
                    lambda: contents.tells(task.of),
                    f"no {FIELD_COLUMNS.get(task.of, task.of)} of items",
                ),
            ]


def _timed(task: Hazard) -> str:
    """Name the kind of event whose dwell a task measures."""
    return "impression" if task.space == "impressions" else "click"


def _space_needs(task: Binary | Hazard, contents: Contents) -> list[Need]:
    whose = " of ads (rows with campaign_id)" if task.ads else ""
    match task.space:
        case "impressions":
            return [(lambda: contents.rows("impression", task.ads) > 0, f"no impressions{whose}")]
        case "clicks":
            return [(lambda: contents.rows("click", task.ads) > 0, f"no clicks{whose}")]
        case _:
            return []


def _event_needs(task: Binary | Hazard | Count, contents: Contents) -> list[Need]:
    is_of_ad = isinstance(task, Binary | Hazard) and task.ads
    whose = " on ads" if is_of_ad and task.event_type == "click" else ""
    return [(lambda: _answers(task, contents) > 0, f"no events of type {task.event_type}{whose}")]


def _answers(task: Binary | Hazard | Count, contents: Contents) -> int:
    """Count the events that a task waits for; a click tells whether it was on an ad."""
    if task.event_type == ANY_EVENT:
        return contents.num_events
    if isinstance(task, Count):
        return contents.rows(task.event_type)
    is_click = task.event_type == "click"
    return contents.rows(task.event_type, task.ads if is_click else None)


def _taught_by(task: Task, contents: Contents) -> str:
    match task:
        case NextItem():
            return "every event with an item"
        case Hazard(measures="dwell"):
            return f"{contents.dwells(_timed(task), task.ads):,} {task.space} with dwell_ms"
        case NextCategory():
            return f"every event with an item of a known {task.of}"
        case Hazard(event_type="any"):
            return "every event"
        case Binary() | Hazard() | Count():
            return f"{_answers(task, contents):,} events of type {task.event_type}"
