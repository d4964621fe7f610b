"""Keep the last days aside: where training ends, where test begins."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.errors import ConfigError
from endcap.prep.clock import instant_of, to_local_days, write_instant
from endcap.schema import Histories, ShopConfig, Split

NEVER = 2**62


@dataclass(frozen=True, kw_only=True)
class Cuts:
    """The instants at which the parts begin, or that each user's last events are kept aside."""

    kind: Literal["time", "leave_one_out"]
    train_end_us: int
    validation_end_us: int
    end_us: int
    note: str = ""


def plan_split(shop: ShopConfig, first_us: int, last_us: int) -> Cuts:
    """Place the cuts between instants, so that rows of one instant fall on one side.

    Shares are shares of the span, counted in instants of the log's resolution (days, in a log
    of days), at least one instant each.

    Raises:
        ConfigError: `train_end` or `validation_end` is no time, or outside the log.
    """
    step = shop.resolution_us
    begin, end = first_us // step, last_us // step + 1  # in instants
    if shop.split.kind == "leave_one_out" or not shop.has_clock:
        told = shop.split.kind == "leave_one_out"
        return _leave_one_out(end * step, "" if told else "A log without time")
    given = (_declared(shop, "train_end"), _declared(shop, "validation_end"))
    if end - begin < 3 and given == (None, None):
        return _leave_one_out(end * step, "A log of fewer than three instants")
    test = max(round((end - begin) * shop.split.test_share), 1)
    validation = max(round((end - begin) * shop.split.validation_share), 1)
    validation_end = (end - test) * step if given[1] is None else given[1]
    shared = (validation_end // step - validation) * step
    train_end = shared if given[0] is None else given[0]
    _check_cuts(train_end, validation_end, begin * step, end * step)
    return Cuts(kind="time", train_end_us=train_end, validation_end_us=validation_end,
                end_us=end * step)  # fmt: skip


def _leave_one_out(end_us: int, why: str) -> Cuts:
    note = f"{why} cannot be split by time: each user's last events are kept aside." if why else ""
    return Cuts(kind="leave_one_out", train_end_us=end_us, validation_end_us=end_us, end_us=end_us,
                note=note)  # fmt: skip


def _declared(shop: ShopConfig, name: str) -> int | None:
    text: str | None = getattr(shop.split, name)
    if text is None:
        return None
    instant = instant_of(text, shop.zone)
    if instant is None:
        raise ConfigError(
            f"split.{name} must be an RFC 3339 time or a date such as 2026-07-01, got {text!r}."
        )
    if shop.log.resolution == "day":
        return int(to_local_days(pl.Series([instant]), shop.zone).item())
    return instant // shop.resolution_us * shop.resolution_us


def _check_cuts(train_end: int, validation_end: int, first: int, end: int) -> None:
    if first < train_end < validation_end < end:
        return
    raise ConfigError(
        f"split.train_end must come before split.validation_end, and both inside the log, which "
        f"runs from {write_instant(first)} to {write_instant(end)}; got {write_instant(train_end)} "
        f"and {write_instant(validation_end)}."
    )


def split_by_time(times: NDArray[np.int64], cuts: Cuts) -> NDArray[np.uint8]:
    """Say which part each instant belongs to."""
    edges = np.array([cuts.train_end_us, cuts.validation_end_us])
    return np.searchsorted(edges, times, side="right").astype(np.uint8)


def split_by_place(
    histories: Histories, resolution_us: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Keep each user's last instant for test and the one before for validation.

    Users with fewer than three instants are all training.

    Returns:
        The part of every event, and int64 [users, 2]: the instants (in units of the resolution)
        at which each user's validation and test begin.
    """
    user = histories.user_of_event()
    instant = histories.events["timestamp_us"] // resolution_us
    parts = np.full(len(user), Split.TRAIN, dtype=np.uint8)
    begins = np.full((histories.num_users, 2), NEVER, dtype=np.int64)
    if not len(user):
        return parts, begins
    is_new = np.append(True, (np.diff(user) != 0) | (np.diff(instant) != 0))
    group = np.cumsum(is_new) - 1
    last = np.full(histories.num_users, -1, dtype=np.int64)
    np.maximum.at(last, user, group)
    count = np.bincount(user[is_new], minlength=histories.num_users)
    from_end = last[user] - group
    can_split = count[user] >= 3
    for part, place in ((Split.TEST, 0), (Split.VALIDATION, 1)):
        here = can_split & (from_end == place)
        parts[here] = part
        begins[user[here], int(part) - 1] = instant[here]
    return parts, begins
