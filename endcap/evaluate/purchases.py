"""Will this user buy (this item) within H days: rows, labels and recency-frequency features."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from endcap.evaluate.table import EventTable
from endcap.schema import Action

Level = Literal["user", "pair"]

NEVER = 200.0
"""Recency, in days, of what has not happened."""

WINDOWS = (1, 3, 7, 14, 30)
"""Days looked back; everything before the snapshot comes on top."""

WISHES = (Action.FAVORITE, Action.ADD_TO_CART)


@dataclass(frozen=True, kw_only=True)
class PurchaseRows:
    """Questions at one or more snapshots: user (and item), features, and what came."""

    user: NDArray[np.int64]
    item: NDArray[np.int64]
    """-1 at user level."""
    snapshot: NDArray[np.int64]
    features: NDArray[np.float64]
    names: tuple[str, ...]
    label: NDArray[np.bool_]

    def columns(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return some of the features."""
        return self.features[:, [self.names.index(name) for name in names]]


def purchase_rows(
    table: EventTable,
    snapshots: Sequence[int],
    *,
    horizon_days: int,
    level: Level = "user",
    windows: tuple[int, ...] = WINDOWS,
) -> PurchaseRows:
    """Ask, at the end of each snapshot day, for a purchase on the next `horizon_days` days.

    Population: users, or pairs of user and item, with an event up to and on the snapshot day.
    Features read those events alone; a label whose days are not all in the table is the
    caller's error.
    """
    parts = [_rows_at(table, day, horizon_days, level, windows) for day in snapshots]
    return PurchaseRows(
        user=np.concatenate([part.user for part in parts]),
        item=np.concatenate([part.item for part in parts]),
        snapshot=np.concatenate([part.snapshot for part in parts]),
        features=np.concatenate([part.features for part in parts]),
        names=parts[0].names,
        label=np.concatenate([part.label for part in parts]),
    )


def _rows_at(
    table: EventTable, day: int, horizon_days: int, level: Level, windows: tuple[int, ...]
) -> PurchaseRows:
    past = table.where(table.day <= day)
    past = past.where(past.distinct(past.action, past.day))
    coming = (table.day > day) & (table.day <= day + horizon_days)
    bought = table.where(coming & (table.action == Action.PURCHASE))
    columns = _activity(past, past.user, table.num_users, day, windows, "user")
    if level == "user":
        user = np.unique(past.user)
        item = np.full(len(user), -1)
        label = np.isin(user, bought.user)
        columns = {name: values[user] for name, values in columns.items()}
    else:
        pair, index = np.unique(_pair(past), return_inverse=True)
        user, item = np.divmod(pair, table.num_items)
        label = np.isin(pair, _pair(bought))
        columns = {name: values[user] for name, values in columns.items()}
        columns |= _activity(past, index.reshape(-1), len(pair), day, windows, "pair")
        columns |= {name: values[item] for name, values in _item_columns(past, day).items()}
    return PurchaseRows(
        user=user,
        item=item,
        snapshot=np.full(len(user), day),
        features=np.stack(list(columns.values()), axis=1),
        names=tuple(columns),
        label=label,
    )


def _pair(table: EventTable) -> NDArray[np.int64]:
    return table.user * table.num_items + table.item


def _activity(
    past: EventTable,
    key: NDArray[np.int64],
    num_keys: int,
    day: int,
    windows: tuple[int, ...],
    prefix: str,
) -> dict[str, NDArray[np.float64]]:
    """Count days, items, clicks and buys per key in each window, and recencies and tenure."""
    age = day - past.day
    is_buy = past.action == Action.PURCHASE
    is_wish = np.isin(past.action, WISHES)
    found: dict[str, NDArray[np.float64]] = {}
    for window in (*windows, None):
        inside = np.ones(len(age), dtype=bool) if window is None else age < window
        suffix = "total" if window is None else str(window)
        found[f"{prefix}_days_{suffix}"] = _distinct(key, past.day, inside, num_keys)
        if prefix == "user":
            found[f"user_items_{suffix}"] = _distinct(key, past.item, inside, num_keys)
        found[f"{prefix}_clicks_{suffix}"] = _count(key, inside & ~is_buy & ~is_wish, num_keys)
        found[f"{prefix}_buys_{suffix}"] = _count(key, inside & is_buy, num_keys)
        found[f"{prefix}_buy_days_{suffix}"] = _distinct(key, past.day, inside & is_buy, num_keys)
    for name, kind in (("any", age >= 0), ("buy", is_buy), ("wish", is_wish)):
        recency = np.full(num_keys, np.inf)
        np.minimum.at(recency, key[kind], age[kind])
        found[f"{prefix}_recency_{name}"] = np.where(np.isinf(recency), NEVER, recency)
    tenure = np.zeros(num_keys)
    np.maximum.at(tenure, key, age)
    return found | {f"{prefix}_tenure": tenure}


def _item_columns(past: EventTable, day: int) -> dict[str, NDArray[np.float64]]:
    buyers = past.where(past.action == Action.PURCHASE)
    recent = past.where(day - past.day < 14)
    return {
        "item_buyers": buyers.users_per_item().astype(np.float64),
        "item_users": past.users_per_item().astype(np.float64),
        "item_users_14": recent.users_per_item().astype(np.float64),
    }


def _count(key: NDArray[np.int64], mask: NDArray[np.bool_], num_keys: int) -> NDArray[np.float64]:
    return np.bincount(key[mask], minlength=num_keys).astype(np.float64)


def _distinct(
    key: NDArray[np.int64], value: NDArray[np.int64], mask: NDArray[np.bool_], num_keys: int
) -> NDArray[np.float64]:
    """Count the distinct values of every key."""
    span = int(value.max(initial=0)) + 1
    pairs = np.unique(key[mask] * span + value[mask])
    return np.bincount(pairs // span, minlength=num_keys).astype(np.float64)
