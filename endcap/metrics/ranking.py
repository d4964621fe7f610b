"""How well a list holds what came next: recall, NDCG, hit rate, reciprocal rank, coverage.

Everything is computed from the ranks of the targets, so a full ranking, a served list of K items
and one held-out target (leave-one-out) share the same four formulas.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.floating[Any]]
Rows = NDArray[np.integer[Any]]
Ties = Literal["pessimistic", "optimistic"]

MISS = np.iinfo(np.int64).max
"""Rank of a target that no list can hold: unseen in training, or filtered."""

_BLOCK = 4_000_000  # cells compared at once: 32 MB of float64


@dataclass(frozen=True, kw_only=True)
class TargetRanks:
    """The rank of every target in its user's list, counted from 1."""

    rank: NDArray[np.int64]
    """[N] 1 is the top; `MISS` where no list can hold it."""
    user: Rows
    """[N] whose target it is, 0 to `num_users` - 1."""
    num_users: int

    def per_user(self, gain: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add up one number per target over each user's targets."""
        total = np.bincount(self.user, weights=gain, minlength=self.num_users)
        return total.astype(np.float64)

    def num_targets(self) -> NDArray[np.int64]:
        """Count each user's targets, the unreachable ones included."""
        return np.bincount(self.user, minlength=self.num_users).astype(np.int64)


def ranks_in_scores(
    scores: Scores,
    user: Rows,
    item: Rows,
    *,
    tie_order: Rows | None = None,
    ties: Ties = "pessimistic",
) -> TargetRanks:
    """Rank targets among all items of their user.

    Args:
        scores: [B, V]; -inf takes an item out of the list (filtered, not in the catalogue), and
            nan is read as -inf.
        user: [N] row of `scores` that each target belongs to.
        item: [N] column of `scores`; a negative one is an item outside V, hence a miss.
        tie_order: [V] place of each item among items of equal score, smaller first; without it
            `ties` decides: "pessimistic" counts all equals as better, "optimistic" none.
    """
    num_users, num_items = scores.shape
    rank = np.full(len(item), MISS, dtype=np.int64)
    inside = np.flatnonzero((item >= 0) & (item < num_items))
    step = max(1, _BLOCK // max(num_items, 1))
    for start in range(0, len(inside), step):
        at = inside[start : start + step]
        rows = scores[user[at]]
        own = scores[user[at], item[at]][:, None]
        better = (rows > own).sum(axis=1)
        equal = rows == own
        if tie_order is not None:
            better += (equal & (tie_order < tie_order[item[at]][:, None])).sum(axis=1)
        elif ties == "pessimistic":
            better += equal.sum(axis=1) - 1
        rank[at] = np.where(own[:, 0] > -np.inf, better + 1, MISS)
    return TargetRanks(rank=rank, user=user, num_users=num_users)


def ranks_in_lists(lists: Rows, user: Rows, item: Rows) -> TargetRanks:
    """Rank targets in served lists [B, K]; what is not in the list is a miss, -1 fills it up."""
    hits = (lists[user] == item[:, None]) & (item >= 0)[:, None]
    rank = np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, MISS)
    return TargetRanks(rank=rank, user=user, num_users=len(lists))


def top_items(scores: Scores, k: int, *, tie_order: Rows | None = None) -> NDArray[np.int64]:
    """List the k best items of every row, best first; -1 where fewer are left.

    Equal scores stand in `tie_order`, or in the order of the columns.
    """
    num_items = scores.shape[1]
    columns = np.arange(num_items) if tie_order is None else np.argsort(tie_order, kind="stable")
    ordered, width = scores[:, columns], min(k, num_items)
    ordered[np.isnan(ordered)] = -np.inf
    # Only what is not below the k-th best is sorted: a whole row's order costs ten times as much.
    least = np.partition(ordered, num_items - width, axis=1)[:, num_items - width, None]
    above, equal = ordered > least, ordered == least
    left = width - above.sum(axis=1, keepdims=True)
    kept = (above | (equal & (np.cumsum(equal, axis=1) <= left))).nonzero()[1]
    candidates = kept.reshape(len(scores), width)
    values = np.take_along_axis(ordered, candidates, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    best = np.take_along_axis(candidates, order, axis=1)
    reachable = np.take_along_axis(values, order, axis=1) > -np.inf
    return np.where(reachable, columns[best], -1).astype(np.int64)


def recall(ranks: TargetRanks, k: int) -> NDArray[np.float64]:
    """Return |top k & T| / |T| per user: not min(k, |T|), so a long T cannot reach 1."""
    hits = ranks.per_user((ranks.rank <= k).astype(np.float64))
    return _divide(hits, ranks.num_targets().astype(np.float64))


def ndcg(ranks: TargetRanks, k: int) -> NDArray[np.float64]:
    """Return the sum of 1 / log2(rank + 1) over hits, divided by that of min(|T|, k) hits on top.

    Source: Järvelin and Kekäläinen 2002, with binary gains.
    """
    hit = ranks.rank <= k
    gain = np.where(hit, 1.0 / np.log2(np.where(hit, ranks.rank, 1) + 1.0), 0.0)
    ideal = np.concatenate([[0.0], np.cumsum(1.0 / np.log2(np.arange(k) + 2.0))])
    return _divide(ranks.per_user(gain), ideal[np.minimum(ranks.num_targets(), k)])


def hit_rate(ranks: TargetRanks, k: int) -> NDArray[np.float64]:
    """Return 1 per user with any target among the first k, else 0."""
    return (ranks.per_user((ranks.rank <= k).astype(np.float64)) > 0).astype(np.float64)


def reciprocal_rank(ranks: TargetRanks, k: int) -> NDArray[np.float64]:
    """Return 1 / (rank of the first hit) per user, 0 where it lies beyond k."""
    first = np.full(ranks.num_users, MISS, dtype=np.int64)
    np.minimum.at(first, ranks.user, ranks.rank)
    return np.where(first <= k, 1.0 / first, 0.0)


def _divide(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide per user; a user without targets counts 0 (tasks drop such users)."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
