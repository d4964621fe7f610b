"""Our model in the tables: fitted with the recipe that the log's shape chooses, then frozen."""

import argparse
import json
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from endcap.api.fitting import fit_dataset
from endcap.artifact import load_artifact
from endcap.features import DAY_US, CounterHistory
from endcap.predict import NetworkPredictor
from endcap.schema import Dataset, Events, Histories

NEVER = -np.inf

TOLD_S = 15.0
"""Seconds between two lines of progress."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a fit took, and what it chose on validation."""

    seed: int
    wall_s: float
    cpu_s: float
    epochs_run: int
    best_epoch: int
    threads: int
    mix: str
    mix_unseen: str

    def line(self) -> str:
        """Say it in one line."""
        return (
            f"seed {self.seed}: fitted in {self.wall_s:.0f} s ({self.cpu_s:.0f} CPU s), "
            f"{self.epochs_run} epochs, best {self.best_epoch}; mix {self.mix}; "
            f"without seen items {self.mix_unseen}"
        )


def add_options(parser: argparse.ArgumentParser, seeds: tuple[int, ...]) -> None:
    """Add what every script that fits ours can be told."""
    parser.add_argument("--seeds", nargs="*", type=int, default=list(seeds), help="fits of ours")
    parser.add_argument("--models", type=Path, help="keep the fitted models here, and reuse them")


@contextmanager
def model_folder(given: Path | None, name: str) -> Iterator[Path]:
    """Give a folder for models: the one asked for, or one that goes when the run ends."""
    if given is not None:
        (given / name).mkdir(parents=True, exist_ok=True)
        yield given / name
        return
    with tempfile.TemporaryDirectory(prefix="endcap-") as folder:
        yield Path(folder)


class Teller:
    """Print what a fit is doing, now and then."""

    def __init__(self) -> None:
        self.begun = self.told = time.perf_counter()
        self.what = ""

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.perf_counter()
        if what != self.what or now - self.told > TOLD_S:
            print(f"{now - self.begun:6.0f} s  {what} {done}/{total}", flush=True)
            self.what, self.told = what, now


def fit_ours(dataset: Dataset, folder: Path, *, seed: int) -> tuple[NetworkPredictor, Cost]:
    """Fit with the default recipe into a model folder, and open it as a server would.

    A folder that already holds the fit of this seed is opened, with the cost that it had.
    """
    out, told = folder / f"seed{seed}.model", folder / f"seed{seed}.json"
    if not told.is_file():
        wall, cpu = time.perf_counter(), time.process_time()
        fit_dataset(dataset, out, seed=seed, report=Teller())
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        manifest = load_artifact(out).manifest
        cost = Cost(
            seed=seed,
            wall_s=wall,
            cpu_s=cpu,
            epochs_run=len(manifest.training["epochs_run"]),
            best_epoch=manifest.training["best_epoch"],
            threads=torch.get_num_threads(),
            mix=_mix(manifest.mix),
            mix_unseen=_mix(manifest.mix_unseen),
        )
        told.write_text(json.dumps(asdict(cost)))
    cost = Cost(**json.loads(told.read_text()))
    print(cost.line(), flush=True)
    return NetworkPredictor(load_artifact(out)), cost


def _mix(mix: object) -> str:
    named = mix if isinstance(mix, dict) else asdict(mix)  # type: ignore[call-overload]
    return ", ".join(f"{name} {value:g}" for name, value in named.items())


@dataclass(frozen=True, kw_only=True)
class OurScorer:
    """A predictor as a row of a protocol's table, in the protocol's own user and item rows."""

    name: str
    predictor: NetworkPredictor
    histories: Histories
    """What is known when the question is asked, by the dataset's user rows."""
    user_row: NDArray[np.int64]
    """[U of the protocol] the dataset's row of each user."""
    item_row: NDArray[np.int64]
    """[V of the protocol] the dataset's row of each item."""
    counters: NDArray[np.float32]
    at_us: int | None
    """The instant asked; None where only the order is known: right after the last event."""
    unseen: bool
    action: int | None = None
    """The kind of event that is asked for; None is the log's most frequent."""

    def scores(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score every item for some users: [B, V]."""
        return np.stack([self._of(int(user)) for user in self.user_row[users]])[:, self.item_row]

    def _of(self, user: int) -> NDArray[np.float32]:
        history = self.histories.of(user)
        at_us = self.at_us
        if at_us is None:
            at_us = int(history["timestamp_us"][-1]) + 1 if len(history) else 0
        return self.predictor.next_scores(
            history, at_us, self.counters, unseen=self.unseen, action=self.action
        )


@dataclass(frozen=True, kw_only=True)
class Fit:
    """One fit of a log with a clock, asked in a protocol's own user and item rows and days."""

    predictor: NetworkPredictor
    cost: Cost
    dataset: Dataset
    counters: CounterHistory
    user_row: NDArray[np.int64]
    item_row: NDArray[np.int64]

    @property
    def name(self) -> str:
        """Name the row of the table."""
        return f"endcap, seed {self.cost.seed}"

    def scorer(self, day: int, *, unseen: bool, action: int | None = None) -> OurScorer:
        """Rank at the midnight on which a day begins; nothing later is read."""
        events = self.dataset.histories.events
        return OurScorer(
            name=self.name,
            predictor=self.predictor,
            histories=known_before(self.dataset, events["timestamp_us"] < day * DAY_US),
            user_row=self.user_row,
            item_row=self.item_row,
            counters=self.counters.as_of(day),
            at_us=day * DAY_US,
            unseen=unseen,
            action=action,
        )

    def purchase_chances(
        self,
        user: NDArray[np.int64],
        item: NDArray[np.int64],
        snapshot: NDArray[np.int64],
        *,
        days: int,
    ) -> NDArray[np.float64]:
        """Return P(item bought within the days after each snapshot day), a user at a time."""
        chances = np.empty(len(user))
        for rows, known in self._at_midnight(user, snapshot):
            chances[rows] = self._bought(known, self.item_row[item[rows]], days)
        return chances

    def shopper_chances(
        self, user: NDArray[np.int64], snapshot: NDArray[np.int64], *, days: int
    ) -> NDArray[np.float64]:
        """Return P(anything is bought within the days after each snapshot day)."""
        chances = np.empty(len(user))
        for rows, known in self._at_midnight(user, snapshot):
            chances[rows] = self.predictor.within(
                "any_purchase", known.history, known.at_us, None, known.counters, hours=24.0 * days
            )
        return chances

    def _at_midnight(
        self, user: NDArray[np.int64], snapshot: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], "Known"]]:
        """Yield each user's rows of each snapshot day, and what is known at the midnight after."""
        for last in np.unique(snapshot):
            counters = self.counters.as_of(int(last) + 1)
            asked = np.flatnonzero(snapshot == last)
            asked = asked[np.argsort(user[asked], kind="stable")]
            at_us = (int(last) + 1) * DAY_US
            for rows in np.split(asked, np.flatnonzero(np.diff(user[asked])) + 1):
                history = self.dataset.histories.of(int(self.user_row[user[rows[0]]]))
                history = history[history["timestamp_us"] < at_us]
                yield rows, Known(history=history, at_us=at_us, counters=counters)

    def _bought(self, known: "Known", item: NDArray[np.int64], days: int) -> NDArray[np.float64]:
        return self.predictor.within(
            "purchase",
            known.history,
            known.at_us,
            item.astype(np.int32),
            known.counters,
            hours=24.0 * days,
        )


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a question about one user may read."""

    history: Events
    at_us: int
    counters: NDArray[np.float32]


def fit_into(
    dataset: Dataset,
    folder: Path,
    *,
    seed: int,
    user_ids: Iterable[object],
    item_ids: Iterable[object],
) -> Fit:
    """Fit, and learn which rows of the dataset are the protocol's."""
    predictor, cost = fit_ours(dataset, folder, seed=seed)
    return Fit(
        predictor=predictor,
        cost=cost,
        dataset=dataset,
        counters=CounterHistory(dataset),
        user_row=rows_of(user_ids, dataset.user_ids),
        item_row=rows_of(item_ids, dataset.catalogue.item_ids),
    )


def known_before(dataset: Dataset, known: NDArray[np.bool_]) -> Histories:
    """Keep some of the events: what a question may read."""
    counts = np.bincount(
        dataset.histories.user_of_event()[known], minlength=dataset.histories.num_users
    )
    return Histories(
        events=dataset.histories.events[known],
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
    )


def rows_of(ids: Iterable[object], told: Iterable[object]) -> NDArray[np.int64]:
    """Find the protocol's ids among the dataset's; every one of them must be there."""
    place = {str(name): row for row, name in enumerate(told)}
    return np.array([place[str(name)] for name in ids], dtype=np.int64)
