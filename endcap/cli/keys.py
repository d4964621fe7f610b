"""`endcap keys`: who may call a server."""

from typing import TYPE_CHECKING, Annotated

import typer

from endcap.cli.options import Json
from endcap.cli.screen import Screen
from endcap.errors import ConfigError

if TYPE_CHECKING:
    from endcap.store import Scope


def keys(
    store: Annotated[str, typer.Argument(metavar="STORE", help="sqlite:///FILE of the server.")],
    add: Annotated[
        str | None, typer.Option("--add", metavar="NAME", help="Make a key of this name.")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="What it allows: browser, events or decide; may be repeated."),
    ] = None,
    remove: Annotated[
        str | None, typer.Option("--remove", metavar="NAME", help="Remove the key of this name.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make, list and remove the keys of a server, while it runs or not."""
    from endcap.store import Database, list_keys, make_key, remove_key

    screen = Screen(as_json)
    if scope and add is None:
        raise ConfigError("--scope says what a new key allows; give its name by --add.")
    with Database(store, is_shared=True) as database:
        made = None
        if remove is not None:
            remove_key(database, remove)
            screen.say(f"Removed the key {remove}.")
        if add is not None:
            made = make_key(database, add, [_scope(told) for told in scope or ()])
            screen.say(f"The key {add}, told this once:", made)
        known = list_keys(database)
    rows = [[key.name, ", ".join(sorted(key.scopes))] for key in known]
    screen.table("Keys", ["name", "allows"], rows)
    if not known:
        screen.say("There are no keys: whoever reaches the server may use it.")
    told = [{"name": key.name, "scopes": sorted(key.scopes)} for key in known]
    screen.finish({"keys": told, "made": made})


def _scope(told: str) -> "Scope":
    from endcap.store import Scope

    try:
        return Scope(told)
    except ValueError:
        raise ConfigError(f"--scope must be {', '.join(Scope)}, got {told!r}.") from None
