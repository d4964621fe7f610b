"""Learn what shoppers come back to: which of the items that they met, or else something new.

A conditional logit (McFadden 1974) asked at cuts of training days, as a list is: what a shopper did
before a cut against what they meet in the days after it, as many as there are validation days.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from endcap.features import (
    DAY_US,
    RETURN_PRIOR,
    CounterHistory,
    ReturnColumn,
    popularity_scores,
    return_columns,
)
from endcap.schema import Dataset, Split
from endcap.train.questions import NEXT_WEIGHT

LEAST_SHOPPERS = 200
"""Fewer tell too little; the mix of a list is not searched from its default by fewer either."""

CUTS, MAX_ASKED = 6, 1_000
"""Cuts, each as long after the one before as validation takes, and shoppers asked at each."""

RIDGE = 2.0
"""Penalty, in nats, of a weight that is off its prior by 1; a question weighs a nat or so."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One shopper at one cut."""

    user: int
    columns: NDArray[np.float32]  # [M, R] of the items that were met before
    share: NDArray[np.float64]  # [M] each one's share of all that was met after
    log_others: float
    """Log of how many items shoppers know and this one never met."""


def learn_returns(
    dataset: Dataset, counters: CounterHistory, *, seed: int = 0
) -> tuple[float, ...]:
    """Return the weights of `ReturnColumn`; `RETURN_PRIOR` where few shoppers can be asked."""
    asked = [one for cut in _cuts(dataset) for one in _ask(dataset, counters, cut, seed)]
    is_told = len({one.user for one in asked}) >= LEAST_SHOPPERS
    return _fit(asked) if is_told else RETURN_PRIOR


def _cuts(dataset: Dataset) -> list[tuple[int, int]]:
    """Return where histories end, and where what came after them does; the last cuts first."""
    if not dataset.is_by_time:
        return []
    span_us = dataset.validation_end_us - dataset.train_end_us
    ends = [dataset.train_end_us - k * span_us for k in range(CUTS)]
    return [(end - span_us, end) for end in ends]


def _ask(
    dataset: Dataset, counters: CounterHistory, cut: tuple[int, int], seed: int
) -> Iterator[Asked]:
    events, offsets = dataset.histories.events, dataset.histories.offsets
    at_us, end_us = cut
    times = events["timestamp_us"]
    wanted = (times >= at_us) & (times < end_us) & (dataset.event_split == Split.TRAIN)
    wanted &= (NEXT_WEIGHT[events["action"]] > 0) & (events["item"] >= 0)
    users = np.unique(dataset.histories.user_of_event()[wanted])
    users = users[times[offsets[users]] < at_us]
    if len(users) > MAX_ASKED:
        users = np.random.default_rng([seed, at_us]).choice(users, size=MAX_ASKED, replace=False)
    popularity = popularity_scores(counters.as_of(at_us // DAY_US))
    resolution_us, known = dataset.shop.resolution_us, int(np.count_nonzero(popularity))
    for user in users:
        rows = slice(offsets[user], offsets[user + 1])
        history = events[rows][times[rows] < at_us]
        items, columns = return_columns(history, at_us, popularity, resolution_us=resolution_us)
        met = np.unique(events["item"][rows][wanted[rows]])
        if len(items):
            yield Asked(
                user=int(user),
                columns=columns,
                share=np.isin(items, met) / len(met),
                log_others=float(np.log(max(known - len(items), 1))),
            )


def _fit(asked: list[Asked]) -> tuple[float, ...]:
    """Maximise sum_g [sum_i y_gi w x_gi - log(sum_i exp(w x_gi) + n_g)], n_g items being new.

    All that a shopper never met is one option of as many items of weight 0.
    """
    columns = np.concatenate([one.columns for one in asked]).astype(np.float64)
    share = np.concatenate([one.share for one in asked])
    others = np.array([one.log_others for one in asked])
    sizes = np.array([len(one.share) for one in asked])
    starts = np.append(0, np.cumsum(sizes)[:-1])
    prior = np.array(RETURN_PRIOR)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = columns @ weights
        top = np.maximum(np.maximum.reduceat(scores, starts), others)
        lifted = np.exp(scores - np.repeat(top, sizes))
        total = np.add.reduceat(lifted, starts) + np.exp(others - top)
        off = weights - prior
        value = (np.log(total) + top).sum() - share @ scores + RIDGE * off @ off
        chance = lifted / np.repeat(total, sizes)
        return float(value), columns.T @ (chance - share) + 2 * RIDGE * off

    found = minimize(loss, prior, jac=True, method="L-BFGS-B")
    assert len(found.x) == len(ReturnColumn)
    return tuple(float(weight) for weight in found.x)
