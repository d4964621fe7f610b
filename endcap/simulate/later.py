"""What is still to come: purchases that wait for their hour, and the ratings after them."""

from bisect import insort
from dataclasses import dataclass
from typing import Literal

import numpy as np

from endcap.schema import ShopEvent
from endcap.simulate.config import DAY_US, SECOND_US
from endcap.simulate.noise import Stream, below, derive, exponential, normal
from endcap.simulate.truth import Mind, match_of

RATED_OF_100 = 40


@dataclass(frozen=True, kw_only=True)
class Due:
    """One thing that a shopper will do, and the click that it goes back to."""

    due_us: int
    kind: Literal["purchase", "rating"]
    shopper: int
    item: int
    price_micros: int
    luck: int
    """Key of the click, for what is drawn later."""
    source: ShopEvent
    """The click: it lends the user, page, slot and campaign."""


class Later:
    """Everything that is still to come, by shopper, in order of time."""

    def __init__(self) -> None:
        self._of: dict[int, list[Due]] = {}

    def __len__(self) -> int:
        return sum(len(dues) for dues in self._of.values())

    def add(self, due: Due) -> None:
        """Put one thing in its place."""
        insort(self._of.setdefault(due.shopper, []), due, key=lambda other: other.due_us)

    def take(self, shopper: int, until_us: int) -> list[Due]:
        """Take out what a shopper does up to an instant, oldest first."""
        dues = self._of.get(shopper, [])
        count = sum(due.due_us <= until_us for due in dues)
        taken, rest = dues[:count], dues[count:]
        if rest:
            self._of[shopper] = rest
        else:
            self._of.pop(shopper, None)
        return taken

    def shoppers(self, until_us: int) -> list[int]:
        """List the shoppers who do something up to an instant, in order of their numbers."""
        return sorted(who for who, dues in self._of.items() if dues[0].due_us <= until_us)


def rating_after(mind: Mind, purchase: Due, bought_us: int) -> Due | None:
    """Plan the rating of a purchase: four of ten are rated, from half a day later on."""
    keys = np.array([purchase.luck], dtype=np.uint64)
    drawn = derive(keys, Stream.RATING)
    if not mind.config.ratings or below(drawn, 100)[0] >= RATED_OF_100:
        return None
    wait_days = 0.5 + min(float(exponential(derive(drawn, 1))[0]), 6.0)
    return Due(
        due_us=bought_us + int(wait_days * DAY_US) // SECOND_US * SECOND_US,
        kind="rating",
        shopper=purchase.shopper,
        item=purchase.item,
        price_micros=purchase.price_micros,
        luck=purchase.luck,
        source=purchase.source,
    )


def satisfaction(mind: Mind, shopper: int, item: int) -> float:
    """Return how content a shopper is with an item, on the scale of ratings: 3.7 is usual."""
    who, what = np.array([[shopper]]), np.array([[item]])
    match = float(match_of(mind, who, what)[0, 0])
    return 3.4 + 1.1 * float(mind.goods.appeal[item]) + 0.2 * match


def rating_of(mind: Mind, due: Due) -> int:
    """Draw the rating, 1 to 5: the satisfaction and some luck."""
    keys = derive(np.array([due.luck], dtype=np.uint64), Stream.RATING)
    luck = 0.7 * float(normal(derive(keys, 2))[0])
    return int(np.clip(round(satisfaction(mind, due.shopper, due.item) + luck), 1, 5))
