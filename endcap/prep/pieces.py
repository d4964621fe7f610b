"""Read a large file piece by piece: tables of some rows each, numbered as in the whole file."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import polars as pl

from endcap.errors import FileError
from endcap.prep.rejected import no_rejected
from endcap.prep.sources import Source, ending_of, format_of
from endcap.prep.sql import Database
from endcap.prep.tables import ROW, Table, check_content, parse_text, with_source

LARGE_BYTES = 128 * 2**20
"""A log of more text than this is read in pieces."""
PIECE_BYTES = 24 * 2**20
PIECE_ROWS = 500_000
SHELF_BYTES = 32 * 2**20
"""About as much text is on a shelf."""

TEXT_PER_BYTE = {"parquet": 4, "gz": 6}
"""How much text a byte of a compressed file stands for, roughly."""


def text_bytes(sources: tuple[Source, ...]) -> int:
    """Guess how long files would be as text; 0 where a database is among them."""
    if any(isinstance(source, Database) or not source.is_file() for source in sources):
        return 0
    return sum(
        path.stat().st_size * TEXT_PER_BYTE.get(ending_of(path).rsplit(".", 1)[-1], 1)
        for path in sources
        if isinstance(path, Path)
    )


def pieces_of(sources: tuple[Source, ...]) -> Iterator[Table]:
    """Yield tables of whole rows in the files' order.

    Raises:
        FileError: a file is unreadable, empty, or not what its ending says.
    """
    for path in sources:
        assert isinstance(path, Path)
        try:
            pieces = _of_parquet(path) if format_of(path) == "parquet" else _of_text(path)
            for piece in pieces:
                yield with_source(piece, path)
        except (OSError, EOFError) as error:
            raise FileError(f"{path.name} cannot be read: {error}.") from error


def _of_parquet(path: Path) -> Iterator[Table]:
    with path.open("rb") as file:
        check_content(path, "parquet", file.read(64))
    try:
        lazy = pl.scan_parquet(path)
        height = int(lazy.select(pl.len()).collect().item())
        for start in range(0, max(height, 1), PIECE_ROWS):
            frame = lazy.slice(start, PIECE_ROWS).collect().with_row_index(ROW, offset=start + 1)
            yield Table(frame=frame, broken=no_rejected())
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise FileError(f"{path.name} is damaged: {reason}; export it again.") from error


def _of_text(path: Path) -> Iterator[Table]:
    kind = format_of(path)
    with _open(path) as file:
        header = file.readline() if kind == "csv" else b""
        lines_before, rest, is_first = 0, b"", True
        while block := file.read(PIECE_BYTES):
            data = rest + block
            if is_first:
                check_content(path, kind, header + data)
            end = _end_of_rows(data) if kind == "csv" else data.rfind(b"\n") + 1
            data, rest = data[:end], data[end:]
            if data.strip():
                yield _numbered(parse_text(path, kind, header + data), lines_before)
                is_first = False
            lines_before += data.count(b"\n")
        if rest.strip() or is_first:
            check_content(path, kind, header + rest)
            yield _numbered(parse_text(path, kind, header + rest), lines_before)


def _open(path: Path) -> IO[bytes] | gzip.GzipFile:
    if ending_of(path).endswith(".gz"):
        return gzip.open(path, "rb")
    return path.open("rb")


def _end_of_rows(data: bytes) -> int:
    """Return where the last whole row ends: at a line end outside of quotes.

    Behind a quote that is never closed no line end is outside; the last one is taken then, and
    the lines are looked at one by one.
    """
    end = len(data)
    quotes = data.count(b'"')
    while (line_end := data.rfind(b"\n", 0, end)) >= 0:
        quotes -= data.count(b'"', line_end, end)
        if quotes % 2 == 0:
            return line_end + 1
        end = line_end
    return data.rfind(b"\n") + 1


def _numbered(table: Table, lines_before: int) -> Table:
    return replace(
        table,
        frame=table.frame.with_columns((pl.col(ROW) + lines_before).cast(pl.UInt32)),
        broken=table.broken.with_columns((pl.col("row") + lines_before).cast(pl.UInt32)),
    )
