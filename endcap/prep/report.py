"""What a log was found to be, as plain data: for the screen, for `--json`, for a test."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import polars as pl

from endcap.prep.clock import write_instant
from endcap.prep.columns import EVENT_COLUMNS, ITEM_COLUMNS, Column
from endcap.prep.rejected import Reason, count_reasons
from endcap.prep.split import plan_split
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


def make_report(
    events: pl.DataFrame, rejected: pl.DataFrame, shop: ShopConfig, found: Found
) -> LogReport:
    """Count what a checked log holds."""
    kinds = events["event_type"].value_counts(sort=True).rows()
    split, note = _use_split(events, shop)
    first, last = (int(events["timestamp_us"].min()), int(events["timestamp_us"].max()))  # type: ignore[arg-type]
    return LogReport(
        files=found.files,
        rows=found.rows,
        events=events.height,
        users=events["user_id"].n_unique(),
        items=events["item_id"].drop_nulls().n_unique(),
        catalogue_items=found.catalogue_items,
        campaigns=found.campaigns,
        event_types=dict(kinds),
        first_at=write_instant(first) if shop.has_clock else None,
        last_at=write_instant(last) if shop.has_clock else None,
        resolution=shop.log.resolution,
        zone=shop.zone,
        currency=shop.currency,
        shared_instant_share=_shared_share(events, shop),
        columns=_use_columns(found.columns, EVENT_COLUMNS),
        item_columns=_use_columns(found.item_columns, ITEM_COLUMNS),
        unused_columns=found.unused,
        tasks=use_tasks(events, shop, has_categories="categories" in found.item_columns),
        split=split,
        rejected=rejected.height,
        reasons=count_reasons(rejected),
        warnings=_warnings(dict(kinds)),
        notes=(*found.notes, *((note,) if note else ())),
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


def _instant(shop: ShopConfig) -> pl.Expr:
    return (pl.col("timestamp_us") // shop.resolution_us).alias("instant")


def _shared_share(events: pl.DataFrame, shop: ShopConfig) -> float:
    groups = events.group_by("user_id", _instant(shop)).len()
    alone = groups.filter(pl.col("len") == 1).height
    return 1.0 - alone / events.height


def _use_split(events: pl.DataFrame, shop: ShopConfig) -> tuple[SplitUse, str]:
    times = events["timestamp_us"]
    cuts = plan_split(shop, int(times.min()), int(times.max()))  # type: ignore[arg-type]
    if cuts.kind == "time":
        part = (times >= cuts.train_end_us).cast(pl.Int8) + (times >= cuts.validation_end_us)
        ends = (write_instant(cuts.train_end_us), write_instant(cuts.validation_end_us))
        return _count_split(part, "time", ends), cuts.note
    shown = pl.col("event_type") == "impression"
    place = pl.col("instant").rank("dense", descending=True).over("user_id")
    places = events.filter(~shown).select("user_id", _instant(shop)).select(
        place=place, places=pl.col("instant").n_unique().over("user_id")
    )  # fmt: skip
    kept_aside = (3 - pl.col("place").cast(pl.Int64)).clip(0)
    part = places.select(pl.when(pl.col("places") < 3).then(0).otherwise(kept_aside)).to_series()
    return _count_split(part, "leave_one_out", (None, None)), cuts.note


def _count_split(part: pl.Series, kind: str, ends: tuple[str | None, str | None]) -> SplitUse:
    counts = [int((part == number).sum()) for number in range(3)]
    return SplitUse(kind=kind, train=counts[0], validation=counts[1], test=counts[2],
                    train_end=ends[0], validation_end=ends[1])  # fmt: skip
