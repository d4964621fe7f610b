"""The chance with which each pick was made, exact: the softmax that Gumbel noise samples from."""

import numpy as np
from numpy.typing import NDArray

from endcap.decide.page import Table, Trace


def propensities(table: Table, trace: Trace) -> NDArray[np.float64]:
    """Return the chance of each step's pick given the picks before it, [L].

    It is the mixture (1 - epsilon) p + epsilon p0 over the step's feasible candidates, with
    p proportional to (s - redundancy)^(1/T) and p0 to (h - redundancy)^(1/T), whichever of the two
    the step used. Where nobody has worth, p0 is p. An empty slot has chance 1.

    Source: Plackett-Luce by Gumbel noise, https://arxiv.org/abs/1611.01144 section 2 (Gumbel-max).
    """
    problem = table.problem
    if problem.num_candidates == 0:
        return np.ones(problem.num_steps)
    feasible, redundancy = trace.feasible[:, 0], trace.redundancy[:, 0]
    picks = trace.pick[:, 0]
    usual = chances((table.score - redundancy) * feasible, problem.temperature)
    mixture = usual
    if problem.epsilon > 0:
        worth = (problem.h_micros - redundancy) * feasible
        blind = chances(worth, problem.temperature)
        somebody = (worth > 0).any(axis=1, keepdims=True)
        epsilon = problem.epsilon
        mixture = (1.0 - epsilon) * usual + epsilon * np.where(somebody, blind, usual)
    filled = picks < problem.num_candidates
    rows = np.where(filled, picks, 0)
    of_pick: NDArray[np.float64] = mixture[np.arange(len(rows)), rows]
    of_pick[~filled] = 1.0
    return of_pick


def chances(value: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Return P(pick) of each row's candidates, value^(1/T) normalised; T = 0 takes the first best.

    A row in which nothing is positive has no chances at all.
    """
    positive = np.greater(value, 0)
    somebody = np.any(positive, axis=1)
    if temperature == 0:
        sure = np.zeros(value.shape)
        sure[np.arange(len(value)), value.argmax(axis=1)] = 1.0
        sure[~somebody] = 0.0
        return sure
    with np.errstate(divide="ignore"):
        logits = np.log(np.where(positive, value, 0.0))
    largest = np.where(somebody, logits.max(axis=1), 0.0)
    weights = np.exp((logits - largest[:, None]) / temperature)
    total = np.where(somebody, weights.sum(axis=1), 1.0)
    weights /= total[:, None]
    return weights
