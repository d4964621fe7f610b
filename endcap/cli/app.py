"""The program: its commands in the order in which people meet them."""

from typing import Annotated

import typer

from endcap.cli.demo import demo
from endcap.cli.evaluate import evaluate
from endcap.cli.failures import Commands
from endcap.cli.fit import fit
from endcap.cli.inspect import inspect
from endcap.cli.keys import keys
from endcap.cli.predict import predict
from endcap.cli.recommend import recommend
from endcap.cli.serve import serve
from endcap.cli.similar import similar
from endcap.cli.tune import tune
from endcap.cli.why import why
from endcap.cli.world import world

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

COMMANDS = (
    demo,
    world,
    inspect,
    fit,
    tune,
    evaluate,
    recommend,
    predict,
    similar,
    serve,
    keys,
    why,
)

for command in COMMANDS:
    app.command(no_args_is_help=command is not demo)(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        from endcap import __version__

        typer.echo(f"endcap {__version__}")
        raise typer.Exit


@app.callback()
def endcap(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Learn from a shop's log what earns attention, and decide what stands in which slot."""


def main() -> None:
    """Run the command line; the entry point of the package."""
    app(prog_name="endcap")
