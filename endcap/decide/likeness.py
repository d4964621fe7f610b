"""What picking one candidate does to the others: who is the same item, who is like it."""

import numpy as np
from numpy.typing import NDArray

from endcap.decide.problem import Problem

SAME_CATEGORY = 0.7
SAME_BRAND = 0.3
FEW = 128
"""Up to so many candidates all rows are worked out at once; beyond, each when first needed."""


class Likeness:
    """Matrices [N + 1, N], one row per pick; row N stands for a slot left empty, like nobody.

    With many ads only the rows of picks are ever worked out, so the cost does not grow with N^2.
    """

    def __init__(self, problem: Problem) -> None:
        count = problem.num_candidates
        self._codes = [
            _own_codes(codes)
            for codes in (problem.item, problem.category, problem.brand, problem.seller)
        ]
        shape = (count + 1, count)
        self.other_item = np.empty(shape)
        """0 where the pick is the same item, else 1."""
        self.similarity = np.empty(shape)
        """0 to 1."""
        self.same_category = np.empty(shape)
        self.same_seller = np.empty(shape)
        self.other_item[count] = 1.0
        for matrix in (self.similarity, self.same_category, self.same_seller):
            matrix[count] = 0.0
        self._ready = np.zeros(count + 1, dtype=bool)
        self._ready[count] = True
        self._is_complete = count <= FEW
        if self._is_complete:
            self._work_out(slice(0, count))

    def need(self, picks: NDArray[np.int64]) -> None:
        """Work out the rows of these picks."""
        if self._is_complete:
            return
        for row in picks.tolist():
            if not self._ready[row]:
                self._work_out(slice(row, row + 1))
                self._ready[row] = True

    def _work_out(self, rows: slice) -> None:
        item, category, brand, seller = self._codes
        self.other_item[rows] = item[rows, None] != item
        self.same_category[rows] = category[rows, None] == category
        self.same_seller[rows] = seller[rows, None] == seller
        self.similarity[rows] = SAME_CATEGORY * self.same_category[rows]
        self.similarity[rows] += SAME_BRAND * (brand[rows, None] == brand)


def _own_codes(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give every unknown (negative) code a number of its own, so that it agrees with nobody."""
    return np.where(codes < 0, -1 - np.arange(len(codes)), codes)
