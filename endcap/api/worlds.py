"""The made-up shop's folder: what a run leaves, written as a shop would bring it."""

import shutil
from pathlib import Path

import polars as pl

from endcap.errors import FileError
from endcap.prep import write_shop
from endcap.schema import Decision, ShopConfig, encode_decision
from endcap.simulate import WorldRun, campaign_columns, event_columns, item_columns

DECISIONS = "decisions.jsonl"


def write_world(run: WorldRun, folder: Path, *, shop: ShopConfig) -> None:
    """Write `events`, `items`, `campaigns`, `subjects`, `decisions.jsonl` and `shop.toml`.

    Raises:
        FileError: the folder cannot be written; nothing half-written remains.
    """
    check_world_out(folder)
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        tables = {
            "events": event_columns(run),
            "items": item_columns(run.catalogue),
            "campaigns": campaign_columns(run.campaigns),
        }
        for name, columns in tables.items():
            frame = pl.DataFrame(columns, infer_schema_length=None, strict=False)
            frame.write_parquet(partial / f"{name}.parquet")
        pl.DataFrame(run.subjects(), schema=["user_id", "subject"], orient="row").write_parquet(
            partial / "subjects.parquet"
        )
        write_decisions(run.decisions, partial / DECISIONS)
        write_shop(shop, partial / "shop.toml")
        _replace(partial, folder)
    except (OSError, pl.exceptions.ComputeError) as error:  # a full disk is either, to parquet
        is_full = "No space left" in str(error)
        what = "there is no room left on the disk" if is_full else str(error)
        raise FileError(
            f"The world could not be written to {folder}: {what}. "
            f"Free some room or choose another --out; nothing was left behind."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_world_out(folder: Path) -> None:
    """Check, before the shop lives, that a world may be written there.

    Raises:
        FileError: something else lies there.
    """
    if folder.exists() and not (folder / DECISIONS).is_file():
        raise FileError(
            f"{folder} exists and holds no world; choose another --out, or remove it yourself."
        )


def write_decisions(decisions: list[Decision], path: Path) -> None:
    """Write a decision log, one record a line."""
    with path.open("wb") as stream:
        for decision in decisions:
            stream.write(encode_decision(decision) + b"\n")


def _replace(partial: Path, folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    partial.replace(folder)
