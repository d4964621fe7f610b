"""Online Retail, split by time: cleaning, rows and tasks of the B1 and B2 protocols."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.evaluate import EventTable, RankingTask, ranking_task
from endcap.schema import Action

from .tmall import replace_today

FILE = Path("../shared/data/online_retail_uci/transactions.parquet")

SAME_DAY = ["CustomerID", "item", "day", "Quantity"]


def day_number(text: str) -> int:
    """Count days since 1970."""
    return int(np.datetime64(text, "D").astype(int))


CUT = day_number("2011-10-15")
LAST = day_number("2011-12-09")


def clean_lines(file: Path = FILE) -> pl.DataFrame:
    """Apply steps 1 to 4 of the protocol, in its order; lines without a customer are kept."""
    lines = (
        pl.read_parquet(file)
        .unique(maintain_order=True)
        .with_columns(
            item=pl.col("StockCode").str.to_uppercase(),
            day=pl.col("InvoiceDate").dt.date(),
            Quantity=pl.col("Quantity").cast(pl.Int64),
        )
        .filter(pl.col("item").str.contains(r"^\d{5}[A-Z]*$"))
    )
    voids = lines.filter(pl.col("InvoiceNo").str.starts_with("C")).with_columns(
        Quantity=-pl.col("Quantity")
    )
    sales = lines.filter(
        ~pl.col("InvoiceNo").str.contains("^[CA]"), pl.col("Quantity") > 0, pl.col("UnitPrice") > 0
    )
    return sales.join(voids.select(SAME_DAY).unique(), on=SAME_DAY, how="anti")


@dataclass(frozen=True, kw_only=True)
class RetailLog:
    """Baskets: the distinct items of a customer on a day, items numbered by code."""

    table: EventTable
    user_ids: NDArray[np.int64]
    item_ids: NDArray[np.object_]
    num_lines: int
    names: NDArray[np.object_]
    """One description per item."""

    def before(self, day: int) -> EventTable:
        """Return the baskets before a day, as seen from it."""
        return replace_today(self.table.where(self.table.day < day), day)


def read_log(file: Path = FILE) -> RetailLog:
    """Read the cleaned lines of known customers as baskets."""
    lines = clean_lines(file).filter(pl.col("CustomerID").is_not_null())
    frame = lines.select("CustomerID", "item", "day").unique().sort("CustomerID", "day", "item")
    users, user = np.unique(frame["CustomerID"].to_numpy(), return_inverse=True)
    items, item = np.unique(frame["item"].to_numpy(), return_inverse=True)
    day = frame["day"].cast(pl.Int32).to_numpy().astype(np.int64)
    described = lines.group_by("item").agg(pl.col("Description").drop_nulls().mode().sort().first())
    table = EventTable(
        user=user.astype(np.int64),
        item=item.astype(np.int64),
        action=np.full(len(user), int(Action.PURCHASE)),
        instant=day,
        day=day,
        today=CUT,
        num_users=len(users),
        num_items=len(items),
    )
    return RetailLog(
        table=table,
        user_ids=users,
        item_ids=items,
        num_lines=len(lines),
        names=described.sort("item")["Description"].to_numpy(),
    )


def tasks(log: RetailLog, cut: int = CUT, last: int = LAST) -> dict[str, RankingTask]:
    """Ask for the first basket in the window, with and without what was bought before."""
    training = log.before(cut)
    coming = log.table.where((log.table.day >= cut) & (log.table.day <= last))
    first = np.full(coming.num_users, last + 1)
    np.minimum.at(first, coming.user, coming.day)
    basket = coming.where(coming.day == first[coming.user])
    return {
        name: ranking_task(
            name, training=training, history=training, later=basket, only_new=name == "NEW"
        )
        for name in ("ALL", "NEW")
    }
