"""Find what a path holds: the events, and beside them what else a shop's folder tells."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from endcap.errors import FileError
from endcap.prep.sql import Database, database_of, is_url

Format = Literal["csv", "jsonl", "parquet"]

FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}

ITEM_STEMS = {"items", "products", "catalogue", "catalog"}
OWN_STEMS = ITEM_STEMS | {"relations", "campaigns", "subjects", "decisions", "rejected", "users"}
"""Stems that never name a file of events."""


Source = Path | Database
"""Where a table is: a file, or a table or query of a database; both have a `name`."""


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What one log is read from."""

    events: tuple[Source, ...]
    items: Source | None = None
    relations: Path | None = None
    campaigns: Source | None = None
    decisions: Path | None = None
    subjects: Path | None = None
    shop: Path | None = None
    left: tuple[Path, ...] = field(default=())
    """Data files of the folder that are not read, because `events.*` is there."""


def ending_of(path: Path) -> str:
    """Return a file's ending in small letters, `.csv.gz` as one."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return "".join(suffixes[-2:]) if suffixes[-1:] == [".gz"] else "".join(suffixes[-1:])


def stem_of(path: Path) -> str:
    """Return a file's name without its ending, in small letters."""
    return path.name.lower().removesuffix(ending_of(path))


def format_of(path: Path) -> Format:
    """Tell how a file is read, by its ending.

    Raises:
        FileError: the ending is not one that Endcap reads.
    """
    known = FORMATS.get(ending_of(path))
    if known is None:
        raise FileError(
            f"Endcap reads {', '.join(FORMATS)}, got {path.name}; "
            f"write the table in one of these and try again."
        )
    return known


def source_of(given: str | Path) -> Source:
    """Tell a database's URL from a file."""
    return database_of(given) if isinstance(given, str) and is_url(given) else Path(given)


def find_sources(given: str | Path, query: str | None = None) -> Sources:
    """List what is behind a path or a URL: a file or table of events, or a shop's folder.

    In a folder the events are `events.*`, or every other data file; a `shop.toml` beside a single
    file is its configuration, and so is that of the working folder for a database.

    Raises:
        FileError: there is no such file, or the folder holds no data.
    """
    if isinstance(given, str) and is_url(given):
        shop = Path("shop.toml")
        return Sources(events=(database_of(given, query),), shop=shop if shop.is_file() else None)
    path = Path(given)
    if query is not None:
        raise FileError(f"--query asks a database, but {path} is none; give a URL in its place.")
    if path.is_file():
        shop = path.parent / "shop.toml"
        return Sources(events=(path,), shop=shop if shop.is_file() else None)
    if not path.is_dir():
        raise FileError(f"There is no {path}; give a log's file, or a folder of them.")
    return _sources_of_folder(path)


def _sources_of_folder(folder: Path) -> Sources:
    data = sorted(file for file in folder.iterdir() if ending_of(file) in FORMATS)
    named = [file for file in data if stem_of(file) == "events"]
    others = [file for file in data if not _is_own(file)]
    events = tuple(named or others)
    if not events:
        raise FileError(
            f"{folder} holds no events; put events.csv, events.jsonl or events.parquet there."
        )
    shop = folder / "shop.toml"
    return Sources(
        events=events,
        items=_one(data, lambda stem: stem in ITEM_STEMS or stem.startswith("item_")),
        relations=_one(data, "relations".__eq__),
        campaigns=_one(data, "campaigns".__eq__),
        decisions=_one(data, "decisions".__eq__),
        subjects=_one(data, "subjects".__eq__),
        shop=shop if shop.is_file() else None,
        left=tuple(file for file in data if file not in events and _is_left(file)),
    )


def _is_left(file: Path) -> bool:
    return not _is_own(file) or stem_of(file) == "users"


def _is_own(file: Path) -> bool:
    stem = stem_of(file)
    return stem in OWN_STEMS or stem.startswith("item_")


def _one(files: list[Path], is_wanted: Callable[[str], bool]) -> Path | None:
    return next((file for file in files if is_wanted(stem_of(file))), None)
