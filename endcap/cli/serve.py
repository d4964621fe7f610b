"""`endcap serve`: a model behind HTTP, its state in a file."""

from pathlib import Path
from typing import Annotated

import typer

from endcap.cli.options import Json, ModelArgument
from endcap.cli.progress import progress
from endcap.cli.screen import Screen

PORT = 8000


def serve(
    model: ModelArgument,
    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            metavar="URL",
            help="sqlite:///FILE: events, histories and records. By default MODEL's name with .db.",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option("--host", help="The address to listen at; by default this machine alone.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="The port.")] = PORT,
    cors: Annotated[
        list[str] | None,
        typer.Option(
            "--cors",
            metavar="ORIGIN",
            help="Pages of this origin may call from a browser; may be repeated.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take events and make pages over HTTP; a killed process loses nothing it acknowledged."""
    from endcap import __version__
    from endcap.api.engine import engine_on, start_of
    from endcap.api.model import load
    from endcap.serve import check_host, listen, make_app
    from endcap.serve import serve as run
    from endcap.store import Store

    screen, loaded = Screen(as_json), load(model)
    url = store or f"sqlite:///{Path(model).with_suffix('.db')}"
    with listen(host, port) as at, progress() as report:
        opened = Store(url, start_of(loaded), report=report)
        try:
            check_host(host, opened)
            engine = engine_on(opened, loaded)
            app = make_app(engine, opened, version=__version__, origins=cors or ())
            address = f"http://{host}:{port}"
            screen.say(
                f"Model {loaded.version}, store {opened.path}.",
                f"Serving at {address}; {address}/openapi.json says what. Ctrl-C stops it.",
            )
            screen.finish({"url": address, "model": loaded.version, "store": str(opened.path)})
            run(app, at)
        finally:
            opened.close()
