"""What a model tells of itself: the HTML report and the card, in its folder or anywhere."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from endcap.artifact import Artifact
from endcap.errors import FileError, QueryError
from endcap.schema import MetricRow, html_table

REPORT, CARD = "report.html", "card.md"


def pages_of(artifact: Artifact, rows: Sequence[MetricRow]) -> dict[str, str]:
    """Return the pages of a model folder: always the card, and the report if it can be drawn."""
    from endcap.evaluate import card_markdown, facts_of, report_html

    facts = facts_of(artifact)
    pages = {CARD: card_markdown(facts, rows)}
    if all(importlib.util.find_spec(name) for name in ("matplotlib", "jinja2")):
        pages[REPORT] = report_html(facts, rows)
    return pages


def report_in(artifact: Artifact) -> Path | None:
    """Return where the report of a fit lies, if it was drawn."""
    if artifact.folder is None or REPORT not in artifact.manifest.files:
        return None
    return artifact.folder / REPORT


def write_report(
    path: Path,
    artifact: Artifact,
    rows: Sequence[MetricRow],
    *,
    measured_on: str = "its own log",
) -> Path:
    """Write the HTML report of figures into a file, whole or not at all.

    Raises:
        QueryError: there are no figures to report.
        MissingExtraError: matplotlib or jinja2 is not installed.
        FileError: the file cannot be written.
    """
    from endcap.evaluate import facts_of, report_html

    if not rows:
        raise QueryError(
            "This model has no figures to report; `endcap evaluate MODEL LOG` measures it on a log."
        )
    text = report_html(facts_of(artifact, measured_on=measured_on), rows)
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        full = "No space left" in str(error)
        reason = "there is no room left on the disk" if full else error.strerror or str(error)
        raise FileError(
            f"The report could not be written to {path}: {reason}. Free some room or choose "
            f"another place; nothing was left behind."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return path


class ModelReport(dict[str, Any]):
    """How a model was made, by name; shows itself as tables, and writes the HTML report."""

    def __init__(self, artifact: Artifact) -> None:
        manifest = artifact.manifest
        super().__init__(
            version=manifest.version,
            created_at=manifest.created_at,
            tasks=[task.name for task in manifest.tasks],
            left_out=manifest.left_out,
            training=manifest.training,
            calibration=manifest.calibration,
            mix=manifest.mix,
        )
        self._artifact = artifact

    @property
    def path(self) -> Path | None:
        """Where the fit's report lies, to be opened in a browser."""
        return report_in(self._artifact)

    def save(self, path: str | Path) -> Path:
        """Write the HTML report of the fit's figures.

        Raises:
            QueryError: the model has no figures.
            MissingExtraError: matplotlib or jinja2 is not installed.
            FileError: the file cannot be written.
        """
        return write_report(Path(path), self._artifact, self._artifact.metrics)

    def _repr_html_(self) -> str:
        weights = [(part, f"{weight:g}") for part, weight in self["mix"].items()]
        left_out = list(self["left_out"].items())
        tasks = [(task, "trained") for task in self["tasks"]]
        return html_table("", ["task", ""], [*tasks, *left_out]) + html_table(
            "Weights of a list's parts beside the network", ["part", "weight"], weights
        )
