"""Read a table or a query of a database, through any SQLAlchemy URL, batch by batch.

A password is for the database alone: messages name a URL without it.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from endcap.errors import FileError, MissingExtraError

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult, Engine
    from sqlalchemy.sql import Executable

BATCH = 50_000
"""Rows that are held as Python objects at one time."""

URL = re.compile(r"^[A-Za-z][A-Za-z0-9+_.]*://")
LOGIN = re.compile(r"^([^:/?@]*)(:.*)?@(.*)$", flags=re.DOTALL)
REMEDY = "give URL#table, URL#select ..., or --query"


@dataclass(frozen=True, kw_only=True)
class Database:
    """A table of a database, or a query to it."""

    url: str = field(repr=False)
    table: str = ""
    query: str = ""

    @property
    def name(self) -> str:
        """What its rows are called in messages and reports."""
        return self.table or "query"


def is_url(text: str) -> bool:
    """Tell whether a text is a database's URL and no path."""
    return bool(URL.match(text))


def database_of(text: str, query: str | None = None) -> Database:
    """Read `URL#table` or `URL#select ...`; a query may be given apart.

    Raises:
        FileError: it says neither a table nor a query, or both.
    """
    url, what = _parts_of(text)
    if what and query:
        raise FileError(f"{without_password(text)} names what to read, and --query too; give one.")
    what = query or what
    if not what.strip():
        raise FileError(f"{without_password(url)} does not say what to read; {REMEDY}.")
    is_query = query is not None or len(what.split()) > 1
    return Database(url=url, query=what) if is_query else Database(url=url, table=what.strip())


def without_password(text: str) -> str:
    """Write a URL without its password and without parameters; any other text as it is."""
    if not is_url(text):
        return text
    url, what = _parts_of(text)
    scheme, rest = url.split("://", 1)
    login = LOGIN.match(rest)
    user, password, host = login.groups() if login else ("", None, rest)
    shown = f"{user}{':***' if password else ''}@" if login else ""
    safe = f"{scheme}://{shown}{host.split('?', 1)[0]}"
    return f"{safe}#{what}" if what else safe


def _parts_of(text: str) -> tuple[str, str]:
    """Part a URL from what stands behind its `#`; a `#` inside a password is the password's."""
    words = text.split(maxsplit=1)
    start = text.find("#", words[0].rfind("@") + 1 if words else 0)
    return (text, "") if start < 0 else (text[:start], text[start + 1 :])


def read_database(source: Database, *, batch: int = BATCH) -> pl.DataFrame:
    """Read the rows of a table or a query.

    Raises:
        MissingExtraError: the database's driver is not installed.
        FileError: there is no such database or table, or the query cannot be run.
    """
    from sqlalchemy.exc import SQLAlchemyError

    engine = _engine_of(source)
    try:
        with engine.connect() as connection:
            statement = _statement_of(source, connection)
            streaming = connection.execution_options(stream_results=True, yield_per=batch)
            return _gather(streaming.execute(statement), source, batch)
    except SQLAlchemyError as error:
        what = f"the table {source.table}" if source.table else "the query"
        raise FileError(
            f"{without_password(source.url)} could not answer {what}: {_reason(error, engine)}."
        ) from None  # what a driver says may repeat the URL
    finally:
        engine.dispose()


def _engine_of(source: Database) -> "Engine":
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    safe = without_password(source.url)
    try:
        engine = create_engine(source.url)
    except NoSuchModuleError:
        scheme = source.url.split("://", maxsplit=1)[0]
        raise FileError(
            f"SQLAlchemy knows no database {scheme}; correct the URL, such as "
            f"postgresql://user@host/shop#events, or install what knows it."
        ) from None
    except (ArgumentError, ValueError):
        raise FileError(
            f"{safe} is no SQLAlchemy URL; write it as postgresql://user@host/shop#events."
        ) from None
    except ImportError as error:
        raise MissingExtraError(
            f"Reading {safe} needs the Python package {error.name}; "
            f"run: pip install {error.name}, or name another driver in the URL."
        ) from None
    database = engine.url.database
    is_file = engine.dialect.name == "sqlite" and database and database[:5] != "file:"
    if is_file and database != ":memory:" and not Path(str(database)).is_file():
        raise FileError(f"There is no {database}; correct the URL.")  # SQLite would make one
    return engine


def _statement_of(source: Database, connection: "Connection") -> "Executable":
    from sqlalchemy import inspect, select, table, text

    if source.query:
        return text(source.query.replace(":", r"\:"))
    schema, _, name = source.table.rpartition(".")
    look = inspect(connection)
    if not look.has_table(name, schema=schema or None):
        names = sorted(
            {*look.get_table_names(schema or None), *look.get_view_names(schema or None)}
        )
        there = f"it has {', '.join(names[:12])}" if names else "it has none"
        raise FileError(
            f"{without_password(source.url)} has no table {source.table}; {there}; "
            f"correct what stands behind the #."
        )
    return select(text("*")).select_from(table(name, schema=schema or None))


def _gather(result: "CursorResult[Any]", source: Database, batch: int) -> pl.DataFrame:
    if not result.returns_rows:
        raise FileError("The query returns no rows; write one that does, such as select ... from.")
    names = list(result.keys())
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise FileError(
            f"{source.name} returns {', '.join(twice)} twice; give each column a name of its own."
        )
    frames = [_frame_of(rows, names) for rows in result.partitions(batch)]
    if not frames:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    return _as_one(frames)


def _as_one(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Join batches; a column that is text in one of them is text in all."""
    kinds = {name: {frame.schema[name] for frame in frames} for name in frames[0].columns}
    texts = [name for name, found in kinds.items() if pl.String in found or found == {pl.Null}]
    frames = [frame.with_columns(pl.col(texts).cast(pl.String)) for frame in frames]
    return pl.concat(frames, how="vertical_relaxed")


def _frame_of(rows: Sequence[Any], names: list[str]) -> pl.DataFrame:
    columns = zip(*rows, strict=True)
    return pl.DataFrame(
        [_series(name, list(values)) for name, values in zip(names, columns, strict=True)]
    )


def _series(name: str, values: list[Any]) -> pl.Series:
    """Keep numbers and times of one type; everything else is text, JSON as JSON."""
    kinds = {type(value).__name__ for value in values if value is not None}
    if kinds <= {"int"} or kinds <= {"int", "float"} or kinds in ({"bool"}, {"date"}, {"datetime"}):
        try:
            return pl.Series(name, values)
        except (TypeError, OverflowError, pl.exceptions.PolarsError):
            pass  # whole numbers of more than 64 bits, zones that differ
    return pl.Series(name, [_text(value) for value in values], dtype=pl.String)


def _text(value: Any) -> str | None:
    match value:
        case None | str():
            return value
        case dict() | list():
            return json.dumps(value, default=str, ensure_ascii=False)
        case bytes() | memoryview():
            return bytes(value).decode("utf-8", errors="replace")
        case _:
            return str(value)


def _reason(error: Exception, engine: "Engine") -> str:
    """Return what the driver says, in a line, without the password."""
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    reason = said[0].rstrip(".") if said else type(error).__name__
    password = engine.url.password
    return reason.replace(str(password), "***") if password else reason
