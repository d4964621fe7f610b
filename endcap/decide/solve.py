"""`solve(problem)`: the whole page decision, a pure function of its problem."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from endcap.decide.page import Trace, fill, table_of
from endcap.decide.price import click_prices, critical_bids
from endcap.decide.problem import Problem
from endcap.decide.propensity import propensities
from endcap.schema import EMPTY


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What stands in each slot, in order of examination; arrays of length L."""

    row: NDArray[np.int64]
    """Candidate, or -1 where nothing of positive value was left."""
    propensity: NDArray[np.float64]
    """Chance of the pick given the picks before it, exact; 1 for an empty slot."""
    price_micros: NDArray[np.int64]
    """Of one click; 0 for a product."""
    critical_micros: NDArray[np.float64]
    """Least paced bid with which the ad holds its slot; nan for a product."""
    redundancy_micros: NDArray[np.float64]
    """What the pick's likeness to earlier picks took from its value; 0 where empty."""
    runner_up: NDArray[np.int64]
    """Who would have stood there next, under the same noise; -1 for nobody."""
    ignores_bids: NDArray[np.bool_]
    """Whether exploration made this pick on worth alone."""


def solve(problem: Problem) -> Choice:
    """Fill the page, tell each pick's exact chance, and price every ad on it."""
    table = table_of(problem)
    if problem.num_candidates == 0:
        return _nothing(problem.num_steps)
    trace = fill(table)
    prices, critical = click_prices(table, trace)
    picks = trace.pick[:, 0]
    filled = picks < problem.num_candidates
    rows = np.where(filled, picks, 0)
    steps = np.arange(len(rows))
    return Choice(
        row=np.where(filled, picks, EMPTY),
        propensity=propensities(table, trace),
        price_micros=prices,
        critical_micros=critical,
        redundancy_micros=np.where(filled, trace.redundancy[steps, 0, rows], 0.0),
        runner_up=_runner_up(trace),
        ignores_bids=trace.ignores_bids[:, 0],
    )


def least_bids(problem: Problem, row: int) -> NDArray[np.float64]:
    """Return the least paced bid with which an ad would have stood in each slot or an earlier one.

    For ads that were not shown too, and for those that bid below the reserve; micros per click
    [L], inf where no bid is enough.
    """
    eligible = problem.bid_micros.copy()
    eligible[row] = max(eligible[row], problem.reserve_micros / problem.kappa[row] + 1.0)
    table = table_of(replace(problem, bid_micros=eligible))
    needed: NDArray[np.float64] = critical_bids(table, np.array([row]))[0]
    return needed


def _runner_up(trace: Trace) -> NDArray[np.int64]:
    """Name the second of each step, -1 where the pick stood alone."""
    rest = trace.perturbed[:, 0].copy()
    picks = trace.pick[:, 0]
    filled = np.flatnonzero(picks < rest.shape[1])
    rest[filled, picks[filled]] = -np.inf
    second = rest.argmax(axis=1)
    best = np.max(rest, axis=1)
    return np.where(best > -np.inf, second, EMPTY)


def _nothing(steps: int) -> Choice:
    return Choice(
        row=np.full(steps, EMPTY),
        propensity=np.ones(steps),
        price_micros=np.zeros(steps, dtype=np.int64),
        critical_micros=np.full(steps, np.nan),
        redundancy_micros=np.zeros(steps),
        runner_up=np.full(steps, EMPTY),
        ignores_bids=np.zeros(steps, dtype=bool),
    )
