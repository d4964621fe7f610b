"""The page's rules as masks. A rule reads the page so far, never a bid (but the ad's own reserve).

That is what keeps the slot monotone in the bid, and so the prices truthful: `ads.md` section 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.decide.likeness import Likeness
from endcap.decide.problem import Problem

Mask = NDArray[np.float64]
"""1 where allowed, 0 where not: masks multiply."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """A problem's rules, ready for many steps."""

    may_stand: Mask
    """[L, N] placement, ad-free slots and reserve: what no pick changes."""
    ads_near: NDArray[np.bool_]
    """[L, L] steps whose slots lie too close for two ads."""
    is_ad: NDArray[np.bool_]
    """[N + 1] the last stands for a slot left empty."""
    likeness: Likeness


def rules_of(problem: Problem) -> Rules:
    """Prepare the rules of a problem."""
    return Rules(
        may_stand=_may_stand(problem),
        ads_near=_ads_near(problem),
        is_ad=np.append(problem.is_ad, False),
        likeness=Likeness(problem),
    )


def _may_stand(problem: Problem) -> Mask:
    allowed = problem.allowed.T[problem.placement]
    eligible = ~problem.is_ad | (problem.paced_micros >= problem.reserve_micros)
    ad_slot = (problem.slot >= problem.page.ad_free_slots) & (problem.page.max_ads > 0)
    return (allowed & eligible & (ad_slot[:, None] | ~problem.is_ad)).astype(np.float64)


def _ads_near(problem: Problem) -> NDArray[np.bool_]:
    distance = np.abs(problem.slot[:, None] - problem.slot[None, :])
    together = problem.placement[:, None] == problem.placement[None, :]
    near: NDArray[np.bool_] = together & (distance <= problem.page.min_ad_gap)
    return near


class Shelf:
    """R pages of one problem being filled side by side, one step at a time.

    The main page is one of them; a page without an ad, for its price, is another.
    """

    def __init__(self, problem: Problem, rules: Rules, num_pages: int) -> None:
        self._page, self._rules = problem.page, rules
        shape = (num_pages, problem.num_candidates)
        self.similarity = np.zeros(shape)
        """[R, N] the largest to what is picked so far."""
        self._open = np.ones(shape)
        self._ads_closed = np.zeros((num_pages, problem.num_steps), dtype=bool)
        self._gap_steps: set[int] = set()
        self._num_ads = np.zeros(num_pages, dtype=np.int64)
        self._in_category = np.zeros(shape)
        self._of_seller = np.zeros(shape)
        self._is_product = np.where(problem.is_ad, 0.0, 1.0)

    def feasible(self, step: int, out: Mask) -> None:
        """Write who may stand at a step, [R, N], given what each page holds."""
        np.multiply(self._open, self._rules.may_stand[step], out=out)
        if step in self._gap_steps:
            out[self._ads_closed[:, step]] *= self._is_product

    def take(self, step: int, picks: NDArray[np.int64]) -> None:
        """Put a candidate on each page, [R]; N leaves the slot empty."""
        likeness, page = self._rules.likeness, self._page
        likeness.need(picks)
        self._open *= likeness.other_item[picks]
        if page.diversity > 0:
            np.maximum(self.similarity, likeness.similarity[picks], out=self.similarity)
        if page.max_per_category > 0:
            self._in_category += likeness.same_category[picks]
            self._open *= self._in_category < page.max_per_category
        if page.max_per_seller > 0:
            self._of_seller += likeness.same_seller[picks]
            self._open *= self._of_seller < page.max_per_seller
        ads = self._rules.is_ad[picks]
        if np.count_nonzero(ads):
            self._close_to_ads(step, ads)

    def _close_to_ads(self, step: int, ads: NDArray[np.bool_]) -> None:
        self._num_ads += ads
        near = self._rules.ads_near[step]
        self._ads_closed[ads] |= near
        self._gap_steps.update(np.flatnonzero(near).tolist())
        self._open[self._num_ads >= self._page.max_ads] *= self._is_product
