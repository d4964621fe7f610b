"""A table in several parts, so that a large one need never be in memory whole."""

import weakref
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from endcap.prep.scratch import Scratch

SHELF = "__shelf"


class Shelves:
    """Rows by the number of their shelf: one shelf stays in memory, more lie on disk.

    The files lie in a scratch folder and go with the object. Rows of a shelf keep
    the order in which they were put there.
    """

    def __init__(self, count: int) -> None:
        self.count, self.height = count, 0
        self._kept: list[pl.DataFrame] = []
        self._folder: Path | None = None
        if count > 1:
            scratch = Scratch()
            self._folder = scratch.folder
            weakref.finalize(self, scratch.remove)
        self._schema = pl.Schema()
        self._puts = 0

    @classmethod
    def of(cls, frame: pl.DataFrame) -> "Shelves":
        """Make one shelf of a table."""
        shelves = cls(1)
        shelves.put(frame, pl.lit(0))
        return shelves

    def put(self, frame: pl.DataFrame, shelf: pl.Expr) -> None:
        """Add rows; `shelf` numbers each row's shelf from 0."""
        self.height += frame.height
        if self._folder is None:
            self._kept.append(frame)
            return
        parts = frame.with_columns(shelf.alias(SHELF)).partition_by(
            SHELF, as_dict=True, include_key=False
        )
        for (number,), rows in parts.items():
            told = [column.name for column in rows if column.null_count() < rows.height]
            path = self._folder / str(number) / f"{self._puts:06}.parquet"
            path.parent.mkdir(exist_ok=True)
            rows.select(told).write_parquet(path, compression="lz4", statistics=False)
        self._schema = frame.schema
        self._puts += 1

    def each(self, *columns: str) -> Iterator[pl.DataFrame]:
        """Yield the rows of one shelf after another, all columns or those that are named."""
        if self._folder is None:
            if len(self._kept) > 1:
                self._kept = [pl.concat(self._kept)]
            yield from (frame.select(columns) if columns else frame for frame in self._kept)
            return
        for number in range(self.count):
            paths = sorted((self._folder / str(number)).glob("*.parquet"))
            kinds = {name: self._schema[name] for name in columns or self._schema.names()}
            frames = [_read(path, kinds) for path in paths]
            yield pl.concat(frames) if frames else pl.DataFrame(schema=kinds)


def _read(path: Path, kinds: dict[str, pl.DataType]) -> pl.DataFrame:
    """Read a file; a column that told nothing was not written."""
    there = pl.read_parquet_schema(path)
    rows = pl.read_parquet(path, columns=[name for name in kinds if name in there])
    absent = [pl.lit(None, dtype=kind).alias(name)
              for name, kind in kinds.items() if name not in there]  # fmt: skip
    return rows.with_columns(absent).select(*kinds)
