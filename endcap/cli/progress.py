"""Progress on stderr: bars on a terminal, elsewhere a line per stage; stdout stays clean."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

Report = Callable[[str, int, int], None]
"""Called with what is being done, steps done and steps in all."""


@contextmanager
def progress() -> Iterator[Report]:
    """Draw a bar for each stage that is reported; a stage of one step shows the time it takes."""
    if sys.stderr.isatty():
        with _bars() as report:
            yield report
    else:
        yield _lines()


@contextmanager
def _bars() -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        stages: dict[str, int] = {}

        def report(what: str, done: int, total: int) -> None:
            stage = what.partition(" ")[0]  # "epoch 1 of 6", "epoch 2 of 6" share a bar
            if stage not in stages:
                _complete(stages)
                stages[stage] = bars.add_task(what, total=None)
            completed, in_all = _over_rounds(what, done, total)
            known = in_all if in_all > 1 else None
            bars.update(stages[stage], description=what, completed=completed, total=known)  # type: ignore[arg-type]

        def _complete(known: dict[str, int]) -> None:
            for task in known.values():
                bars.update(task, total=1, completed=1)  # type: ignore[arg-type]

        yield report
        _complete(stages)


def _over_rounds(what: str, done: int, total: int) -> tuple[int, int]:
    """Count the steps of "epoch 2 of 6" over all six."""
    rounds = re.search(r"(\d+) of (\d+)$", what)
    if rounds is None:
        return done, total
    return (int(rounds[1]) - 1) * total + done, int(rounds[2]) * total


def _lines() -> Report:
    told: set[str] = set()

    def report(what: str, done: int, total: int) -> None:
        if what not in told:
            told.add(what)
            typer.echo(f"{what} ...", err=True)

    return report
