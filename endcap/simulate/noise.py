"""Luck that is looked up, not drawn: every random number is a hash of what it is about.

A stream of numbers would tie one shopper's luck to what another was shown before. Here a number
depends on its key alone (seed, stream, shopper, day, session, page, item, ...), so two policies
on one world meet the same shoppers with the same luck (common random numbers), and integer columns
are the same bytes on every machine.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

U64 = NDArray[np.uint64]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_MASK = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


class Stream(IntEnum):
    """What a number is for; numbers of two streams are independent."""

    ITEM = 1
    SHOPPER = 2
    CAMPAIGN = 3
    RELATION = 4
    PROMOTION = 5
    RESTOCK = 6
    DRIFT = 7
    VISIT = 8
    CLICK = 9
    DWELL = 10
    LOST = 11
    CART = 12
    BUY = 13
    DELAY = 14
    LEAVE = 15
    PAUSE = 16
    VISITOR = 17
    RATING = 18
    DECISION = 19
    BID = 20
    PAGE = 21


def mix(state: U64) -> U64:
    """Stir 64 bits so that every bit depends on all (splitmix64, Steele et al. 2014)."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(_FIRST)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(_SECOND)
    return state ^ (state >> np.uint64(31))


def derive(keys: U64, part: ArrayLike) -> U64:
    """Make new keys from keys (an array of at least one) and whole numbers, by broadcasting."""
    numbers = np.atleast_1d(np.asarray(part)).astype(np.uint64)
    return mix(keys + (numbers + np.uint64(1)) * np.uint64(_GOLDEN))


def keys_of(seed: int, stream: Stream, *parts: ArrayLike) -> U64:
    """Make one key per row of the broadcast parts; shape [1] without array parts."""
    start = (seed * _GOLDEN + int(stream) * _SECOND + _FIRST) & _MASK
    keys = mix(np.array([start], dtype=np.uint64))
    for part in parts:
        keys = derive(keys, part)
    return keys


def below(keys: U64, count: int) -> I64:
    """Turn keys into whole numbers 0 <= n < count, by integers alone (count < 2^31)."""
    return (((keys >> np.uint64(32)) * np.uint64(count)) >> np.uint64(32)).astype(np.int64)


def uniform(keys: U64) -> F64:
    """Turn keys into numbers in [0, 1)."""
    return (keys >> np.uint64(11)).astype(np.float64) * 2.0**-53


def uniform32(keys: U64) -> NDArray[np.float32]:
    """Turn keys into single-precision numbers in [0, 1), for the many."""
    return (keys >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)


def exponential(keys: U64) -> F64:
    """Turn keys into exponential numbers of mean 1."""
    return -np.log1p(-uniform(keys))


def normal(keys: U64) -> F64:
    """Turn keys into standard normal numbers (Box and Muller 1958)."""
    radius = np.sqrt(2.0 * exponential(keys))
    return radius * np.cos(2.0 * np.pi * uniform(derive(keys, 0)))


def choice(keys: U64, weights: I64) -> I64:
    """Turn keys into places 0 <= n < len(weights), with chances in proportion to whole weights."""
    edges = np.cumsum(weights)
    return np.searchsorted(edges, below(keys, int(edges[-1])), side="right").astype(np.int64)
