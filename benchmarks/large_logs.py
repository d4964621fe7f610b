"""Write a made-up log of any length, piece by piece.

`--prepare` tells what reading it takes, `--fit` what one pass over all its next items takes.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.watch import Watch, peak_gb
from endcap import prep
from endcap.schema import NextItem, ShopConfig

PIECE = 1_000_000
DAYS = 60
START_S = 1_767_225_600
KINDS = np.array(["view", "click", "add_to_cart", "purchase"])
CHANCES = (0.80, 0.12, 0.05, 0.03)
EVENTS_PER_USER = 20


def piece(rows: int, users: int, items: int, begin_s: float, end_s: float,
          random: np.random.Generator) -> pl.DataFrame:  # fmt: skip
    """Make the events of a stretch of time, ordered by time; few users and items have many."""
    user = (users * random.random(rows) ** 1.5).astype(np.int64)
    item = (items * random.random(rows) ** 3).astype(np.int64)
    at_s = np.sort(random.uniform(begin_s, end_s, rows)).astype(np.int64)
    kind = random.choice(len(KINDS), size=rows, p=CHANCES)
    price = 500 + item * 7_919 % 20_000
    return pl.DataFrame(
        {
            "user_id": pl.Series(user).cast(pl.String).str.replace("^", "u"),
            "item_id": pl.Series(item).cast(pl.String).str.replace("^", "i"),
            "event_type": pl.Series(KINDS.tolist()).gather(pl.Series(kind)),
            "timestamp": at_s,
            "price": price / 100,
        }
    )


def write_log(path: Path, events: int, *, items: int, seed: int = 0) -> Path:
    """Write a log piece by piece; the ending of `path` says how."""
    random, users = np.random.default_rng(seed), max(events // EVENTS_PER_USER, 10)
    is_csv = path.suffix == ".csv"
    if not is_csv:
        path.mkdir(parents=True, exist_ok=True)
    done = 0
    while done < events:
        rows = min(PIECE, events - done)
        begin, end = (START_S + DAYS * 86_400 * share / events for share in (done, done + rows))
        made = piece(rows, users, items, begin, end, random)
        if is_csv:
            with path.open("ab" if done else "wb") as file:
                made.write_csv(file, include_header=done == 0)
        else:
            made.write_parquet(path / f"events_{done // PIECE:04}.parquet")
        done += rows
    return path


def prepare(path: Path) -> None:
    """Read and encode a log, and tell what it took."""
    began, cpu = time.perf_counter(), time.process_time()
    log = prep.read(path)
    made = prep.encode(log)
    took = f"{time.perf_counter() - began:.0f} s, {time.process_time() - cpu:.0f} CPU s"
    print(f"{len(made.histories.events):,} events prepared in {took}; peak {peak_gb():.2f} GB")


def fit(path: Path) -> None:
    """Train one pass over all next items of a log, and tell what each stage took."""
    from endcap import train

    watch, cpu = Watch(), time.process_time()
    made = prep.encode(prep.read(path, shop=ShopConfig(tasks=(NextItem(name="next"),))))
    print(f"| read and encoded | | {time.process_time() - cpu:.0f} | {peak_gb():.2f} |", flush=True)
    config = train.TrainConfig(epochs=1, questions_per_epoch=len(made.histories.events))
    fitted = train.fit(made, config=config, report=watch)
    watch.end()
    told = fitted.progress.history[0]
    print(
        f"{len(made.histories.events):,} events trained in {time.process_time() - cpu:,.0f} CPU s, "
        f"{len(watch.steps):,} steps; peak {peak_gb():.2f} GB; loss {told.objective:.2f}, "
        f"NDCG@10 {told.validation['next_ndcg@10']:.4f}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, help="a .csv file, or a folder for Parquet files")
    parser.add_argument("--events", type=int, default=50_000_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--prepare", action="store_true", help="read a log that was written")
    parser.add_argument("--fit", action="store_true", help="read it and train one pass")
    given = parser.parse_args()
    if given.prepare:
        prepare(given.path)
    elif given.fit:
        fit(given.path)
    else:
        write_log(given.path, given.events, items=given.items)
