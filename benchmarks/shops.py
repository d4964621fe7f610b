"""What the benchmarks of the made-up shop share: how figures are written, and where."""

from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.protocols.report import COMMIT

RESULTS = Path(__file__).parent / "results"


def span(bounds: tuple[float, float, float]) -> str:
    """Write a value with its interval."""
    value, low, high = bounds
    return f"{value:,.0f} [{low:,.0f}, {high:,.0f}]"


def heading(title: str, script: str, protocol: str) -> str:
    """Write what every report begins with: how its figures were made, by which code, and when."""
    return (
        f"# {title}\n\n- script: python -m benchmarks.{script}\n- commit: {COMMIT}\n"
        f"- date: {date.today()}\n- protocol: {protocol}"
    )


def write_report(name: str, parts: list[str], found: Any = None) -> None:
    """Write a report as Markdown, and what was found as JSON beside it."""
    path = RESULTS / f"{name}_{date.today()}"
    path.with_suffix(".md").write_text("\n".join(parts) + "\n")
    if found is not None:
        path.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(found)))
