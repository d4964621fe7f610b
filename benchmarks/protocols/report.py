"""Write a benchmark down: figures beside published ones, data, hardware, date, seeds."""

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import scipy

from endcap.evaluate import RankReport
from endcap.schema import MetricRow

RESULTS = Path("benchmarks/results")


def _commit() -> str:
    """Name the code that runs: read at the start, for a run is long and the folder may change."""
    asked = (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "--", "endcap"])
    commit, changed = (
        subprocess.run(["git", *words], capture_output=True, text=True, check=False).stdout.strip()
        for words in asked
    )
    return f"{commit}, with uncommitted changes in endcap" if changed else commit


COMMIT = _commit()

CLOSE = 0.0031
"""Gaps that ties, seeds and solvers explain; a larger one is called a difference."""

Published = dict[tuple[str, str], tuple[float, ...]]
"""(task, model) to the published figures, in the order of a section's metrics."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """One protocol: its figures, and what was published for the same rows."""

    title: str
    metrics: tuple[str, ...]
    k: int = 0
    digits: int = 3
    rows: Sequence[MetricRow]
    published: Published = field(default_factory=dict)
    differences: Sequence[MetricRow] = ()
    note: str = ""


def mean_report(name: str, reports: Sequence[RankReport]) -> RankReport:
    """Average what several seeds give each user: the interval is over users, not over seeds."""
    values = {
        key: np.mean([report.values[key] for report in reports], axis=0)
        for key in reports[0].values
    }
    return RankReport(task=reports[0].task, model=name, values=values)


def write_report(
    what: str,
    *,
    files: Sequence[Path],
    sections: Sequence[Section],
    script: str | None = None,
    fits: Sequence[str] = (),
) -> Path:
    """Write `benchmarks/results/<what>_<hardware>_<date>.md` and `.json`, and print the first.

    Args:
        fits: what each fit of ours took and chose, a line each.
    """
    facts = facts_of(script or what, files)
    if fits:
        facts["endcap"] = "; ".join(fits)
    rows = [row for section in sections for row in (*section.rows, *section.differences)]
    return save(what, facts, list(map(_markdown, sections)), rows)


def save(
    what: str, facts: dict[str, object], parts: Sequence[str], rows: Sequence[MetricRow]
) -> Path:
    """Write facts, text and tidy rows under the name, the hardware and the date."""
    stem = RESULTS / f"{what}_{_slug(str(facts['processor']))}_{facts['date']}"
    RESULTS.mkdir(parents=True, exist_ok=True)
    text = "\n\n".join([_heading(what, facts), *parts]) + "\n"
    stem.with_suffix(".md").write_text(text)
    whole = {"facts": facts, "rows": msgspec.to_builtins(rows)}
    stem.with_suffix(".json").write_text(json.dumps(whole, indent=1) + "\n")
    print(text)
    return stem.with_suffix(".md")


def reproduced(section: Section) -> dict[tuple[str, str], float]:
    """Return, for every published row, the largest gap between its figures and ours."""
    ours = _by_row(section)
    return {
        key: max(
            abs(round(ours[key][metric].value, section.digits) - figure)
            for metric, figure in zip(section.metrics, figures, strict=True)
            if not np.isnan(figure)
        )
        for key, figures in section.published.items()
        if key in ours
    }


def _markdown(section: Section) -> str:
    gaps, ours = reproduced(section), _by_row(section)
    suffix = f"@{section.k}" if section.k else ""
    head = [f"{metric}{suffix}" for metric in section.metrics]
    lines = [f"## {section.title}", *(["", section.note] if section.note else [])]
    for task in dict.fromkeys(task for task, _ in ours):
        users = max(row.n for row in section.rows if row.task == task)
        lines += ["", f"**{task}** ({users:,} users)", ""]
        lines += [f"| model | {' | '.join(head)} | published | reproduced |"]
        lines += ["|---" * (len(head) + 3) + "|"]
        for (row_task, model), cells in ours.items():
            if row_task == task:
                lines.append(_line(section, (task, model), cells, gaps.get((task, model))))
    if section.differences:
        lines += ["", "Paired differences over the same users:", ""]
        lines += [f"- {row.task}: {row.model}, {_cell(row, 4)}" for row in section.differences]
    return "\n".join(lines)


def _line(
    section: Section, key: tuple[str, str], cells: dict[str, MetricRow], gap: float | None
) -> str:
    figures = section.published.get(key, ())
    published = " / ".join("-" if np.isnan(f) else f"{f:.{section.digits}f}" for f in figures)
    ours = [
        _cell(cells[metric], section.digits) if metric in cells else ""
        for metric in section.metrics
    ]
    return f"| {key[1]} | {' | '.join(ours)} | {published} | {_verdict(gap, section.digits)} |"


def _verdict(gap: float | None, digits: int) -> str:
    if gap is None:
        return ""
    if gap < 0.5 * 10**-digits:
        return "exact"
    return f"within {gap:.{digits}f}" if gap <= CLOSE else f"**differs by {gap:.{digits}f}**"


def _cell(row: MetricRow, digits: int) -> str:
    bounds = "" if row.low is None else f" [{row.low:.{digits}f}, {row.high:.{digits}f}]"
    return f"{row.value:.{digits}f}{bounds}"


def _by_row(section: Section) -> dict[tuple[str, str], dict[str, MetricRow]]:
    found: dict[tuple[str, str], dict[str, MetricRow]] = {}
    for row in section.rows:
        if row.k == section.k:
            found.setdefault((row.task, row.model), {})[row.metric] = row
    return found


def _heading(what: str, facts: dict[str, object]) -> str:
    told = [f"- {name}: {value}" for name, value in facts.items()]
    return "\n".join([f"# {what}", "", *told])


def facts_of(script: str, files: Sequence[Path]) -> dict[str, object]:
    """Say what was run, where, when and on which data."""
    return {
        "script": f"python -m benchmarks.{script}",
        "commit": COMMIT,
        "date": datetime.now(UTC).date().isoformat(),
        "data": {file.parent.name: fingerprint(file) for file in files},
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "versions": f"python {platform.python_version()}, numpy {np.__version__}, "
        f"scipy {scipy.__version__}",
        "seeds": "bootstrap 0; trees 0, 1; factors 0; endcap as named in its rows",
        "intervals": "95 % percentile bootstrap over users, fitted models fixed",
    }


def fingerprint(file: Path) -> str:
    """Return the sha256 of a file."""
    return "sha256 " + hashlib.sha256(file.read_bytes()).hexdigest()


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _slug(text: str) -> str:
    return "-".join(text.lower().split())
