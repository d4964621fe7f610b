"""Rows that were not read: which, why, and as they stood. Nothing is dropped in silence."""

import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from endcap.errors import FileError

REJECTED = pl.Schema({"file": pl.String, "row": pl.UInt32, "reason": pl.String, "raw": pl.String})
"""`row` counts as an editor does; `raw` is the row as JSON, or the line that is broken."""

NUM_EXAMPLES = 5


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why rows were rejected, how many, and the first of them."""

    reason: str
    count: int
    rows: tuple[str, ...]
    """The first few as `file:row`."""


def no_rejected() -> pl.DataFrame:
    """Make an empty table of rejected rows."""
    return pl.DataFrame(schema=REJECTED)


def count_reasons(rejected: pl.DataFrame) -> tuple[Reason, ...]:
    """Count rejected rows by reason, the most frequent first."""
    where = pl.format("{}:{}", "file", "row")
    table = (
        rejected.group_by("reason", maintain_order=True)
        .agg(count=pl.len(), rows=where.head(NUM_EXAMPLES))
        .sort("count", descending=True, maintain_order=True)
    )
    return tuple(
        Reason(reason=reason, count=count, rows=tuple(rows)) for reason, count, rows in table.rows()
    )


def write_rejected(rejected: pl.DataFrame, path: Path) -> Path:
    """Write rejected rows as JSONL (or CSV, Parquet, by the ending), for people to mend."""
    try:
        match path.suffix.lower():
            case ".csv":
                rejected.write_csv(path)
            case ".parquet":
                rejected.write_parquet(path)
            case _:
                lines = (json.dumps(row, ensure_ascii=False) for row in rejected.to_dicts())
                path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error}.") from error
    return path
