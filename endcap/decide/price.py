"""What an ad pays: the critical price (Myerson 1981) from one re-run of the page without it."""

import numpy as np
from numpy.typing import NDArray

from endcap.decide.page import Table, Trace, fill

ROUNDING_MICROS = 1e-6
"""Forgives the last bits of a float before a price is rounded down to whole micros."""


def critical_bids(
    table: Table, ads: NDArray[np.int64], known: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Return the least paced bid with which each ad stands in a step's slot or an earlier one.

    An ad never changes a pick before its own, so the page without it tells what it had to beat at
    every step: `crit_j = min_{j'<=j} max(r, (exp(t_j' - T G_ij') + d_ij' - h_i) / q_i)`, where it
    was feasible on that page. On a step that ignores bids it is the reserve if the ad's worth wins
    the step, else out of reach.

    Args:
        table: the problem, prepared.
        ads: [R] rows of candidates.
        known: [F] picks of the first steps; those are the same without the ads, and are left out
            of the minimum.

    Returns:
        micros per click [R, L], never rising along L; inf where no bid is enough.
    """
    trace = fill(table, absent=ads, known=known)
    pages = np.arange(len(ads))
    feasible = trace.feasible[:, pages, ads] > 0
    needed = np.where(trace.ignores_bids, _on_worth(trace, ads), _on_score(table, trace, ads))
    # With worth of its own, an ad alone on a step that ignores bids wins it at the reserve.
    blind = table.noise.explores[:, None]
    alone = blind & ~trace.ignores_bids & (trace.absentee > -np.inf)
    needed[alone] = 0.0
    needed[~feasible] = np.inf
    least = np.maximum(needed, table.problem.reserve_micros)
    lowest: NDArray[np.float64] = np.minimum.accumulate(least, axis=0).T
    return lowest


def _on_score(table: Table, trace: Trace, ads: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the paced bid that equals the pick's log-score with noise, [L, R]."""
    problem, pages = table.problem, np.arange(len(ads))
    to_beat = np.exp(trace.top - table.noise.on_score[:, ads])
    missing = to_beat + trace.redundancy[:, pages, ads] - problem.h_micros[ads]
    clicks = np.broadcast_to(problem.q[ads], missing.shape)
    out_of_reach = np.where(missing > 0, np.inf, 0.0)
    return np.divide(missing, clicks, out=out_of_reach, where=clicks > 0)


def _on_worth(trace: Trace, ads: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return 0 where the ad's worth with noise wins the step, else inf, [L, R]; ties by row."""
    tie = (trace.absentee == trace.top) & (ads[None, :] < trace.pick)
    return np.where((trace.absentee > trace.top) | tie, 0.0, np.inf)


def click_prices(table: Table, trace: Trace) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Price every ad of a filled page.

    `p = sum_{j>=k} (th_j - th_{j+1}) crit_j / th_k` for an ad in slot k, th the examination.
    It is the average of what each later slot would have cost, so it lies between the reserve and
    the paced bid, and no other bid would have served the advertiser better within this auction.

    Returns:
        whole micros per click [L], 0 for products and empty slots; and the critical paced bid of
        the slot itself [L], nan where there is no ad.
    """
    problem, picks = table.problem, trace.pick[:, 0]
    prices = np.zeros(problem.num_steps, dtype=np.int64)
    critical = np.full(problem.num_steps, np.nan)
    steps = np.flatnonzero(table.rules.is_ad[picks])
    if len(steps) == 0:
        return prices, critical
    ads = picks[steps]
    needed = critical_bids(table, ads, known=picks[: steps[0]])
    offered = problem.paced_micros[ads]
    for row, step in enumerate(steps):
        # What stands before its slot cannot be the least: the ad was there and did not win.
        later = np.minimum(needed[row, step:], offered[row])
        prices[step] = _price(problem.examination[step:], later, offered[row])
        prices[step] = max(prices[step], problem.page.reserve_micros)
        critical[step] = later[0]
    return prices, critical


def _price(examination: NDArray[np.float64], critical: NDArray[np.float64], offered: float) -> int:
    """Average the critical bids over the examination that each adds, in whole micros.

    A slot that nobody looks at has no clicks to pay for; its price is that of the slot alone.
    """
    drop = examination - np.append(examination[1:], 0.0)
    seen = float(examination[0])
    exact = float((drop * critical).sum() / seen) if seen > 0 else float(critical[0])
    return int(min(np.floor(exact + ROUNDING_MICROS), np.floor(offered)))
