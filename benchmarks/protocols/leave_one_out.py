"""Amazon 5-core cuts, leave-one-out: the last item of a user is test, the one before validation."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from endcap.evaluate import EventTable, RankingTask, ranking_task
from endcap.schema import Action, Split

FOLDER = Path("../shared/data")


def file_of(cut: str) -> Path:
    """Return the file of a cut: beauty or sports."""
    return FOLDER / f"amazon_{cut}_s3rec" / "interactions.parquet"


@dataclass(frozen=True, kw_only=True)
class OrderedLog:
    """All events in order; items are numbered by their published ids."""

    table: EventTable
    user_ids: np.ndarray
    item_ids: np.ndarray
    places_left: np.ndarray
    """How many events of the user follow: 0 is the test item, 1 the validation item."""

    def history(self, split: Split) -> EventTable:
        """Return what is known of each user when a split's item is asked for."""
        return self.table.where(self.places_left > Split.TEST - split)

    def task(self, split: Split) -> RankingTask:
        """Ask for one item: all items ranked, seen ones filtered, ties against the model."""
        return ranking_task(
            split.name.lower(),
            training=self.history(Split.VALIDATION),
            history=self.history(split),
            later=self.table.where(self.places_left == Split.TEST - split),
            only_new=True,
            break_ties=False,
        )


def read_log(cut: str) -> OrderedLog:
    """Read a cut; the order is all there is, so each event is an instant of its own."""
    frame = pl.read_parquet(file_of(cut)).sort("user_id", "pos")
    users, user = np.unique(frame["user_id"].to_numpy(), return_inverse=True)
    items, item = np.unique(frame["item_id"].to_numpy(), return_inverse=True)
    place = frame["pos"].to_numpy().astype(np.int64)
    last = np.searchsorted(user, user, side="right") - 1
    table = EventTable(
        user=user.astype(np.int64),
        item=item.astype(np.int64),
        action=np.full(len(user), int(Action.PURCHASE)),
        instant=place,
        day=place,
        today=int(place.max()) + 1,
        num_users=len(users),
        num_items=len(items),
    )
    return OrderedLog(
        table=table, user_ids=users, item_ids=items, places_left=last - np.arange(len(user))
    )
