"""Tmall brands 2014, split by time: rows, tasks and tables of the A1 and A2 protocols."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.evaluate import EventTable, RankingTask, ranking_task
from endcap.schema import Action

FILE = Path("../shared/data/tmall_brand_2014/events.parquet")

ACTIONS = {0: Action.CLICK, 1: Action.PURCHASE, 2: Action.FAVORITE, 3: Action.ADD_TO_CART}


def day_number(month: int, day: int) -> int:
    """Count days since 1970, in 2014."""
    return int(np.datetime64(f"2014-{month:02d}-{day:02d}").astype("datetime64[D]").astype(int))


CUT = day_number(7, 16)
"""First day of test; training ends the day before."""


@dataclass(frozen=True, kw_only=True)
class TmallLog:
    """All events; brands are numbered by their published ids, so a smaller row is a smaller id."""

    table: EventTable
    user_ids: NDArray[np.int64]
    item_ids: NDArray[np.int64]

    def before(self, day: int) -> EventTable:
        """Return the events before a day, as seen from it."""
        kept = self.table.where(self.table.day < day)
        return replace_today(kept, day)

    def between(self, first: int, last: int) -> EventTable:
        """Return the events of some days, both ends included."""
        return self.table.where((self.table.day >= first) & (self.table.day <= last))


def replace_today(table: EventTable, today: int) -> EventTable:
    """Look at a table from another day."""
    columns = {name: getattr(table, name) for name in ("user", "item", "action", "instant", "day")}
    return EventTable(**columns, today=today, num_users=table.num_users, num_items=table.num_items)


def read_log(file: Path = FILE) -> TmallLog:
    """Read the log; a day is an instant, and the order of rows within it means nothing."""
    frame = pl.read_parquet(file).with_columns(
        date=pl.date(2014, pl.col("month"), pl.col("day")).cast(pl.Int32)
    )
    frame = frame.sort("user_id", "date", maintain_order=True)
    users, user = np.unique(frame["user_id"].to_numpy(), return_inverse=True)
    items, item = np.unique(frame["brand_id"].to_numpy(), return_inverse=True)
    day = frame["date"].to_numpy().astype(np.int64)
    action = np.array([ACTIONS[kind] for kind in range(4)])[frame["type"].to_numpy()]
    table = EventTable(
        user=user.astype(np.int64),
        item=item.astype(np.int64),
        action=action.astype(np.int64),
        instant=day,
        day=day,
        today=CUT,
        num_users=len(users),
        num_items=len(items),
    )
    return TmallLog(table=table, user_ids=users, item_ids=items)


def tasks(log: TmallLog, cut: int = CUT, last: int = CUT + 30) -> dict[str, RankingTask]:
    """Build the four tasks: any event or a buy, history allowed or not."""
    training = log.before(cut)
    later = log.between(cut, last)
    bought = later.where(later.action == Action.PURCHASE)
    return {
        f"{name}-{kind}": ranking_task(
            f"{name}-{kind}",
            training=training,
            history=training,
            later=table,
            only_new=name == "NEW",
        )
        for name in ("ALL", "NEW")
        for kind, table in (("any", later), ("buy", bought))
    }
