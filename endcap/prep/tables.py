"""Read one file into a table, with the number of every row in it, and the lines that are none.

The fast path hands the whole file to the dataframe engine. A file that it refuses is read again
line by line, so that one broken line costs one row and not the log.
"""

import csv
import gzip
import json
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from endcap.errors import FileError
from endcap.prep.nested_lines import read_nested_lines
from endcap.prep.rejected import REJECTED, no_rejected
from endcap.prep.sources import Format, Source, ending_of, format_of, stem_of
from endcap.prep.sql import Database, read_database

ROW = "__row"
FILE = "__file"
PLACE = "__place"
"""A row's place in the list that it was spread from; 0 where none was."""

MAX_JOINED_LINES = 50
"""A quoted text that goes on for more lines than this is a quote that was never closed."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A file's rows as they stand, numbered in `ROW`, and the lines that could not be read.

    `ROW` counts as an editor does: lines from 1 in text (a CSV's header is line 1), rows from 1
    in Parquet and in what a database returns.
    """

    frame: pl.DataFrame
    broken: pl.DataFrame
    reached: tuple[str, ...] = ()
    """Columns that dotted names took out of others."""

    @property
    def columns(self) -> list[str]:
        """The file's own columns, and those that were reached."""
        return [name for name in self.frame.columns if name not in (ROW, FILE, PLACE)]

    @property
    def as_read(self) -> pl.DataFrame:
        """The rows without what was added to them."""
        return self.frame.drop(FILE, ROW, PLACE, *self.reached)


def read_table(source: Source) -> Table:
    """Read a CSV, JSONL or Parquet file, or a database; text stays text: `007` keeps its zeros.

    Raises:
        FileError: it is missing, unreadable, empty, or not what its ending says.
    """
    table = _read_rows(source) if isinstance(source, Database) else _read_file(source)
    return with_source(table, source)


def with_source(table: Table, source: Source) -> Table:
    """Write down where rows come from."""
    added = (pl.lit(source.name).alias(FILE), pl.lit(0, dtype=pl.UInt32).alias(PLACE))
    return replace(table, frame=table.frame.with_columns(added))


def _read_rows(source: Database) -> Table:
    frame = read_database(source).with_row_index(ROW, offset=1)
    return Table(frame=frame, broken=no_rejected())


def _read_file(path: Path) -> Table:
    kind = format_of(path)
    data = _bytes_of(path)
    check_content(path, kind, data)
    return _read_parquet(path) if kind == "parquet" else parse_text(path, kind, data)


def parse_text(path: Path, kind: Format, data: bytes) -> Table:
    """Read a file's text, or a piece of it that begins as the file does."""
    return _read_jsonl(path, data) if kind == "jsonl" else _read_csv(path, data)


def read_tables(sources: tuple[Source, ...]) -> Table:
    """Read several sources as one table; a column that one of them lacks is empty there."""
    tables = [read_table(source) for source in sources]
    if len(tables) == 1:
        return tables[0]
    frame = pl.concat([table.frame for table in tables], how="diagonal_relaxed")
    return Table(frame=frame, broken=pl.concat([table.broken for table in tables]))


def _bytes_of(path: Path) -> bytes:
    if not path.is_file():
        raise FileError(f"There is no {path}; give a log's file, or a folder of them.")
    try:
        if ending_of(path).endswith(".gz"):
            return gzip.decompress(path.read_bytes())
        if ending_of(path) == ".parquet":
            with path.open("rb") as file:
                return file.read(64)
        return path.read_bytes()
    except (OSError, EOFError) as error:
        raise FileError(f"{path.name} cannot be read: {error}.") from error


def check_content(path: Path, kind: Format, data: bytes) -> None:
    """Refuse a file that does not begin as its ending says.

    Raises:
        FileError: it is empty, or something else.
    """
    if not data.strip():
        raise FileError(f"{path.name} is empty; write the log again and try once more.")
    found = _sniff(data)
    if found == "binary" and kind != "parquet":
        raise FileError(
            f"{path.name} ends in {ending_of(path)} but holds no text; export it again."
        )
    if found != kind and "parquet" in (found, kind):
        raise FileError(
            f"{path.name} ends in {ending_of(path)} but does not hold what that says: "
            f"it looks like {found}; rename it to {stem_of(path)}.{found} or export it again."
        )
    if found != kind and found in ("csv", "jsonl"):
        raise FileError(
            f"{path.name} ends in {ending_of(path)} but its first line is "
            f"{'a JSON object' if found == 'jsonl' else 'no JSON object'}; "
            f"rename it to {stem_of(path)}.{found} or export it again."
        )


def _sniff(data: bytes) -> str:
    if data.startswith(b"PAR1"):
        return "parquet"
    if b"\0" in data[:4096]:
        return "binary"
    return "jsonl" if data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{") else "csv"


def _read_parquet(path: Path) -> Table:
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise FileError(f"{path.name} is damaged: {reason}; export it again.") from error
    return Table(frame=frame.with_row_index(ROW, offset=1), broken=no_rejected())


def _read_csv(path: Path, data: bytes) -> Table:
    separator = _separator(data)
    try:
        frame = pl.read_csv(data, infer_schema=False, separator=separator)
    except pl.exceptions.PolarsError:
        return _read_csv_by_line(path, data, separator)
    rows = frame.with_row_index(ROW, offset=2)
    if data.rstrip(b"\n").count(b"\n") != frame.height:
        rows = rows.with_columns((pl.col(ROW) + _lines_inside(frame)).cast(pl.UInt32).alias(ROW))
    is_blank = pl.all_horizontal(pl.col(frame.columns).is_null())
    return Table(frame=rows.filter(~is_blank), broken=no_rejected())


def _lines_inside(frame: pl.DataFrame) -> pl.Series:
    """Count the line ends inside quoted texts of all earlier rows."""
    inside = pl.sum_horizontal(pl.col(frame.columns).str.count_matches("\n").fill_null(0))
    return frame.select(inside.cum_sum().shift(1, fill_value=0).cast(pl.UInt32)).to_series()


def _separator(data: bytes) -> str:
    header = data.split(b"\n", 1)[0].decode("utf-8", errors="replace")
    return max(",;\t|", key=header.count)


def _text_of(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _read_csv_by_line(path: Path, data: bytes, separator: str) -> Table:
    lines = _text_of(data).replace("\r\n", "\n").split("\n")
    header = next(csv.reader([lines[0]], delimiter=separator))
    rows: list[list[str | None]] = []
    numbers: list[int] = []
    broken: list[tuple[str, int, str, str]] = []
    at = 1
    while at < len(lines):
        fields, taken = _parse_csv_row(lines, at, separator, len(header))
        if len(fields) <= len(header) and taken:
            rows.append([text or None for text in fields] + [None] * (len(header) - len(fields)))
            numbers.append(at + 1)
        elif lines[at].strip():
            broken.append((path.name, at + 1, _csv_reason(fields, header, taken), lines[at]))
        at += max(taken, 1)
    columns = [pl.Series(name, [row[i] for row in rows], dtype=pl.String)
               for i, name in enumerate(header)]  # fmt: skip
    frame = pl.DataFrame([pl.Series(ROW, numbers, dtype=pl.UInt32), *columns])
    return Table(frame=frame, broken=pl.DataFrame(broken, schema=REJECTED, orient="row"))


def _csv_reason(fields: list[str], header: list[str], taken: int) -> str:
    if not taken:
        return "broken line: a quote is not closed"
    return f"broken line: {len(fields)} fields where the header has {len(header)}"


def _parse_csv_row(lines: list[str], at: int, separator: str, width: int) -> tuple[list[str], int]:
    """Return the fields of the row that starts at a line, and how many lines it takes; 0: none."""
    if not lines[at].strip():
        return [], 0
    for taken in range(1, MAX_JOINED_LINES + 1):
        text = "\n".join(lines[at : at + taken])
        if text.count('"') % 2 == 0:
            fields = _split_fields(text, separator)
            if fields and (taken == 1 or len(fields) <= width):
                return fields, taken
        if at + taken >= len(lines):
            break
    return [], 0


def _split_fields(text: str, separator: str) -> list[str]:
    """Split a row; text over several lines must close its quotes where a field ends."""
    lines = text.splitlines(keepends=True)
    try:
        return next(csv.reader(lines, delimiter=separator, strict=len(lines) > 1))
    except csv.Error:
        return []


def _read_jsonl(path: Path, data: bytes) -> Table:
    nested = read_nested_lines(data)
    if nested is not None:
        return Table(frame=nested.with_row_index(ROW, offset=1), broken=no_rejected())
    try:
        frame = pl.read_ndjson(data, infer_schema_length=None)
    except (pl.exceptions.PolarsError, ValueError):
        return _read_jsonl_by_line(path, data)
    if data.rstrip(b"\n").count(b"\n") + 1 != frame.height:
        return _read_jsonl_by_line(path, data)
    return Table(frame=frame.with_row_index(ROW, offset=1), broken=no_rejected())


def _read_jsonl_by_line(path: Path, data: bytes) -> Table:
    rows: list[dict[str, object]] = []
    broken: list[tuple[str, int, str, str]] = []
    for number, line in enumerate(_text_of(data).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            broken.append((path.name, number, f"broken line: no JSON ({error.msg})", line))
            continue
        if isinstance(row, dict):
            rows.append({ROW: number} | {key: _as_text(value) for key, value in row.items()})
        else:
            broken.append((path.name, number, "broken line: no JSON object", line))
    names = dict.fromkeys(name for row in rows for name in row)
    schema = {name: pl.UInt32 if name == ROW else pl.String for name in names or [ROW]}
    frame = pl.DataFrame(rows, schema=schema)
    return Table(frame=frame, broken=pl.DataFrame(broken, schema=REJECTED, orient="row"))


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)
