"""What a command prints: sentences and tables for people, or one JSON document for machines."""

import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

PIPED_WIDTH = 120
"""Columns of a table that is not printed on a terminal."""


LEAST_WIDTH = 80
"""A narrower terminal breaks the lines itself; no figure is cut short."""


class Screen:
    """Prints for people unless machines listen."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._next: list[str] = []

    def say(self, *sentences: str) -> None:
        """Print sentences, a line each, as they are."""
        if not self.as_json:
            for sentence in sentences:
                typer.echo(sentence)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print a table; columns of numbers stand to the right."""
        if self.as_json or not rows:
            return
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        for place, name in enumerate(columns):
            numbers = all(isinstance(row[place], Figure | int | float | None) for row in rows)
            table.add_column(
                Text(name), justify="right" if numbers else "left", no_wrap=numbers, overflow="fold"
            )
        for row in rows:
            table.add_row(*[Text(_cell(value)) for value in row])
        typer.echo(f"\n{title}")
        _console().print(table)

    def propose(self, *words: str) -> None:
        """Name a command to try next; printed at the end."""
        self._next.append(shlex.join(["endcap", *words]))

    def finish(self, answer: dict[str, Any]) -> None:
        """Print the machine's answer, or what to do next."""
        if self.as_json:
            print_json({**answer, "next": self._next})
        elif self._next:
            typer.echo("\nNext:")
            for command in self._next:
                typer.echo(f"  {command}")


def counted(number: int, noun: str) -> str:
    """Write a count with its noun."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


class Figure(str):
    """A number written out, with its interval or unit; stands to the right in a table."""


def figure(
    value: float | None, low: float | None = None, high: float | None = None, *, digits: int = 3
) -> Figure:
    """Write a number, with its 95 % interval where it has one."""
    if value is None:
        return Figure("-")
    interval = "" if low is None or high is None else f" [{low:,.{digits}f}, {high:,.{digits}f}]"
    return Figure(f"{value:,.{digits}f}{interval}")


def print_json(answer: dict[str, Any]) -> None:
    """Print one JSON document; numbers that JSON cannot hold become null."""
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(answer, enc_hook=str), indent=2).decode())


def _cell(value: object) -> str:
    match value:
        case None:
            return "-"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
        case _:
            return str(value)


def _console() -> "Console":
    from rich.console import Console

    if not sys.stdout.isatty():
        return Console(file=sys.stdout, width=PIPED_WIDTH)
    return Console(file=sys.stdout, width=max(Console().width, LEAST_WIDTH))
