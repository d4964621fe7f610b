"""Groups of shoppers that a shop declares: a table of user_id and a column per kind of group."""

from pathlib import Path

import polars as pl

from endcap.errors import SchemaError
from endcap.prep.tables import read_table


def read_groups(path: Path) -> dict[str, dict[str, str]]:
    """Return kind of group -> user id -> group.

    Raises:
        FileError: the file cannot be read.
        SchemaError: it has no `user_id`, or no column beside it.
    """
    table = read_table(path)
    frame, kinds = table.frame, [name for name in table.columns if name != "user_id"]
    if "user_id" not in table.columns or not kinds:
        raise SchemaError(
            f"{path.name} must have a column user_id and one or more kinds of group beside it, "
            f"got {', '.join(table.columns)}."
        )
    users = frame["user_id"].cast(pl.String).to_list()
    return {
        kind: {
            user: str(group)
            for user, group in zip(users, frame[kind].to_list(), strict=True)
            if group is not None
        }
        for kind in kinds
    }
