"""What a log was found to hold, as people read it."""

from typing import TYPE_CHECKING

from endcap.cli.screen import Screen, counted

if TYPE_CHECKING:
    from endcap.prep import LogReport


def show_counts(screen: Screen, report: "LogReport") -> None:
    """Say how much was read, and what was not."""
    span = f", {report.first_at} to {report.last_at}" if report.first_at else ", without times"
    screen.say(
        f"Read {', '.join(report.files)}: {counted(report.events, 'event')} of "
        f"{counted(report.users, 'shopper')} and {counted(report.items, 'item')}{span}.",
        *(f"Note: {note}" for note in report.notes),
        *(f"Warning: {warning}" for warning in report.warnings),
    )


def show_rejected(screen: Screen, report: "LogReport") -> None:
    """Print how many rows were not read, why, and the first of each kind."""
    if report.rejected:
        screen.table(
            f"{report.rejected:,} of {report.rows:,} rows were not read",
            ["reason", "rows", "the first of them"],
            [[one.reason, one.count, ", ".join(one.rows)] for one in report.reasons],
        )


def show_report(screen: Screen, report: "LogReport") -> None:
    """Print all that was found."""
    show_counts(screen, report)
    kinds = [[kind, count] for kind, count in report.event_types.items()]
    screen.table("Events", ["event_type", "events"], kinds)
    columns = [[use.column, use.source, use.unlocks] for use in report.columns]
    screen.table("Columns of the events", ["column", "read from", "unlocks"], columns)
    items = [[use.column, use.source, use.unlocks] for use in report.item_columns]
    screen.table("Columns of the catalogue", ["column", "read from", "unlocks"], items)
    if report.unused_columns:
        screen.say(f"Not used: {', '.join(report.unused_columns)}.")
    for is_unlocked, title, reason in (
        (True, "Tasks that the log unlocks", "taught by"),
        (False, "Tasks left out", "missing"),
    ):
        tasks = [[t.name, t.group, t.reason] for t in report.tasks if t.is_unlocked == is_unlocked]
        screen.table(title, ["task", "group", reason], tasks)
    screen.say("A fit leaves out a task of which training days hold too few answers, and says so.")
    split = report.split
    screen.say(
        f"\nEvents to train {split.train:,}, to validate {split.validation:,}, "
        f"to test {split.test:,} (split by {split.kind})."
    )
    show_rejected(screen, report)
