"""KuaiRand sample, cut by time: rows, features and baselines of the section C protocol."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

FILE = Path("../shared/data/kuairand_27k_like_hate/events.parquet")

CUT_MS = 1_650_209_615_879
"""The instant of row floor(.8 n): the first of test."""

Numbers = NDArray[np.float64]

LAST = (1, 3, 5, 10, 50)
"""How many of the last rows a mean reads."""

PRIOR = 5.0
"""Rows of the average with which a mean of few rows starts."""

BLOCKS = 6
"""Training is cut into so many parts of equal rows; a frozen feature reads the earlier ones."""


@dataclass(frozen=True, kw_only=True)
class VideoLog:
    """Rows in order of time, user, video."""

    user: NDArray[np.int64]
    video: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    play_s: Numbers
    duration_s: Numbers
    """0 is missing."""
    clicked: NDArray[np.bool_]
    long_view: NDArray[np.bool_]
    liked: NDArray[np.bool_]
    user_ids: NDArray[np.int64]
    video_ids: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.user)

    @property
    def is_test(self) -> NDArray[np.bool_]:
        """Tell the rows after the cut."""
        return self.time_ms >= CUT_MS

    def before(self, time_ms: int) -> "VideoLog":
        """Keep the rows before an instant."""
        kept = self.time_ms < time_ms
        names = ("user", "video", "time_ms", "play_s", "duration_s", "clicked", "long_view")
        return replace(self, **{name: getattr(self, name)[kept] for name in (*names, "liked")})


def read_log(file: Path = FILE) -> VideoLog:
    """Read the log: the first row of each user, video and instant."""
    keys = ["user_id", "video_id", "time_ms"]
    frame = pl.read_parquet(file).unique(keys, keep="first", maintain_order=True)
    frame = frame.sort("time_ms", "user_id", "video_id")
    users, user = np.unique(frame["user_id"].to_numpy(), return_inverse=True)
    videos, video = np.unique(frame["video_id"].to_numpy(), return_inverse=True)
    return VideoLog(
        user=user.astype(np.int64),
        video=video.astype(np.int64),
        time_ms=frame["time_ms"].to_numpy(),
        play_s=frame["play_time_ms"].to_numpy() / 1000,
        duration_s=frame["duration_ms"].to_numpy() / 1000,
        clicked=frame["is_click"].to_numpy() > 0,
        long_view=frame["long_view"].to_numpy() > 0,
        liked=frame["label"].to_numpy() > 0,
        user_ids=users,
        video_ids=videos,
    )


@dataclass(frozen=True, kw_only=True)
class Features:
    """Named columns of every row of a log."""

    names: tuple[str, ...]
    values: Numbers

    def without(self, prefix: str) -> "Features":
        """Leave out the columns of a name's beginning."""
        kept = [at for at, name in enumerate(self.names) if not name.startswith(prefix)]
        return Features(names=tuple(self.names[at] for at in kept), values=self.values[:, kept])


def _own(log: VideoLog) -> dict[str, Numbers]:
    """Return what is known of a row without any past: duration and the hour in China."""
    hour = (log.time_ms / 3_600_000 + 8) % 24
    known = log.duration_s > 0
    return {"duration": np.where(known, log.duration_s, np.nan), "hour": hour}


def _marks(log: VideoLog) -> dict[str, Numbers]:
    """Return what a past row tells."""
    return {
        "dwell": np.log1p(log.play_s),
        "click": log.clicked.astype(float),
        "long": log.long_view.astype(float),
        "like": log.liked.astype(float),
    }


def online_features(log: VideoLog) -> Features:
    """Read the user's and the video's rows of strictly smaller time, test period included."""
    columns = _own(log)
    for name, of_row in (("user", log.user), ("video", log.video)):
        columns |= _past(name, of_row, log)
    return Features(names=tuple(columns), values=np.stack(list(columns.values()), axis=1))


def _past(name: str, of_row: NDArray[np.int64], log: VideoLog) -> dict[str, Numbers]:
    marks = _marks(log)
    found = {
        f"{name}_{mark}_{last}": np.full(len(log), np.nan)
        for mark in marks
        for last in LAST
        if mark in ("dwell", "click", "long")
    }
    found |= {f"{name}_{mark}_all": np.full(len(log), np.nan) for mark in marks}
    found |= {f"{name}_gap": np.full(len(log), np.nan), f"{name}_count": np.zeros(len(log))}
    order = np.argsort(of_row, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(of_row[order])) + 1):
        before = np.searchsorted(log.time_ms[rows], log.time_ms[rows], side="left")
        has = before > 0
        found[f"{name}_count"][rows] = before
        gap = log.time_ms[rows] - log.time_ms[rows][np.maximum(before - 1, 0)]
        found[f"{name}_gap"][rows[has]] = np.log1p(gap[has] / 1000)
        for mark, values in marks.items():
            sums = np.concatenate([[0.0], np.cumsum(values[rows])])
            for last in (*LAST, "all"):
                key = f"{name}_{mark}_{last}"
                if key in found:
                    start = np.maximum(before - last, 0) if isinstance(last, int) else 0
                    mean = (sums[before] - sums[start]) / np.maximum(before - start, 1)
                    found[key][rows[has]] = mean[has]
    return found


def frozen_features(log: VideoLog) -> Features:
    """Read training rows alone; those of a training row are of earlier blocks of time."""
    num_training = int((~log.is_test).sum())
    block = np.minimum(np.arange(len(log)) * BLOCKS // num_training, BLOCKS)
    columns = _own(log)
    marks = _marks(log)
    for name, of_row in (("user", log.user), ("video", log.video)):
        for mark in marks:
            columns[f"{name}_{mark}"] = np.full(len(log), np.nan)
        columns[f"{name}_count"] = np.zeros(len(log))
        for part in range(BLOCKS + 1):
            known, asked = np.flatnonzero(block < part), np.flatnonzero(block == part)
            size = int(of_row.max()) + 1
            times = np.bincount(of_row[known], minlength=size)
            columns[f"{name}_count"][asked] = times[of_row[asked]]
            for mark, values in marks.items():
                if len(known) == 0:
                    continue
                sums = np.bincount(of_row[known], weights=values[known], minlength=size)
                mean = (sums + PRIOR * values[known].mean()) / (times + PRIOR)
                columns[f"{name}_{mark}"][asked] = mean[of_row[asked]]
    return Features(names=tuple(columns), values=np.stack(list(columns.values()), axis=1))


SETTINGS: dict[str, Any] = {
    "learning_rate": 0.05,
    "max_iter": 300,
    "max_leaf_nodes": 15,
    "min_samples_leaf": 40,
    "l2_regularization": 1.0,
    "early_stopping": False,
}
"""The protocol does not write its trees' settings down; these were fixed before test was read."""


def tree_dwell(
    x: Features, seconds: Numbers, train: NDArray[np.bool_], seeds: Sequence[int] = (0, 1)
) -> Numbers:
    """Predict the median dwell of every row, trained on some."""
    fits = [
        HistGradientBoostingRegressor(loss="absolute_error", random_state=seed, **SETTINGS).fit(
            x.values[train], seconds[train]
        )
        for seed in seeds
    ]
    out: Numbers = np.mean([fit.predict(x.values) for fit in fits], axis=0)
    return out


def tree_chance(
    x: Features, label: NDArray[np.bool_], train: NDArray[np.bool_], seeds: Sequence[int] = (0, 1)
) -> Numbers:
    """Predict the chance of every row, trained on some."""
    fits = [
        HistGradientBoostingClassifier(random_state=seed, **SETTINGS).fit(
            x.values[train], label[train]
        )
        for seed in seeds
    ]
    out: Numbers = np.mean([fit.predict_proba(x.values)[:, 1] for fit in fits], axis=0)
    return out


def duration_bins(log: VideoLog, num_bins: int = 20) -> NDArray[np.int64]:
    """Sort rows into bins of equal training rows; the last one is "missing"."""
    known = (log.duration_s > 0) & ~log.is_test
    edges = np.quantile(log.duration_s[known], np.linspace(0, 1, num_bins + 1)[1:-1])
    place = np.searchsorted(edges, log.duration_s, side="right")
    return np.where(log.duration_s > 0, place, num_bins)


def by_bin(values: Numbers, bins: NDArray[np.int64], log: VideoLog, statistic: Any) -> Numbers:
    """Answer each row with a statistic of the training rows of its bin."""
    out = np.zeros(len(log))
    for one in np.unique(bins):
        out[bins == one] = statistic(values[(bins == one) & ~log.is_test])
    return out
