"""`endcap world`: the made-up shop's folder, written as a shop would bring it."""

from pathlib import Path
from typing import Annotated

import typer

from endcap.cli.options import Json
from endcap.cli.screen import Screen, counted
from endcap.errors import ConfigError


def world(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write.")],
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same shop.")] = 7,
    days: Annotated[int, typer.Option("--days", help="Days that the shop lives.")] = 14,
    shoppers: Annotated[int | None, typer.Option("--shoppers", help="On the first day.")] = None,
    items: Annotated[int | None, typer.Option("--items", help="On the first day.")] = None,
    campaigns: Annotated[int | None, typer.Option("--campaigns", help="Of advertisers.")] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without",
            metavar="MECHANISM",
            help="Switch a mechanism of the shop off, such as fatigue; may be repeated.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Let a made-up shop live some days, and write its events, items, campaigns and decisions."""
    from endcap.api.demo import live
    from endcap.api.worlds import check_world_out
    from endcap.cli.progress import progress
    from endcap.simulate import WorldConfig

    screen = Screen(as_json)
    off = dict.fromkeys(_checked(without or [], WorldConfig.switches()), False)
    asked = {"shoppers": shoppers, "items": items, "campaigns": campaigns}
    sizes = {name: size for name, size in asked.items() if size is not None}
    config = WorldConfig(seed=seed, **sizes, **off)  # type: ignore[arg-type]
    check_world_out(out)
    with progress() as report:
        report(f"living {counted(days, 'day')} with {config.shoppers:,} shoppers", 0, 1)
        _, run = live(config, days=days, folder=out)
    counts = {
        "pages": len(run.pages),
        "events": len(run.events),
        "decisions": len(run.decisions),
    }
    told = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    screen.say(
        f"The shop of seed {seed} lived {counted(days, 'day')}: {told}.", f"Its folder is {out}."
    )
    screen.propose("inspect", str(out))
    screen.propose("fit", str(out), "--out", "shop.model")
    if run.decisions:
        screen.propose("why", run.decisions[-1].decision_id, "--log", str(out))
    screen.finish({"folder": out, "seed": seed, "days": days, **counts})


def _checked(without: list[str], known: tuple[str, ...]) -> list[str]:
    for name in without:
        if name not in known:
            raise ConfigError(f"--without must be one of {', '.join(known)}, got {name!r}.")
    return without
