"""`endcap tune`: search for the recipe of a log within a time, and write the best model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from endcap.cli.options import Campaigns, Items, Json, LogArgument, Seed, Shop
from endcap.cli.screen import Screen

if TYPE_CHECKING:
    from endcap.api.model import Model


def tune(  # noqa: PLR0913, PLR0917 - a parameter per option
    log: LogArgument,
    out: Annotated[Path, typer.Option("--out", metavar="MODEL", help="The model folder to write.")],
    minutes: Annotated[
        float, typer.Option("--minutes", help="Wall time for trials, of all starts together.")
    ] = 30.0,
    study: Annotated[
        Path | None,
        typer.Option(
            "--study", metavar="FILE", help="The study; by default MODEL.study.db beside MODEL."
        ),
    ] = None,
    items: Items = None,
    campaigns: Campaigns = None,
    shop: Shop = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Search for the recipe of a log on validation days, and write the best model's folder."""
    from endcap.api.tune import check_tuning, study_of
    from endcap.api.tune import tune as tune_model
    from endcap.cli.figures import show_figures, show_left_out
    from endcap.cli.found import show_counts, show_rejected
    from endcap.cli.progress import progress
    from endcap.prep import read

    screen = Screen(as_json)
    check_tuning(out, minutes)
    study = study or study_of(out)
    found = read(log, items=items, campaigns=campaigns, shop=shop)
    show_counts(screen, found.report)
    show_rejected(screen, found.report)
    with progress() as report:
        model = tune_model(found, out=out, minutes=minutes, study=study, seed=seed, report=report)
    show_figures(screen, model.artifact.metrics)
    show_left_out(screen, model.artifact.manifest.left_out)
    tuning = model.artifact.manifest.tuning or {}
    note = _show_trials(screen, tuning)
    screen.say(f"\n{model!r}.", f"It lies in {out}, the study in {study}.")
    screen.propose("fit", str(log), "--out", f"{out}.again", "--recipe", str(out / "recipe.toml"))
    screen.propose("evaluate", str(out))
    screen.finish(_answer(model, out, study, tuning, note))


def _show_trials(screen: Screen, tuning: dict[str, Any]) -> str | None:
    """Print the trials; return the sentence that says why there is nothing to choose from."""
    trials, best = tuning["trials"], tuning["best"]
    screen.table(
        "Trials: the figure is the weighted sum of losses on validation days, less is better",
        ["trial", "figure", "epochs", "seconds", "", "changed"],
        [
            [
                trial["number"],
                trial["figure"],
                trial["epochs"],
                round(trial["seconds"], 1),
                "best" if trial["number"] == best else trial["state"],
                ", ".join(f"{name} {_short(value)}" for name, value in trial["changed"].items())
                or ("the recipe" if trial["number"] == 0 else "-"),
            ]
            for trial in trials
        ],
    )
    if sum(trial["state"] == "done" for trial in trials) > 1:
        return None
    seconds, minutes = trials[0]["seconds"], tuning["minutes"]
    note = (
        f"{minutes:g} minutes were not enough to compare: the first trial, which is the recipe of "
        f"a plain fit, took {seconds:.1f} seconds, and the model is its; give --minutes more, and "
        f"the search goes on."
    )
    screen.say(f"\n{note}")
    return note


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _answer(
    model: "Model", out: Path, study: Path, tuning: dict[str, Any], note: str | None
) -> dict[str, Any]:
    return {
        "model": out,
        "version": model.version,
        "study": study,
        "recipe": out / "recipe.toml",
        "best": tuning["best"],
        "trials": tuning["trials"],
        "note": note,
        "metrics": model.artifact.metrics,
    }
