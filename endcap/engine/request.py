"""One query made ready: its instant in the shop's zone, its slots, the shopper's past."""

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from endcap.engine.protocols import Predictor
from endcap.schema import Device, Events, Query, Question, Slots

DEFAULT_DECAY = 0.85
"""Examination of a slot relative to the one before it, where no model tells."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What every step of a decision reads."""

    query: Query
    decision_id: str
    at_us: int
    local_day: int
    """Day of the shop's zone, as an ordinal: budgets follow it."""
    hour: int
    """Hour of day in the shop's zone."""
    device: int
    history: Events
    """Events strictly before the instant."""
    counters: NDArray[np.float32]
    degraded: list[str] = field(default_factory=list)
    """Filled on the way with what could not be done as usual."""

    @property
    def num_slots(self) -> int:
        """Count the slots of all placements."""
        return sum(self.query.placements.values())

    def question(self, item: NDArray[np.int32], campaign: NDArray[np.int32]) -> Question:
        """Ask about candidates."""
        return Question(
            user_id=self.query.user_id,
            history=self.history,
            at_us=self.at_us,
            device=self.device,
            item=item,
            campaign=campaign,
            counters=self.counters,
        )


def local_time(at_us: int, zone: ZoneInfo) -> tuple[int, int]:
    """Return the day (ordinal) and the hour that a shop's clock shows."""
    local = datetime.fromtimestamp(at_us // 1_000_000, tz=zone)
    return local.toordinal(), local.hour


def device_of(name: str) -> int:
    """Return the code of a device; what we do not know is unknown."""
    return int(Device.__members__.get(name.upper(), Device.UNKNOWN))


def before(history: Events, at_us: int) -> Events:
    """Cut a history to the events strictly before an instant."""
    end = int(np.searchsorted(history["timestamp_us"], at_us, side="left"))
    return history[:end]


def slots_of(request: Request, predictor: Predictor) -> Slots:
    """List the slots of all placements in order of examination; ties keep the query's order."""
    placement: list[str] = []
    slot: list[int] = []
    seen: list[float] = []
    for name, count in request.query.placements.items():
        placement += [name] * count
        slot += range(count)
        seen += _examination(request, predictor, name, count)
    order = np.argsort(-np.array(seen), kind="stable").tolist()
    return Slots(
        placement=[placement[n] for n in order],
        slot=[slot[n] for n in order],
        examination=[seen[n] for n in order],
    )


def _examination(request: Request, predictor: Predictor, name: str, count: int) -> list[float]:
    """Ask the predictor how much each slot is looked at; a stated default stands in for it."""
    try:
        told = np.asarray(predictor.examination(name, count, request.device), dtype=np.float64)
    except Exception as error:
        told, reason = np.array([]), f"{type(error).__name__}: {error}"
    else:
        reason = f"it gave {told.tolist()}"
    if told.shape == (count,) and np.isfinite(told).all() and (told > 0).all():
        return [float(value) for value in told]
    request.degraded.append(
        f"The examination of {name!r} is the default {DEFAULT_DECAY} ** slot, "
        f"for the model has none ({reason})."
    )
    return [DEFAULT_DECAY**n for n in range(count)]
