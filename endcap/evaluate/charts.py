"""Figures as pictures: SVG by matplotlib, which opens anywhere without a script or a network.

A chart is drawn in the colours of a light page. In the report they become variables of the page, so
that dark pages have dark charts.
"""

import importlib.util
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from endcap.errors import MissingExtraError
from endcap.schema import MetricRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, GRID, PAPER = "#1f2430", "#6a7180", "#e2e5eb", "#fffffe"
SERIES = ("#2f6fde", "#cf7a1f", "#2f9a78", "#a04fb8", "#8d95a5")
"""The model first; what it is compared with after it, `QUIET` for the many."""
QUIET = "#b3bac7"
NAMES = {INK: "ink", MUTED: "muted", GRID: "grid", PAPER: "paper", QUIET: "quiet"} | {
    colour: f"series-{place}" for place, colour in enumerate(SERIES, start=1)
}


def require_charts() -> None:
    """Check that what draws charts and fills the page is installed.

    Raises:
        MissingExtraError: it is not; the message says what to install.
    """
    missing = [name for name in ("matplotlib", "jinja2") if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"Charts and the HTML report need {' and '.join(missing)}, which the default install "
            f"leaves out; run: pip install 'endcap[evaluate]'."
        )


@dataclass(frozen=True, kw_only=True, repr=False)
class Chart:
    """One picture, and in words what it shows."""

    svg: str
    tells: str

    def __repr__(self) -> str:
        return f"Chart: {self.tells}"

    def _repr_svg_(self) -> str:
        return self.svg

    def html(self) -> str:
        """Return the picture for a page that names the colours (`--ink`, `--series-1`, ...)."""
        return re.sub("|".join(NAMES), lambda found: f"var(--{NAMES[found[0]]})", self.svg)


def intervals(rows: Sequence[MetricRow], *, label: str, ours: str = "endcap") -> Chart:
    """Draw one figure of several models, best on top, with their intervals."""
    figure, axes = _start(height=0.32 * len(rows) + 0.7)
    ordered = sorted(rows, key=lambda row: row.value)
    for place, row in enumerate(ordered):
        colour = SERIES[0] if row.model == ours else MUTED
        if row.low is not None and row.high is not None:
            axes.plot([row.low, row.high], [place, place], color=colour, linewidth=2, alpha=0.55)
        axes.plot([row.value], [place], "o", color=colour, markersize=6)
    axes.set_yticks(range(len(ordered)), [row.model for row in ordered])
    axes.set_xlabel(label)
    axes.set_ylim(-0.6, len(ordered) - 0.4)
    axes.set_xlim(left=0)
    axes.grid(axis="y", visible=False)
    best = ordered[-1]
    return _finish(figure, f"{label} of {len(rows)} models; best: {best.model}, {best.value:.3f}")


def lines(
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    x_label: str,
    y_label: str,
    marks: Mapping[str, float] | None = None,
    wide: bool = False,
) -> Chart:
    """Draw one line per series; a mark is a dashed upright line with a name."""
    figure, axes = _start(width=7.4 if wide else 3.15, height=2.7 if wide else 2.2)
    for place, (name, points) in enumerate(series.items()):
        colour = SERIES[place] if place < len(SERIES) else QUIET
        axes.plot(*zip(*points, strict=True), "o-", color=colour, markersize=4, label=name)
    for name, at in (marks or {}).items():
        axes.axvline(at, color=MUTED, linestyle=(0, (4, 3)), linewidth=1)
        axes.annotate(name, (at, 1), xycoords=("data", "axes fraction"), xytext=(4, -10),
                      textcoords="offset points", color=MUTED, fontsize=8)  # fmt: skip
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    _whole_numbers(axes, [x for points in series.values() for x, _ in points])
    if len(series) > 1:
        axes.legend(frameon=False, labelcolor=INK, fontsize=8)
    return _finish(figure, f"{y_label} by {x_label}: {', '.join(series)}")


def bars(
    series: Mapping[str, Sequence[float]],
    labels: Sequence[str],
    *,
    x_label: str = "",
    y_label: str,
    wide: bool = False,
    bounds: Mapping[str, Sequence[tuple[float, float] | None]] | None = None,
) -> Chart:
    """Draw groups of bars side by side, with intervals where there are some."""
    figure, axes = _start(width=7.4 if wide else 4.9, height=2.6)
    width = 0.8 / len(series)
    for number, (name, values) in enumerate(series.items()):
        at = [place + (number - (len(series) - 1) / 2) * width for place in range(len(values))]
        colour = SERIES[0] if number == 0 else (QUIET, SERIES[1], SERIES[2])[(number - 1) % 3]
        axes.bar(at, values, width * 0.92, color=colour, label=name)
        for x, bound in zip(at, (bounds or {}).get(name, ()), strict=False):
            if bound is not None:
                axes.plot([x, x], bound, color=INK, linewidth=1)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(axis="x", visible=False)
    if len(series) > 1:
        axes.legend(frameon=False, labelcolor=INK, fontsize=8)
    return _finish(figure, f"{y_label}: {', '.join(series)} by {x_label or 'group'}")


def calibration(said: Sequence[MetricRow], came: Sequence[MetricRow]) -> Chart:
    """Draw what came against what was said, bin by bin; right is on the diagonal."""
    figure, axes = _start(width=2.9, height=2.6)
    largest = max([row.high or row.value for row in came] + [row.value for row in said]) * 1.06
    axes.plot([0, largest], [0, largest], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    for promised, happened in zip(said, came, strict=True):
        if happened.low is not None and happened.high is not None:
            axes.plot([promised.value] * 2, [happened.low, happened.high], color=SERIES[0],
                      alpha=0.5, linewidth=2)  # fmt: skip
        axes.plot([promised.value], [happened.value], "o", color=SERIES[0], markersize=5)
    axes.set_xlim(0, largest)
    axes.set_ylim(0, largest)
    axes.set_xlabel("said")
    axes.set_ylabel("came")
    return _finish(figure, f"Share that came against the chance that was said, {len(said)} bins")


def _start(*, width: float = 7.4, height: float) -> "tuple[Figure, Axes]":
    require_charts()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor=PAPER)
    axes: Axes = figure.add_subplot(facecolor=PAPER)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRID)
    axes.tick_params(colors=MUTED, labelcolor=INK, labelsize=9, length=0)
    axes.ticklabel_format(useOffset=False)  # "1e-5 + 2.18e-1" is no number to read
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.xaxis.label.set_color(MUTED)
    axes.yaxis.label.set_color(MUTED)
    return figure, axes


def _finish(figure: "Figure", tells: str) -> Chart:
    import matplotlib as mpl

    stream = io.StringIO()
    # Text stays text: it is read aloud, found and small. A fixed salt: the same figures, the same
    # bytes.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": tells}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    svg = re.sub(r'<g id="[^"]*">', "<g>", stream.getvalue())
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r"(font: [\d.]+px) [^;\"]*", r"\1 system-ui, sans-serif", svg)
    title = tells.replace("&", "and").replace("<", "").replace('"', "")
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)
    svg = svg[svg.index("<svg") :]
    return Chart(svg=re.sub(r"\n\s*", "\n", svg), tells=tells)


def _whole_numbers(axes: "Axes", values: Sequence[Any]) -> None:
    if all(float(value).is_integer() for value in values) and len(set(values)) <= 12:
        axes.set_xticks(sorted({int(value) for value in values}))
