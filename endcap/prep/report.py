"""What a log was found to be, as plain data: for the screen, for `--json`, for a test."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import polars as pl

from endcap.prep.clock import write_instant
from endcap.prep.columns import EVENT_COLUMNS, ITEM_COLUMNS, Column
from endcap.prep.rejected import Reason, count_reasons
from endcap.prep.tally import Tally
from endcap.prep.unlocks import TaskUse, use_tasks
from endcap.schema import Action, ShopConfig, html_table


@dataclass(frozen=True, kw_only=True)
class ColumnUse:
    """One column that was found, where, and what it is good for."""

    column: str
    source: str
    unlocks: str


@dataclass(frozen=True, kw_only=True)
class SplitUse:
    """How the events would be kept aside."""

    kind: str
    train: int
    validation: int
    test: int
    train_end: str | None
    validation_end: str | None


@dataclass(frozen=True, kw_only=True)
class LogReport:
    """What was found in a log, what it unlocks, and what was left out and why."""

    files: tuple[str, ...]
    rows: int
    """Rows of the files of events, the rejected ones included."""
    events: int
    """Events kept, those made of logged decisions included."""
    users: int
    items: int
    """Items that events name."""
    catalogue_items: int
    campaigns: int
    event_types: dict[str, int]
    first_at: str | None
    last_at: str | None
    resolution: str
    zone: str
    currency: str
    shared_instant_share: float
    """Share of events that another event of the same user shares its instant with."""
    columns: tuple[ColumnUse, ...]
    item_columns: tuple[ColumnUse, ...]
    unused_columns: tuple[str, ...]
    tasks: tuple[TaskUse, ...]
    split: SplitUse
    rejected: int
    reasons: tuple[Reason, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON can hold it."""
        return asdict(self)

    def _repr_html_(self) -> str:
        span = f"{self.first_at} to {self.last_at}" if self.first_at else "without times"
        held = [
            ("events", self.events),
            ("shoppers", self.users),
            ("items", self.items),
            ("campaigns", self.campaigns),
            ("period", span),
            ("rows not read", self.rejected),
            *self.event_types.items(),
        ]
        tasks = [
            (task.name, "unlocked" if task.is_unlocked else "left out", task.reason)
            for task in self.tasks
        ]
        reasons = [(one.reason, one.count, ", ".join(one.rows)) for one in self.reasons]
        tables = [
            html_table(", ".join(self.files), ["held", ""], held),
            html_table("Tasks", ["task", "", "taught by, or missing"], tasks),
        ]
        if reasons:
            tables.append(html_table("Rows not read", ["reason", "rows", "the first"], reasons))
        return "".join(tables)

    def noting(self, *notes: str) -> "LogReport":
        """Return the report with further notes."""
        return replace(self, notes=(*self.notes, *notes))


@dataclass(frozen=True, kw_only=True)
class Found:
    """What `read` knows that the events do not tell."""

    files: tuple[str, ...]
    rows: int
    catalogue_items: int
    campaigns: int
    columns: dict[str, str]
    item_columns: dict[str, str]
    unused: tuple[str, ...]
    notes: tuple[str, ...]


def make_report(tally: Tally, rejected: pl.DataFrame, shop: ShopConfig, found: Found) -> LogReport:
    """Say what a checked log holds."""
    cuts = tally.cuts
    ends = (cuts.train_end_us, cuts.validation_end_us) if cuts.kind == "time" else (None, None)
    return LogReport(
        files=found.files,
        rows=found.rows,
        events=tally.events,
        users=tally.users,
        items=tally.items,
        catalogue_items=found.catalogue_items,
        campaigns=found.campaigns,
        event_types=tally.event_types,
        first_at=write_instant(tally.first_us) if shop.has_clock else None,
        last_at=write_instant(tally.last_us) if shop.has_clock else None,
        resolution=shop.log.resolution,
        zone=shop.zone,
        currency=shop.currency,
        shared_instant_share=1.0 - tally.alone / tally.events,
        columns=_use_columns(found.columns, EVENT_COLUMNS),
        item_columns=_use_columns(found.item_columns, ITEM_COLUMNS),
        unused_columns=found.unused,
        tasks=use_tasks(tally.contents, shop, item_columns=found.item_columns),
        split=SplitUse(
            kind=cuts.kind,
            train=tally.parts[0],
            validation=tally.parts[1],
            test=tally.parts[2],
            train_end=write_instant(ends[0]) if ends[0] is not None else None,
            validation_end=write_instant(ends[1]) if ends[1] is not None else None,
        ),
        rejected=rejected.height,
        reasons=count_reasons(rejected),
        warnings=_warnings(tally.event_types),
        notes=(*found.notes, *((cuts.note,) if cuts.note else ())),
    )


def _use_columns(sources: dict[str, str], known: tuple[Column, ...]) -> tuple[ColumnUse, ...]:
    unlocks = {column.name: column.unlocks for column in known}
    return tuple(
        ColumnUse(column=name, source=source, unlocks=unlocks.get(name, ""))
        for name, source in sources.items()
    )


def _warnings(kinds: dict[str, int]) -> tuple[str, ...]:
    known = {action.name.lower() for action in Action if action < Action.OWN}
    return tuple(
        f"event type {kind!r} ({count:,} events) is not one of ours: it is kept as the shop's own "
        f"and no task learns it; map it in shop.toml under [log.event_types]."
        for kind, count in kinds.items()
        if kind not in known
    )
