"""What the engine needs of others: a predictor, counters, state that a durable store may keep."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from endcap.schema import (
    Campaigns,
    Catalogue,
    Decision,
    Events,
    Predictions,
    Question,
    ShopEvent,
    Taken,
)


class Predictor(Protocol):
    """A model as the engine sees it. Calls may fail: the engine then falls back, and says so."""

    @property
    def version(self) -> str:
        """Name the model; every decision carries it."""
        ...

    def predict(self, question: Question) -> Predictions:
        """Answer for every candidate, none depending on another; rows are the engine's rows."""
        ...

    def repeat(self, question: Question, context: NDArray[np.float32]) -> Predictions:
        """Answer again from the candidates' context columns as a record kept them, [C, X].

        `question.counters` is empty here: what the model read of them is in the context.
        """
        ...

    def retrieve(self, question: Question, limit: int) -> NDArray[np.int32]:
        """Return up to `limit` item rows, the likeliest first; the question names no candidates."""
        ...

    def examination(self, placement: str, slots: int, device: int) -> NDArray[np.float64]:
        """Return the chance that each slot is looked at, [slots]."""
        ...

    def learn_items(self, catalogue: Catalogue) -> None:
        """Take in the catalogue as it is now; its first rows are those known before."""
        ...

    def learn_campaigns(self, campaigns: Campaigns) -> None:
        """Take in the campaigns as they are now."""
        ...


class ItemCounters(Protocol):
    """What all shoppers did with each item; `endcap.features.Counters` is one."""

    def observe(
        self, day: int, item_rows: NDArray[np.int32], column: int, amount: float = 1.0
    ) -> None:
        """Count events of one kind on a UTC day (`timestamp_us // DAY_US`)."""
        ...

    def as_of(self, day: int) -> NDArray[np.float32]:
        """Return the decayed counts of all days strictly before `day`, [V, N]."""
        ...

    def grow(self, num_items: int) -> None:
        """Make room for items appended to the catalogue."""
        ...


class HistoryStore(Protocol):
    """Every shopper's latest events, sorted by time."""

    def of(self, user_id: str) -> Events:
        """Return a shopper's events, oldest first; empty for a stranger. Do not change it."""
        ...

    def append(self, user_id: str, events: Events) -> None:
        """Add events in any order of time."""
        ...


class Journal(Protocol):
    """Every event once, by its key. What it took is kept, come what may."""

    def take(self, events: Sequence[ShopEvent]) -> Taken:
        """Keep the events that are new."""
        ...

    def applied(self, taken: Taken) -> None:
        """Note that these events, and all taken before them, are part of the state."""
        ...


class Shelves(Protocol):
    """The catalogue and what is left of each item."""

    @property
    def stock(self) -> NDArray[np.int64]:
        """Return what is left of each item, [N]; -1 where nobody counts. Do not change it."""
        ...

    def put(self, catalogue: Catalogue) -> None:
        """Take the catalogue as it is now, its stock included."""
        ...

    def sell(self, row: int, quantity: int) -> None:
        """Take a purchase out of the stock; an uncounted stock stays so."""
        ...


class Subjects(Protocol):
    """A person's random key, by which alone the records know them."""

    def of(self, user_id: str) -> str:
        """Return the user's key, made on first sight."""
        ...


class Ledger(Protocol):
    """The only door through which money leaves a budget."""

    def spent_micros(self, campaign_ids: Sequence[str], day: int) -> NDArray[np.int64]:
        """Return what each campaign spent on a day of the shop's zone."""
        ...

    def charge(
        self, token: str, campaign_id: str, *, day: int, price_micros: int, budget_micros: int
    ) -> int | None:
        """Charge one click, once per token.

        Returns:
            what was charged; 0 when the day's budget could not bear it (refused, and counted);
            None when the token was charged or refused before.
        """
        ...


class DecisionLog(Protocol):
    """The records."""

    def append(self, decision: Decision) -> None:
        """Keep a record."""
        ...

    def get(self, decision_id: str) -> Decision | None:
        """Return a record, None when there is none."""
        ...
