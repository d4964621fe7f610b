"""The catalogue as it was put since the fit, and what is left of each item."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from endcap.schema import UNKNOWN, Catalogue
from endcap.store.tables import item as table
from endcap.store.writer import Writer


class StoredShelves:
    """The catalogue and its stock. An item that was put is on disk before it is on the shelf.

    Args:
        catalogue: as `read_catalogue` returns it.
        before_put: writes the state behind.
    """

    def __init__(
        self, writer: Writer, catalogue: Catalogue, *, before_put: Callable[[], object]
    ) -> None:
        self._writer, self._catalogue, self._before_put = writer, catalogue, before_put
        self.stock: NDArray[np.int64] = catalogue.stock.copy()
        self._changed: set[int] = set()

    def put(self, catalogue: Catalogue) -> None:
        """Take the catalogue as it is now, its stock included.

        Raises:
            StoreError: it could not be written; the one before stays.
        """
        rows = _differences(self._catalogue, catalogue)
        restocked = np.flatnonzero(self.stock != catalogue.stock[: len(self.stock)])
        rows = np.union1d(rows, restocked)
        if len(rows):
            # A restart must not sell once more out of the new stock what was sold before.
            self._before_put()
            values = [
                {"row": row, "stock": stock, "columns": _encoded(catalogue, row)}
                for row, stock in zip(rows.tolist(), catalogue.stock[rows].tolist(), strict=True)
            ]
            self._writer.submit(lambda connection: _write(connection, values)).result()
        self._catalogue, self.stock = catalogue, catalogue.stock.copy()

    def sell(self, row: int, quantity: int) -> None:
        """Take a purchase out of the stock; an uncounted stock stays so."""
        if self.stock[row] != UNKNOWN:
            self.stock[row] = max(0, int(self.stock[row]) - quantity)
            self._changed.add(row)

    def changed(self) -> "ChangedStock":
        """Take the stock that is not on disk."""
        rows, self._changed = sorted(self._changed), set()
        return ChangedStock(self, {row: int(self.stock[row]) for row in rows})

    def mark(self, rows: list[int]) -> None:
        """Note that rows are still not on disk."""
        self._changed.update(rows)


@dataclass(frozen=True)
class ChangedStock:
    """What is left of items, on its way to the disk."""

    shelves: StoredShelves
    stock: dict[int, int]

    def write(self, connection: Connection) -> None:
        """Write it."""
        put = insert(table)
        update = put.on_conflict_do_update(
            index_elements=["row"], set_={"stock": put.excluded.stock}
        )
        rows = [{"row": row, "stock": stock} for row, stock in self.stock.items()]
        if rows:
            connection.execute(update, rows)

    def done(self, *, is_written: bool) -> None:
        """Note that it is on disk, or is not."""
        if not is_written:
            self.shelves.mark(list(self.stock))


def read_catalogue(connection: Connection, start: Catalogue) -> Catalogue:
    """Return a model's catalogue with the items that were put since, and the stock of now."""
    rows = connection.execute(select(table).order_by(table.c.row)).all()
    put = [row for row in rows if row.columns is not None]
    catalogue = _with_items(start, [r.row for r in put], [r.columns for r in put]) if put else start
    stock = catalogue.stock.copy()
    for row in rows:
        stock[row.row] = row.stock
    return replace(catalogue, stock=stock)


def _with_items(start: Catalogue, rows: list[int], columns: list[bytes]) -> Catalogue:
    """Put items in their rows; those beyond the last are appended."""
    told = _decoded(columns)
    source = np.arange(max(start.num_items, max(rows) + 1))
    source[rows] = start.num_items + np.arange(len(rows))
    return start.followed_by(told).chosen(source)


def _write(connection: Connection, rows: list[dict[str, Any]]) -> None:
    put = insert(table)
    update = put.on_conflict_do_update(
        index_elements=["row"],
        set_={"stock": put.excluded.stock, "columns": put.excluded.columns},
    )
    connection.execute(update, rows)


def _differences(known: Catalogue, now: Catalogue) -> NDArray[np.int64]:
    """List the rows of the new catalogue that are not in the old one as they are, but for stock."""
    count = known.num_items
    differs = np.zeros(count, dtype=bool)
    for column in fields(Catalogue):
        if column.name not in ("stock", "embeddings"):
            differs |= getattr(known, column.name) != getattr(now, column.name)[:count]
    differs |= _other_vectors(known.embeddings, now.embeddings[:count])
    return np.concatenate([np.flatnonzero(differs), np.arange(count, now.num_items)])


def _other_vectors(known: NDArray[np.float32], now: NDArray[np.float32]) -> NDArray[np.bool_]:
    if known.shape[1] != now.shape[1]:  # one of them has none at all
        told = known if known.shape[1] else now
        has_vector: NDArray[np.bool_] = np.asarray(np.isfinite(told).any(axis=1))
        return has_vector
    out: NDArray[np.bool_] = ((known != now) & ~(np.isnan(known) & np.isnan(now))).any(axis=1)
    return out


def _encoded(catalogue: Catalogue, row: int) -> bytes:
    values = {column.name: getattr(catalogue, column.name)[row] for column in fields(Catalogue)}
    plain = {name: v.tolist() if isinstance(v, np.generic | np.ndarray) else v
             for name, v in values.items()}  # fmt: skip
    return msgspec.json.encode(plain)


def _decoded(lines: list[bytes]) -> Catalogue:
    told = [msgspec.json.decode(line) for line in lines]
    blank = Catalogue.of_ids([each["item_ids"] for each in told])
    columns: dict[str, NDArray[Any]] = {}
    for column in fields(Catalogue):
        kind = getattr(blank, column.name).dtype
        values = np.empty(len(told), dtype=kind)
        if column.name == "embeddings":
            # An unknown number is null in JSON, and not a number here.
            values = np.array([each["embeddings"] for each in told], dtype=kind)
        else:
            for row, each in enumerate(told):
                value = each[column.name]
                values[row] = tuple(value) if isinstance(value, list) else value
        columns[column.name] = values
    return Catalogue(**columns)
