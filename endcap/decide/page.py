"""The page rule: slots in order of examination, one Plackett-Luce pick per step."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.decide.noise import Noise, draw_noise
from endcap.decide.problem import Problem
from endcap.decide.rules import Rules, Shelf, rules_of


@dataclass(frozen=True, kw_only=True)
class Table:
    """A problem made ready for filling pages of it."""

    problem: Problem
    rules: Rules
    noise: Noise
    score: NDArray[np.float64]
    """[N] s, micros per examined view."""
    redundancy_scale: NDArray[np.float64]
    """[N] diversity * max(h, 0): what a candidate loses beside its twin."""


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What happened at each of L steps on each of R pages."""

    pages: NDArray[np.int64]
    """[R] 0, 1, ..., R - 1."""
    pick: NDArray[np.int64]
    """[L, R] row of the pick; N where nothing had a positive value."""
    top: NDArray[np.float64]
    """[L, R] log-score with noise of the pick; -inf where there is none."""
    ignores_bids: NDArray[np.bool_]
    """[L, R] whether the pick was made on worth alone."""
    absentee: NDArray[np.float64]
    """[L, R] log-score with noise of who is absent, had it been there; on an epsilon step, of its
    worth."""
    perturbed: NDArray[np.float64]
    """[L, R, N] log-score with noise under the rule of the step; -inf: infeasible or worthless."""
    feasible: NDArray[np.float64]
    """[L, R, N] 1 or 0."""
    redundancy: NDArray[np.float64]
    """[L, R, N] micros."""


def table_of(problem: Problem) -> Table:
    """Prepare a problem: masks, noise, scores."""
    noise = draw_noise(
        problem.key,
        steps=problem.num_steps,
        candidates=problem.num_candidates,
        temperature=problem.temperature,
        epsilon=problem.epsilon,
    )
    return Table(
        problem=problem,
        rules=rules_of(problem),
        noise=noise,
        score=problem.score_micros,
        redundancy_scale=problem.page.diversity * np.maximum(problem.h_micros, 0.0),
    )


def fill(
    table: Table,
    absent: NDArray[np.int64] | None = None,
    known: NDArray[np.int64] | None = None,
) -> Trace:
    """Fill the page; or one page per absentee, the r-th without candidate `absent[r]`.

    Args:
        table: the problem, prepared.
        absent: [R] who is missing from each page; its feasibility is traced all the same.
        known: [F] picks of the first steps, the same on all pages; steps that are only taken over
            stay empty in the trace.
    """
    num_pages = 1 if absent is None else len(absent)
    first = 0 if known is None else len(known)
    trace = _empty_trace(table.problem, num_pages)
    shelf = Shelf(table.problem, table.rules, num_pages)
    with np.errstate(divide="ignore"):
        for step in range(table.problem.num_steps):
            if known is not None and step < first:
                trace.pick[step] = known[step]
            else:
                shelf.feasible(step, trace.feasible[step])
                np.multiply(table.redundancy_scale, shelf.similarity, out=trace.redundancy[step])
                _pick(table, trace, step, absent)
            shelf.take(step, trace.pick[step])
    return trace


def _empty_trace(problem: Problem, num_pages: int) -> Trace:
    pages = (problem.num_steps, num_pages)
    shape = (*pages, problem.num_candidates)
    return Trace(
        pages=np.arange(num_pages),
        pick=np.full(pages, problem.num_candidates, dtype=np.int64),
        top=np.full(pages, -np.inf),
        ignores_bids=np.zeros(pages, dtype=bool),
        absentee=np.full(pages, -np.inf),
        perturbed=np.full(shape, -np.inf),
        feasible=np.zeros(shape),
        redundancy=np.zeros(shape),
    )


def _pick(table: Table, trace: Trace, step: int, absent: NDArray[np.int64] | None) -> None:
    """Choose on every page; where a pick on worth alone finds nobody, bids count after all."""
    noise = table.noise
    if not noise.explores[step]:
        _choose(trace, step, absent, table.score, noise.on_score[step])
        return
    _choose(trace, step, absent, table.problem.h_micros, noise.on_worth[step])
    trace.ignores_bids[step] = trace.top[step] > -np.inf
    nobody = ~trace.ignores_bids[step]
    if nobody.any():
        _choose_again(table, trace, step, absent, nobody)


def _choose(
    trace: Trace,
    step: int,
    absent: NDArray[np.int64] | None,
    value: NDArray[np.float64],
    noise: NDArray[np.float64],
) -> None:
    """Take the largest log(value - redundancy) + noise on every page; ties go to the first row."""
    perturbed = trace.perturbed[step]
    np.subtract(value, trace.redundancy[step], out=perturbed)
    perturbed *= trace.feasible[step]
    np.maximum(perturbed, 0.0, out=perturbed)
    np.log(perturbed, out=perturbed)
    perturbed += noise
    pages = trace.pages
    if absent is not None:
        trace.absentee[step] = perturbed[pages, absent]
        perturbed[pages, absent] = -np.inf
    picks = perturbed.argmax(axis=1)
    tops = perturbed[pages, picks]
    trace.top[step] = tops
    trace.pick[step] = np.where(tops > -np.inf, picks, perturbed.shape[1])


def _choose_again(
    table: Table,
    trace: Trace,
    step: int,
    absent: NDArray[np.int64] | None,
    pages: NDArray[np.bool_],
) -> None:
    """Choose by score on the given pages; the others, and the absentee's own worth, stay."""
    kept = [row[step].copy() for row in (trace.pick, trace.top, trace.perturbed, trace.absentee)]
    _choose(trace, step, absent, table.score, table.noise.on_score[step])
    trace.pick[step][~pages] = kept[0][~pages]
    trace.top[step][~pages] = kept[1][~pages]
    trace.perturbed[step][~pages] = kept[2][~pages]
    trace.absentee[step] = kept[3]
