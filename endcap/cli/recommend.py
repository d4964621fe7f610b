"""`endcap recommend`: the likeliest next items of shoppers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from endcap.cli.options import At, Json, Limit, ModelArgument
from endcap.cli.screen import Screen, counted

if TYPE_CHECKING:
    import polars as pl

    from endcap.api.model import Model

SHOWN_EVENTS = 5
SHOWN_ROWS = 50
"""A longer answer is cut on the screen; a file and JSON hold all of it."""


def recommend(  # noqa: PLR0913, PLR0917 - a parameter per option
    model: ModelArgument,
    user: Annotated[
        list[str] | None, typer.Option("--user", help="A shopper's id; may be repeated.")
    ] = None,
    users: Annotated[
        str | None, typer.Option("--users", metavar="all", help="Every shopper of the log.")
    ] = None,
    limit: Limit = 10,
    exclude_seen: Annotated[
        bool,
        typer.Option("--exclude-seen", help="Leave out what the shopper clicked or bought before."),
    ] = False,
    at: At = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Add what a score is the sum of, and why.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the rows to a .parquet, .csv or .jsonl."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the likeliest next items of shoppers: user_id, rank, item_id, score."""
    from endcap.api.model import load
    from endcap.cli.files import check_table_path, write_table

    screen = Screen(as_json)
    wanted = _wanted(user, users)
    if out is not None:
        check_table_path(out)
    loaded = load(model)
    frame = loaded.recommend(wanted, limit=limit, exclude_seen=exclude_seen, at=at, explain=explain)
    notes = _notes(loaded, frame)
    if out is not None:
        write_table(frame, out)
        screen.say(
            f"Wrote {counted(frame.height, 'row')} for "
            f"{counted(frame['user_id'].n_unique(), 'shopper')} to {out}."
        )
    else:
        _show(screen, loaded, frame)
    reasons = _reasons(screen, loaded, frame, at) if explain and out is None else {}
    screen.say(*notes)
    _propose(screen, model, frame)
    answer = {"file": out} if out is not None else {"rows": frame.to_dicts()} | reasons
    screen.finish({"model": model, "version": loaded.version, "notes": notes, **answer})


def _wanted(user: list[str] | None, users: str | None) -> list[str] | str:
    if bool(user) == bool(users) or users not in (None, "all"):
        raise typer.BadParameter("give one or more --user ID, or --users all")
    return user or "all"


def _notes(model: "Model", frame: "pl.DataFrame") -> list[str]:
    """Say whose list is what is popular, for want of a history."""
    strangers = frame.filter(frame["source"] == "popular")["user_id"].unique(maintain_order=True)
    unknown = [user_id for user_id in strangers if user_id not in model.row_of_user]
    known = len(strangers) - len(unknown)
    notes = [
        f"The log knows no shopper {user_id!r}: what is popular stands in." for user_id in unknown
    ]
    if known:
        notes.append(
            f"{counted(known, 'shopper')} without events by then: what is popular stands in."
        )
    return notes


def _show(screen: Screen, model: "Model", frame: "pl.DataFrame") -> None:
    titles = model.artifact.catalogue.titles
    shown = frame.head(SHOWN_ROWS)
    columns = [name for name in shown.columns if name != "source"]
    rows = [
        [*(row[name] for name in columns), titles[model.row_of_item[row["item_id"]]]]
        for row in shown.iter_rows(named=True)
    ]
    screen.table(f"Next items, by model {model.version}", [*columns, "title"], rows)
    if frame.height > SHOWN_ROWS:
        screen.say(f"{SHOWN_ROWS} of {frame.height:,} rows; --out FILE writes all of them.")


def _reasons(
    screen: Screen, model: "Model", frame: "pl.DataFrame", at: str | None
) -> dict[str, list[dict[str, object]]]:
    """Show by which dimensions and events the first shopper's list came about."""
    if frame.height == 0 or frame["source"][0] == "popular":
        return {}
    user = frame["user_id"][0]
    items = frame.filter(frame["user_id"] == user)["item_id"].to_list()
    found = model.explain(user, items, at=at, top_events=SHOWN_EVENTS)
    by_dimension = found.dimensions.pivot(on="dimension", index="item_id", values="next")
    screen.table(
        f"What {user}'s scores are made of, beside the list's average (network)",
        by_dimension.columns,
        by_dimension.rows(),
    )
    if found.dimensions["attention"].is_not_null().any():
        looked = found.dimensions.pivot(on="dimension", index="item_id", values="attention")
        screen.table(f"Where {user} looks, for {found.task}", looked.columns, looked.rows())
    first = found.events.filter(found.events["item_id"] == items[0]).drop_nulls("effect")
    first = first.sort("effect", descending=True).drop("item_id", "timestamp_us")
    screen.table(
        f"By how much the log-odds of {found.task} of {items[0]} fall without an event",
        first.columns,
        first.rows(),
    )
    return {"dimensions": found.dimensions.to_dicts(), "events": found.events.to_dicts()}


def _propose(screen: Screen, model: Path, frame: "pl.DataFrame") -> None:
    if frame.height:
        user_id, item_id = frame["user_id"][0], frame["item_id"][0]
        screen.propose("predict", str(model), "--user", user_id, "--item", item_id)
        screen.propose("similar", str(model), item_id)
