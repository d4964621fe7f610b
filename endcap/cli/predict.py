"""`endcap predict`: what a shopper does with an item."""

from typing import TYPE_CHECKING, Annotated

import typer

from endcap.cli.options import At, Json, ModelArgument
from endcap.cli.screen import Screen

if TYPE_CHECKING:
    from endcap.api.model import Model
    from endcap.schema import Task

MEANINGS = {
    "purchase": "chance of a purchase within {within}, {beside}",
    "click": "chance of a click {where}",
    "dwell_ms": "expected time on the item after a click, in ms",
    "buy": "chance of a purchase after a click",
}


def predict(  # noqa: PLR0913, PLR0917 - a parameter per option
    model: ModelArgument,
    user: Annotated[list[str], typer.Option("--user", help="A shopper's id; may be repeated.")],
    item: Annotated[
        list[str] | None,
        typer.Option(
            "--item", help="An item's id; may be repeated. Without one: whatever the item."
        ),
    ] = None,
    within: Annotated[
        str, typer.Option("--within", help="Time in which a purchase counts: 30m, 12h, 7d, 2w.")
    ] = "7d",
    ad: Annotated[
        str | None,
        typer.Option(
            "--ad",
            metavar="AD",
            help="An ad on the page: a campaign, or an item that one advertises.",
        ),
    ] = None,
    campaign: Annotated[
        str | None,
        typer.Option("--campaign", metavar="ID", help="Ask of the item as an ad of this campaign."),
    ] = None,
    slot: Annotated[
        int | None,
        typer.Option("--slot", help="A place of the page, from 0; without it: if looked at."),
    ] = None,
    placement: Annotated[
        str | None, typer.Option("--placement", help="The area of the page; the first by default.")
    ] = None,
    at: At = None,
    device: Annotated[
        str, typer.Option("--device", help="desktop, mobile or unknown.")
    ] = "unknown",
    as_json: Json = False,
) -> None:
    """Predict what shoppers do, with items or whatever the item: purchases, clicks, dwell."""
    from endcap.api.model import load

    screen = Screen(as_json)
    loaded = load(model)
    if not item:
        _show_behaviour(screen, loaded, user, within, at)
        return
    frame = loaded.predict(
        user,
        item,
        within=within,
        slot=slot,
        placement=placement,
        ad=ad,
        campaign=campaign,
        at=at,
        device=device,
    )
    beside = "whatever is shown" if ad is None else f"when ad {ad} stands on the page"
    where = "if looked at" if slot is None else f"in slot {slot}"
    rows = frame.to_dicts()
    columns = ["user_id", "item_id", *MEANINGS]
    lines = [[row[name] for name in columns] for row in rows]
    screen.table(f"Predictions, by model {loaded.version}", columns, lines)
    for name, meaning in MEANINGS.items():
        screen.say(f"{name}: {meaning.format(within=within, where=where, beside=beside)}.")
    notes = _notes(loaded, user, item, campaign)
    screen.say(*notes)
    screen.propose("similar", str(model), item[0])
    screen.finish({"model": model, "version": loaded.version, "notes": notes, "rows": rows})


def _show_behaviour(
    screen: Screen, model: "Model", users: list[str], within: str, at: str | None
) -> None:
    from endcap.api.shoppers import shopper_tasks
    from endcap.schema import is_of_shopper

    rows = model.behaviour(users, within=within, at=at).to_dicts()
    tasks = shopper_tasks(model)
    columns = [name for name in rows[0] if name != "within"]
    screen.table(
        f"Whatever the item, by model {model.version}",
        columns,
        [[row[name] for name in columns] for row in rows],
    )
    for task in tasks:
        screen.say(f"{task.name}: {_meaning(task, within)}.")
    left_out = model.artifact.manifest.left_out
    asked = [task.name for task in model.artifact.manifest.shop.tasks if is_of_shopper(task)]
    notes = _strangers(model, users)
    notes += [f"{name} is unknown: {left_out[name]}." for name in asked if name in left_out]
    screen.say(*notes)
    screen.finish({"version": model.version, "notes": notes, "rows": rows})


def _meaning(task: "Task", within: str) -> str:
    from endcap.schema import Count, Hazard

    match task:
        case Hazard(event_type="any"):
            return f"chance of coming back within {within}"
        case Hazard():
            return f"chance of a {task.event_type} of anything within {within}"
        case Count():
            return f"events of type {task.event_type} expected in {task.within_hours / 24:g} days"
        case _:
            return "the likeliest category of the next event, and its chance"


def _strangers(model: "Model", users: list[str]) -> list[str]:
    return [
        f"The log knows no shopper {user_id!r}: answered as for a shopper without a past."
        for user_id in users
        if user_id not in model.row_of_user
    ]


def _notes(model: "Model", users: list[str], items: list[str], campaign: str | None) -> list[str]:
    """Name every fallback, and every task that the log could not teach."""
    notes = _strangers(model, users)
    notes += [
        f"The catalogue knows no item {item_id!r}: answered as for an item without fields."
        for item_id in items
        if item_id not in model.row_of_item
    ]
    if campaign is not None and campaign not in model.artifact.campaigns.row_of:
        notes.append(f"The model knows no campaign {campaign!r}: answered as for an average one.")
    left_out = model.artifact.manifest.left_out
    return notes + [
        f"{name} is unknown: {left_out[name]}." for name in MEANINGS if name in left_out
    ]
