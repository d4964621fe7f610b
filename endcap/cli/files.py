"""Files that a command leaves: whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from endcap.cli.failures import is_full_disk, reason_of
from endcap.errors import FileError, QueryError

if TYPE_CHECKING:
    import polars as pl

TABLES = (".parquet", ".csv", ".jsonl")


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a path to write to; it takes the wanted name once all of it is written.

    Raises:
        FileError: it cannot be written; nothing half-written remains.
    """
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    except Exception as error:
        cause = error.__cause__ if isinstance(error, FileError) and error.__cause__ else error
        if not isinstance(error, OSError) and not is_full_disk(cause):
            raise
        raise FileError(
            f"{path} could not be written: {reason_of(cause)}. Free some room or choose another "
            f"place; nothing was left behind."
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def check_table_path(path: Path) -> None:
    """Check, before any work, that a table can be written there.

    Raises:
        QueryError: the ending is none that Endcap writes.
        FileError: there is no such folder.
    """
    if path.suffix.lower() not in TABLES:
        raise QueryError(f"--out must end in {', '.join(TABLES)}, got {path.name}.")
    check_folder_of(path)


def check_folder_of(path: Path) -> None:
    """Check that the folder in which a file shall lie is there.

    Raises:
        FileError: it is not.
    """
    if not path.absolute().parent.is_dir():
        raise FileError(f"There is no folder {path.parent}; make it, or choose another place.")


def write_table(frame: "pl.DataFrame", path: Path) -> None:
    """Write a table as its ending says."""
    with written_whole(path) as partial:
        match path.suffix.lower():
            case ".parquet":
                frame.write_parquet(partial)
            case ".csv":
                frame.write_csv(partial)
            case _:
                frame.write_ndjson(partial)
