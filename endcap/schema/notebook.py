"""A table as notebooks show it; they style it themselves, light or dark."""

from collections.abc import Sequence
from html import escape


def html_table(title: str, columns: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    """Write a table; numbers come written, the first column names the line."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(_cell(cell))}</td>" for cell in line) + "</tr>"
        for line in lines
    )
    caption = f"<p><strong>{escape(title)}</strong></p>" if title else ""
    return f"{caption}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
