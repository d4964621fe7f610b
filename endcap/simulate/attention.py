"""How attention falls over a page: examination by slot and device, and what ads take away."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.errors import ConfigError
from endcap.schema import Device
from endcap.simulate.config import WorldConfig
from endcap.simulate.goods import F32
from endcap.simulate.noise import F64, I64

NEIGHBOUR_FACTOR = 0.85
"""By what each ad next to a slot multiplies the slot's chance of a click."""

AFTER_CLICK = np.float32(0.6)
"""In a cascade world, what is left of attention in a placement after its first click."""

_FALL = {Device.UNKNOWN: 0.90, Device.DESKTOP: 0.90, Device.MOBILE: 0.82}
_ASIDE_ON_MOBILE = 0.7


@dataclass(frozen=True)
class Layout:
    """The slots of a page in a fixed order: placements as configured, then slots."""

    placement: I64
    """[L] number of the placement."""
    slot: I64
    """[L] number inside the placement."""
    examination: F32
    """[devices, L] the chance that the slot is looked at."""
    has_left: NDArray[np.bool_]
    """[L] whether the slot before stands in the same placement."""

    def __len__(self) -> int:
        return len(self.slot)


def examination_of(config: WorldConfig, placement: str, slots: int, device: int) -> F64:
    """Return the true chance that each of the first `slots` of a placement is looked at.

    It is 1 at the first slot of the best placement and falls by a constant factor.

    Raises:
        ConfigError: the world has no such placement.
    """
    known = {place.name: place for place in config.placements}
    if placement not in known:
        raise ConfigError(
            f"placement must be one of the world's {sorted(known)}, got {placement!r}."
        )
    if not config.examination:
        return np.ones(slots)
    first = known[placement].attention
    if device == Device.MOBILE and first < 1:
        first *= _ASIDE_ON_MOBILE
    return first * np.power(_FALL[Device(device)], np.arange(slots, dtype=np.float64))


def make_layout(config: WorldConfig) -> Layout:
    """Lay the slots of all placements side by side."""
    counts = [placement.slots for placement in config.placements]
    placement = np.repeat(np.arange(len(counts)), counts)
    slot = np.concatenate([np.arange(count) for count in counts])
    examination = [
        np.concatenate([examination_of(config, p.name, p.slots, device) for p in config.placements])
        for device in Device
    ]
    return Layout(placement, slot, np.array(examination, dtype=np.float32), slot > 0)


def cascade_chance(layout: Layout, chance: F32) -> F32:
    """Return P(click) when a click earlier in the placement lets attention fall, float32 [N, L]."""
    untouched = np.ones(len(chance), dtype=np.float32)
    result = chance.copy()
    for place in range(len(layout)):
        if not layout.has_left[place]:
            untouched[:] = 1
        result[:, place] *= AFTER_CLICK + (1 - AFTER_CLICK) * untouched
        untouched *= 1 - chance[:, place]
    return result


def cascade_clicks(layout: Layout, luck: F32, chance: F32) -> NDArray[np.bool_]:
    """Return which slots are clicked, bool [N, L]; `chance` is that before any click."""
    seen_less = np.zeros(len(chance), dtype=np.bool_)
    clicked = np.zeros(chance.shape, dtype=np.bool_)
    for place in range(len(layout)):
        seen_less &= layout.has_left[place]
        attention = np.where(seen_less, AFTER_CLICK, np.float32(1))
        clicked[:, place] = luck[:, place] < chance[:, place] * attention
        seen_less |= clicked[:, place]
    return clicked


def neighbour_factor(layout: Layout, is_ad: NDArray[np.bool_]) -> F32:
    """Return by what the ads beside each slot multiply its chance of a click, float32 [N, L]."""
    beside = np.zeros(is_ad.shape, dtype=np.int8)
    beside[:, 1:] += is_ad[:, :-1] & layout.has_left[1:]
    beside[:, :-1] += is_ad[:, 1:] & layout.has_left[1:]
    factors = NEIGHBOUR_FACTOR ** np.arange(3)
    return factors.astype(np.float32)[beside]
