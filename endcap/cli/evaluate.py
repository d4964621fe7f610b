"""`endcap evaluate`: a model's figures, those of its fit or of another log."""

from typing import Annotated

import typer

from endcap.cli.options import Json, ModelArgument, Query
from endcap.cli.screen import Screen


def evaluate(
    model: ModelArgument,
    log: Annotated[
        str | None,
        typer.Argument(metavar="[LOG]", help="Measure anew on this log's test days (needs torch)."),
    ] = None,
    query: Query = None,
    as_json: Json = False,
) -> None:
    """Print a model's figures beside baselines: of its fit, or measured anew on another log."""
    from endcap.api.fit import evaluate_model
    from endcap.api.model import load
    from endcap.cli.figures import show_figures, show_left_out
    from endcap.prep import read, without_password

    screen = Screen(as_json)
    loaded = load(model)
    shop = loaded.artifact.manifest.shop
    rows = evaluate_model(loaded, None if log is None else read(log, shop=shop, query=query))
    named = None if log is None else without_password(log)
    screen.say(f"{loaded!r}.", f"Figures of {named or 'its fit'}:")
    show_figures(screen, rows)
    left_out = loaded.artifact.manifest.left_out
    show_left_out(screen, left_out)
    if log is None:
        screen.say(f"\nThe same rows lie in {model / 'metrics.json'}.")
        screen.propose("evaluate", str(model), "LOG")
    screen.finish(
        {
            "model": model,
            "version": loaded.version,
            "log": named,
            "left_out": left_out,
            "metrics": rows,
        }
    )
