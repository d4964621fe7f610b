"""`endcap inspect`: what a log holds, what it unlocks, what had to be left out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from endcap.cli.options import Campaigns, Format, Items, Json, LogArgument, Query, Shop
from endcap.cli.screen import Screen
from endcap.errors import FileError

if TYPE_CHECKING:
    from endcap.prep import Log


def inspect(
    log: LogArgument,
    items: Items = None,
    campaigns: Campaigns = None,
    shop: Shop = None,
    format: Format = None,
    query: Query = None,
    write: Annotated[
        bool,
        typer.Option(
            "--write", help="Write shop.toml, and the rows that were not read, beside the log."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what a log holds, which tasks it unlocks, and what had to be left out."""
    from endcap.cli.found import show_report
    from endcap.prep import format_shop, is_url, read, without_password

    screen = Screen(as_json)
    path = Path("." if is_url(log) else log)
    folder = path if path.is_dir() else path.parent
    config, side_file = folder / "shop.toml", folder / "rejected.jsonl"
    if write:
        _check_free(config)
    found = read(log, items=items, campaigns=campaigns, shop=shop, format=format, query=query)
    show_report(screen, found.report)
    if write:
        _write(found, config, side_file)
    _say_where(screen, found, config, side_file, written=write)
    named = _as_given(without_password(log), query, format if not config.exists() else None)
    if not write and not config.exists():
        screen.propose("inspect", *named, "--write")
    screen.propose("fit", *named, "--out", "shop.model")
    screen.finish(
        {
            **found.report.to_dict(),
            "shop_toml": format_shop(found.shop),
            "shop_file": config if config.exists() else None,
            "rejected_file": side_file if write and found.report.rejected else None,
        }
    )


def _as_given(log: str, query: str | None, format: str | None) -> list[str]:
    """Return the words that name the log in the next command."""
    further = (("--query", query), ("--format", format))
    return [log, *(word for name, value in further if value for word in (name, value))]


def _check_free(config: Path) -> None:
    if config.exists():
        raise FileError(
            f"{config} exists and is read already; change it by hand, or move it away and run "
            f"inspect --write again."
        )


def _write(found: "Log", config: Path, side_file: Path) -> None:
    from endcap.cli.files import written_whole
    from endcap.prep import write_rejected, write_shop

    with written_whole(config) as partial:
        write_shop(found.shop, partial)
    if found.report.rejected:
        with written_whole(side_file) as partial:
            write_rejected(found, partial)


def _say_where(
    screen: Screen, found: "Log", config: Path, side_file: Path, *, written: bool
) -> None:
    done = "lie" if written else "go, with --write,"
    if found.report.rejected:
        screen.say(
            f"\nThe rows that were not read {done} to {side_file}.".replace("lie to", "lie in")
        )
    if written:
        screen.say(f"\nHow the log was read lies in {config}; read it over, and run inspect again.")
    elif not config.exists():
        screen.say(f"\nHow the log was read is a guess; inspect --write puts it into {config}.")
