"""`endcap fit`: from a log to a model folder, with its figures beside baselines."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from endcap.cli.options import Campaigns, Format, Items, Json, LogArgument, Query, Seed, Shop
from endcap.cli.screen import Screen

if TYPE_CHECKING:
    from endcap.api.model import Model
    from endcap.prep import Log
    from endcap.train import TrackerName


class Service(StrEnum):
    """Where learning curves can go; `endcap.train.TrackerName` by its values."""

    MLFLOW = "mlflow"
    WANDB = "wandb"


def fit(  # noqa: PLR0913, PLR0917 - a parameter per option
    log: LogArgument,
    out: Annotated[Path, typer.Option("--out", metavar="MODEL", help="The model folder to write.")],
    items: Items = None,
    campaigns: Campaigns = None,
    shop: Shop = None,
    format: Format = None,
    query: Query = None,
    seed: Seed = 0,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", help="Passes over the log at most; by default the recipe's."),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(
            "--recipe",
            metavar="FILE",
            help="A training configuration, such as recipe.toml in a model folder; by default "
            "chosen by the log's size and shape.",
        ),
    ] = None,
    track: Annotated[
        list[Service] | None,
        typer.Option("--track", help="Where learning curves go besides TensorBoard; repeatable."),
    ] = None,
    compare_tasks: Annotated[
        bool,
        typer.Option(
            "--compare-tasks",
            help="Fit each task alone as well, and give those that sharing hurts a network of "
            "their own; takes several times as long. recipe.toml keeps what was found.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Fit a model on a log, measure it on later days beside baselines, and write its folder."""
    from endcap.api.fit import fit as fit_model
    from endcap.api.fitting import check_out, require_train
    from endcap.cli.found import show_counts, show_rejected
    from endcap.cli.progress import progress
    from endcap.prep import read

    screen = Screen(as_json)
    require_train()
    from endcap.train import read_recipe, require_trackers

    services = cast("list[TrackerName]", [service.value for service in track or ()])
    require_trackers(services)
    config = read_recipe(recipe, seed=seed) if recipe else None
    check_out(out)
    found = read(log, items=items, campaigns=campaigns, shop=shop, format=format, query=query)
    show_counts(screen, found.report)
    show_rejected(screen, found.report)
    with progress() as report:
        model = fit_model(
            found,
            out=out,
            config=config,
            seed=seed,
            epochs=epochs,
            track=services,
            report=report,
            compare_tasks=compare_tasks,
        )
    side_file = _write_rejected(found, out)
    _show(screen, model, side_file)
    screen.propose("recommend", str(out), "--user", model.artifact.user_ids[0])
    screen.propose("evaluate", str(out))
    screen.finish(_answer(model, found, out, side_file))


def _write_rejected(found: "Log", out: Path) -> Path | None:
    from endcap.cli.files import written_whole
    from endcap.prep import write_rejected

    if not found.report.rejected:
        return None
    side_file = out.with_name(f"{out.name}.rejected.jsonl")
    with written_whole(side_file) as partial:
        write_rejected(found, partial)
    return side_file


def _show(screen: Screen, model: "Model", side_file: Path | None) -> None:
    from endcap.cli.figures import show_compared, show_figures, show_left_out

    show_figures(screen, model.artifact.metrics)
    show_left_out(screen, model.artifact.manifest.left_out)
    show_compared(screen, model.artifact.manifest.training)
    if side_file:
        screen.say(f"\nThe rows that were not read lie in {side_file}.")
    screen.say(f"\n{model!r}.", f"It lies in {model.artifact.folder}.", _where_the_report_is(model))
    folder = model.artifact.folder
    if folder is not None:
        runs = folder.with_name(f".{folder.name}.run")
        screen.say(f"Its learning curves: tensorboard --logdir {runs}")


def _where_the_report_is(model: "Model") -> str:
    page = model.report.path
    if page is None:
        return (
            "No report was drawn: it needs matplotlib and jinja2; pip install 'endcap[evaluate]'."
        )
    return f"Its report, to be opened in a browser: {page}."


def _answer(model: "Model", found: "Log", out: Path, side_file: Path | None) -> dict[str, Any]:
    report = found.report
    return {
        "model": out,
        "version": model.version,
        "tasks": [task.name for task in model.artifact.manifest.tasks],
        "left_out": model.artifact.manifest.left_out,
        "task_comparisons": model.artifact.manifest.training["task_comparisons"],
        "apart": model.artifact.manifest.training["apart"],
        "events": report.events,
        "rejected": report.rejected,
        "reasons": report.reasons,
        "rejected_file": side_file,
        "report": model.report.path,
        "metrics": model.artifact.metrics,
    }
