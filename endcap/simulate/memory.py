"""What shoppers carry from page to page: wants, what they looked at, what they own, goodwill."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from endcap.simulate.goods import F32, Goods
from endcap.simulate.noise import I64
from endcap.simulate.words import LEAVES

T = TypeVar("T", bound=np.generic)

NEVER = np.float32(-1e9)
"""Days; a time so long ago that nothing is left of it."""

WANT_DAYS = 2.0
WANT_AFTER_CLICK, WANT_AFTER_PURCHASE = 0.7, 1.6
MOST_WANTED = 2.2
GOODWILL_LOW, GOODWILL_HIGH = 0.4, 1.5


class Memory:
    """State of every shopper, as arrays that change while the world runs. Times are in days.

    Attributes:
        want: float32 [S, leaves], log-odds added to what goes with earlier clicks, as of `want_at`.
        clicked_at, bought_at: float32 [S, V], when the shopper last clicked or bought the item.
        kind_bought_at: float32 [S, leaves], the last purchase of a lasting good of the kind.
        goodwill: float64 [S], by what the chance of a visit is multiplied.
        free_at_us: int64 [S], the instant after the shopper's last event.
        visitor: int64 [S], how often the shopper's visitor id has changed.
    """

    def __init__(self) -> None:
        self.want: F32 = np.zeros((0, len(LEAVES)), dtype=np.float32)
        self.want_at: F32 = np.zeros(0, dtype=np.float32)
        self.clicked_at: F32 = np.zeros((0, 0), dtype=np.float32)
        self.bought_at: F32 = np.zeros((0, 0), dtype=np.float32)
        self.kind_bought_at: F32 = np.zeros((0, len(LEAVES)), dtype=np.float32)
        self.goodwill = np.zeros(0)
        self.free_at_us: I64 = np.zeros(0, dtype=np.int64)
        self.visitor: I64 = np.zeros(0, dtype=np.int64)

    def grow(self, shoppers: int, items: int) -> None:
        """Make room for newcomers, who remember nothing."""
        self.want = _grown(self.want, (shoppers, len(LEAVES)), 0)
        self.want_at = _grown(self.want_at, (shoppers,), 0)
        self.clicked_at = _grown(self.clicked_at, (shoppers, items), NEVER)
        self.bought_at = _grown(self.bought_at, (shoppers, items), NEVER)
        self.kind_bought_at = _grown(self.kind_bought_at, (shoppers, len(LEAVES)), NEVER)
        self.goodwill = _grown(self.goodwill, (shoppers,), 1)
        self.free_at_us = _grown(self.free_at_us, (shoppers,), 0)
        self.visitor = _grown(self.visitor, (shoppers,), 0)

    def click(self, shopper: I64, item: I64, days: F32, goods: Goods, goes_with: I64) -> None:
        """Remember clicks, one per row, in order of time."""
        self.clicked_at[shopper, item] = days
        self._want(shopper, goes_with[goods.leaf[item]], days, WANT_AFTER_CLICK)

    def buy(self, shopper: int, item: int, days: float, goods: Goods, goes_with: I64) -> None:
        """Remember one purchase."""
        self.bought_at[shopper, item] = days
        leaf = goods.leaf[item]
        if not goods.is_consumable[item]:
            self.kind_bought_at[shopper, leaf] = days
        who, when = np.array([shopper]), np.array([days], dtype=np.float32)
        self._want(who, goes_with[[leaf]], when, WANT_AFTER_PURCHASE)

    def _want(self, shopper: I64, leaves: I64, days: F32, amount: float) -> None:
        who, last = np.unique(shopper, return_inverse=True)
        now = self.want_at[who].copy()
        np.maximum.at(now, last, days)
        self.want[who] *= np.exp(-(now - self.want_at[who]) / np.float32(WANT_DAYS))[:, None]
        self.want_at[who] = now
        np.add.at(self.want, (shopper[:, None], leaves), np.float32(amount))
        self.want[who] = np.minimum(self.want[who], np.float32(MOST_WANTED))

    def please(self, shopper: I64, change: NDArray[np.float64]) -> None:
        """Change the goodwill of shoppers, one per row, within its limits."""
        moved = self.goodwill[shopper] + change
        self.goodwill[shopper] = np.clip(moved, GOODWILL_LOW, GOODWILL_HIGH)


def _grown(table: NDArray[T], shape: tuple[int, ...], value: float | np.float32) -> NDArray[T]:
    grown = np.full(shape, value, dtype=table.dtype)
    grown[tuple(slice(0, size) for size in table.shape)] = table
    return grown
