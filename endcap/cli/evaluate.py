"""`endcap evaluate`: a model's figures, those of its fit or of another log."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from endcap.cli.options import Json, ModelArgument, Query
from endcap.cli.screen import Screen
from endcap.errors import MissingExtraError, QueryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from endcap.api.model import Model
    from endcap.schema import MetricRow


def evaluate(
    model: ModelArgument,
    log: Annotated[
        str | None,
        typer.Argument(metavar="[LOG]", help="Measure anew on this log's test days (needs torch)."),
    ] = None,
    query: Query = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="Where the HTML report goes; with LOG by default MODEL.report.html.",
        ),
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            "--groups",
            metavar="FILE",
            help="A table of user_id and further columns: kinds of group to measure shoppers by.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print a model's figures beside baselines: of its fit, or measured anew on another log."""
    from endcap.api.fit import evaluate_model
    from endcap.api.model import load
    from endcap.cli.figures import show_figures, show_left_out
    from endcap.cli.files import check_folder_of
    from endcap.prep import read, without_password

    screen = Screen(as_json)
    if report is not None:
        check_folder_of(report)
    loaded = load(model)
    given = None
    if log is not None:
        given = read(log, shop=loaded.artifact.manifest.shop, query=query)
    rows = evaluate_model(loaded, given, groups=_read_groups(groups)).rows
    named = None if log is None else without_password(log)
    screen.say(f"{loaded!r}.", f"Figures of {named or 'its fit'}:")
    show_figures(screen, rows)
    left_out = loaded.artifact.manifest.left_out
    show_left_out(screen, left_out)
    if log is None:
        screen.say(f"\nThe same rows lie in {model / 'metrics.json'}.")
        screen.propose("evaluate", str(model), "LOG")
    page = _report(screen, loaded, rows, named, report)
    screen.finish(
        {
            "model": model,
            "version": loaded.version,
            "log": named,
            "report": page,
            "left_out": left_out,
            "metrics": rows,
        }
    )


def _read_groups(path: Path | None) -> dict[str, dict[str, str]] | None:
    from endcap.prep import read_groups

    return None if path is None else read_groups(path)


def _report(
    screen: Screen,
    loaded: "Model",
    rows: "Sequence[MetricRow]",
    log: str | None,
    wanted: Path | None,
) -> Path | None:
    """Write the report that was asked for, or say where that of the fit lies."""
    from endcap.api.reports import report_in, write_report

    folder = loaded.artifact.folder
    if log is None and wanted is None:
        page = report_in(loaded.artifact)
        if page is not None:
            screen.say(f"Its report lies in {page}.")
        return page
    assert folder is not None  # it was loaded from one
    path = wanted or folder.with_name(f"{folder.name}.report.html")
    measured_on = "its own log" if log is None else f"the test days of {Path(log).name}"
    try:
        page = write_report(path, loaded.artifact, rows, measured_on=measured_on)
    except (MissingExtraError, QueryError) as error:
        if wanted is not None:
            raise
        screen.say(f"\nNo report was written: {error}")
        return None
    screen.say(f"\nThe report lies in {page}.")
    return page
