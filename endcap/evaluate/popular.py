"""What everybody wants, and what this user wanted before: the rules that a model must beat."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from endcap.evaluate.scorers import LinearScorer
from endcap.evaluate.table import EventTable
from endcap.schema import Action

Rule = Literal["recency", "days", "decayed", "typed"]

FILL = 1e-6
"""Weight of the fill beside a user's own items: it breaks their ties, and outranks none."""

TYPED_WEIGHT = {Action.FAVORITE: 3.0, Action.ADD_TO_CART: 3.0}
"""A wish counts three clicks; every other kind counts one."""


@dataclass(frozen=True, kw_only=True)
class Popularity:
    """The same list for everybody: how many distinct users an item had, ever or lately."""

    days: int | None = None

    @property
    def name(self) -> str:
        """Name the row of the table."""
        return "popularity" if self.days is None else f"popularity, {self.days} days"

    def fit(self, training: EventTable, history: EventTable) -> LinearScorer:
        """Count, as of the day of the question."""
        nobody = sparse.csr_array((history.num_users, history.num_items))
        return LinearScorer(name=self.name, users=nobody, prior=self.counts(training))

    def counts(self, table: EventTable) -> NDArray[np.float64]:
        """Count users per item."""
        recent = table if self.days is None else table.where(table.age <= self.days)
        return recent.users_per_item().astype(np.float64)


@dataclass(frozen=True, kw_only=True)
class OwnHistory:
    """What the user had before, best first, filled up with what is popular.

    `recency`: minus the days since the last event; `days`: number of days with an event (in a
    log without a clock, number of events); `decayed`: sum over those days of
    2^(-age / half_life); `typed`: sum over (kind, day) of
    log(1 + count) * weight(kind) * 2^(-age / half_life).
    """

    rule: Rule = "days"
    half_life_days: float = 30.0
    fill: Popularity | None = field(default_factory=lambda: Popularity(days=14))

    @property
    def name(self) -> str:
        """Name the row of the table."""
        decays = self.rule in ("decayed", "typed")
        return f"own history, {self.rule}" + (f" {self.half_life_days:g}" if decays else "")

    def fit(self, training: EventTable, history: EventTable) -> LinearScorer:
        """Weigh the users' own items; the fill stands below every one of them."""
        own = self._weights(history)
        if self.fill is None:
            return LinearScorer(name=self.name, users=own)
        counts = self.fill.counts(training)
        own.data += FILL
        return LinearScorer(
            name=self.name, users=own, prior=FILL * counts / max(counts.max(initial=0.0), 1.0)
        )

    def _weights(self, table: EventTable) -> sparse.csr_array:
        match self.rule:
            case "recency":
                return _largest(table, 1.0 / np.maximum(table.age, 1))
            case "days":
                return table.matrix(rows=table.distinct(table.day))
            case "decayed":
                rows = table.distinct(table.day)
                return table.matrix(np.exp2(-table.age[rows] / self.half_life_days), rows)
            case "typed":
                return self._typed(table)

    def _typed(self, table: EventTable) -> sparse.csr_array:
        keys = np.stack([table.user, table.item, table.action, table.day])
        _, rows, count = np.unique(keys, axis=1, return_index=True, return_counts=True)
        weight = np.ones(int(table.action.max(initial=0)) + 1)
        for action, value in TYPED_WEIGHT.items():
            weight[action : action + 1] = value
        decay = np.exp2(-table.age[rows] / self.half_life_days)
        return table.matrix(np.log1p(count) * weight[table.action[rows]] * decay, rows)


def _largest(table: EventTable, values: NDArray[np.float64]) -> sparse.csr_array:
    """Keep the largest value of each user and item."""
    order = np.lexsort((-values, table.item, table.user))
    ordered = table.where(order)
    rows = ordered.distinct()
    return ordered.matrix(values[order][rows], rows)
