"""`endcap similar`: the items most like one."""

from typing import Annotated

import typer

from endcap.cli.options import Json, Limit, ModelArgument
from endcap.cli.screen import Screen


def similar(
    model: ModelArgument,
    item: Annotated[str, typer.Argument(metavar="ITEM", help="An item's id.")],
    limit: Limit = 10,
    as_json: Json = False,
) -> None:
    """List the items most like one, by their vectors."""
    from endcap.api.model import load

    screen = Screen(as_json)
    loaded = load(model)
    frame = loaded.similar(item, limit=limit)
    rows = frame.to_dicts()
    is_known = item in loaded.row_of_item
    notes = (
        [] if is_known else [f"The catalogue knows no item {item!r}: what is popular stands in."]
    )
    columns = ["rank", "item_id", "title", "similarity"]
    measure = "similarity" if is_known else "popularity"
    title = f"Like {item}" if is_known else "Popular items"
    screen.table(title, [*columns[:-1], measure], [[row[name] for name in columns] for row in rows])
    screen.say(*notes)
    screen.propose("recommend", str(model), "--users", "all", "--out", "lists.parquet")
    screen.finish({"model": model, "version": loaded.version, "notes": notes, "rows": rows})
