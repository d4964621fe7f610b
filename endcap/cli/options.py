"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer


def _note_json(ctx: typer.Context, wanted: bool) -> bool:
    ctx.meta["endcap.json"] = wanted  # an error reads it, wherever it comes from
    return wanted


Json = Annotated[
    bool,
    typer.Option(
        "--json",
        callback=_note_json,
        is_eager=True,
        help="Answer with one JSON document on stdout.",
    ),
]
LogArgument = Annotated[
    str,
    typer.Argument(
        metavar="LOG",
        help="A CSV, JSONL or Parquet file of events, a folder that holds events.*, and perhaps "
        "items.*, campaigns.* and shop.toml, or a database: URL#table.",
    ),
]
Query = Annotated[
    str | None,
    typer.Option("--query", metavar="SQL", help="What to ask of the database, if LOG is a URL."),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help="The system that the log comes from: ga4, google_retail, gorse, metarank or "
        "personalize.",
    ),
]
ModelArgument = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A model folder that `endcap fit` wrote.")
]
Items = Annotated[
    str | None,
    typer.Option(
        "--items", metavar="FILE", help="The catalogue, if it is elsewhere; a file or URL#table."
    ),
]
Campaigns = Annotated[
    str | None,
    typer.Option(
        "--campaigns",
        metavar="FILE",
        help="The campaigns, if they are elsewhere; a file or URL#table.",
    ),
]
Shop = Annotated[
    Path | None,
    typer.Option(
        "--shop",
        metavar="FILE",
        help="How the log is written (docs/shop-toml.md); by default the shop.toml beside the log, "
        "or a guess.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same result.")]
Limit = Annotated[int, typer.Option("--limit", help="Length of a list.")]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="TIME",
        help="The instant that is asked about, RFC 3339; the end of the log by default.",
    ),
]
