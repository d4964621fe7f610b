"""A database file: opened by one process at a time, its tables brought up to date."""

from pathlib import Path
from typing import Any, Self

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from filelock import FileLock, Timeout
from sqlalchemy import (
    Connection,
    Engine,
    Executable,
    Row,
    StaticPool,
    create_engine,
    event,
    inspect,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError

from endcap.errors import StoreError

WAIT_MS = 5_000
"""How long a statement waits for a lock, of a backup or a reader of another program."""

PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a commit is on disk when it returns
    f"PRAGMA busy_timeout = {WAIT_MS}",
    "PRAGMA secure_delete = ON",  # what is deleted is overwritten
)


class Database:
    """One SQLite file in WAL mode (https://sqlite.org/wal.html), to write to and to read from.

    Args:
        is_shared: work beside the process that keeps its state in the file.

    Raises:
        StoreError: no such folder, not a database or not ours, in use, or of a later version.
    """

    def __init__(self, url: str, *, is_shared: bool = False) -> None:
        self.path, self._url = path_of(url), url
        self._lock = FileLock(f"{self.path}.lock")
        try:
            if not is_shared:
                self._lock.acquire(timeout=0)
        except Timeout:
            raise StoreError(
                f"The store {self.path} is in use, by another process or by an engine that was "
                f"not closed; close that one, or name another file."
            ) from None
        self.writing = _engine(url)
        event.listen(self.writing, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
        self._reading = _engine(url)
        try:
            self._bring_up_to_date()
            self.reading = Reading(self._reading.connect(), self.path)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def checkpoint(self) -> None:
        """Move all that was committed into the file itself, and empty the log beside it.

        By a connection of its own, so that any thread may.

        Raises:
            StoreError: another process reads the file meanwhile.
        """
        engine = _engine(self._url)
        try:
            with engine.connect() as connection:
                row = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        finally:
            engine.dispose()
        if row[0]:
            raise StoreError(
                f"All was deleted, but the log beside {self.path} could not be emptied, for "
                f"another process reads the file; ask again when it has ended."
            )

    def close(self) -> None:
        """Let the file go."""
        for engine in (self.writing, self._reading):
            engine.dispose()
        self._lock.release()

    def _bring_up_to_date(self) -> None:
        try:
            with self.writing.begin() as connection:
                tables = inspect(connection).get_table_names()
                if tables and "alembic_version" not in tables:
                    raise StoreError(
                        f"{self.path} is a database of something else, with a table {tables[0]}; "
                        f"name a file that is not there yet."
                    )
                config = _migrations()
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except CommandError:
            newest = ScriptDirectory.from_config(_migrations()).get_current_head()
            raise StoreError(
                f"The store {self.path} was written by a later Endcap than this one, which knows "
                f"stores up to step {newest}; install the later one."
            ) from None
        except DatabaseError as error:
            raise StoreError(
                f"{self.path} cannot be opened as a store ({error.orig}); name a file that Endcap "
                f"made, or one that is not there yet."
            ) from None


class Reading:
    """A connection that reads what was committed last."""

    def __init__(self, connection: Connection, path: Path) -> None:
        self._connection, self._path = connection, path

    def rows(self, statement: Executable | str, values: tuple[Any, ...] = ()) -> list[Row[Any]]:
        """Return the rows of a statement, or of one that was written out and its values.

        Raises:
            StoreError: the file cannot be read.
        """
        try:
            if isinstance(statement, str):
                return list(self._connection.exec_driver_sql(statement, values).all())
            return list(self._connection.execute(statement).all())
        except DBAPIError as error:
            raise StoreError(
                f"The store {self._path} could not be read ({error.orig}); "
                f"open it again once its file is there and free."
            ) from None


def path_of(url: str) -> Path:
    """Return the file that a URL names.

    Raises:
        StoreError: it names none.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError("store must be 'memory' or sqlite:///FILE, got what is no URL.") from None
    name = parsed.database if parsed.drivername == "sqlite" else None
    if name in (None, "", ":memory:"):
        is_ours = parsed.drivername == "sqlite"
        shown = url if is_ours else parsed.render_as_string(hide_password=True)
        raise StoreError(f"store must be 'memory' or sqlite:///FILE, got {shown}.")
    path = Path(str(name))
    if not path.parent.is_dir():
        raise StoreError(f"The store {path} needs the folder {path.parent}; make it first.")
    return path


def _engine(url: str) -> Engine:
    """Make an engine of which no transaction begins by itself: what is read is the newest."""
    engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in PRAGMAS:
            connection.execute(pragma)

    return engine


def _migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
