"""One page decision as arrays: all that the page rule reads, and nothing else."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.errors import QueryError
from endcap.schema import Decision, PageConfig


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Slots in order of examination (a step fills a slot), candidates in an order blind to bids."""

    placement: NDArray[np.int64]
    """[L] code of each step's placement, a column of `allowed`."""
    slot: NDArray[np.int64]
    """[L] number of the slot inside its placement, from 0."""
    examination: NDArray[np.float64]
    """[L] chance that the slot is looked at, never rising from step to step."""
    item: NDArray[np.int64]
    """[N] identity: an ad and a product of one item share it, and a page shows it once."""
    is_ad: NDArray[np.bool_]
    h_micros: NDArray[np.float64]
    """[N] worth to the shop without payment, per examined view."""
    q: NDArray[np.float64]
    """[N] P(click | examined)."""
    bid_micros: NDArray[np.float64]
    """[N] per click; 0 for a product."""
    kappa: NDArray[np.float64]
    """[N] pacing factor in (0, 1]."""
    category: NDArray[np.int64]
    """[N] codes that agree or differ; a negative code is unknown and agrees with nobody."""
    brand: NDArray[np.int64]
    seller: NDArray[np.int64]
    allowed: NDArray[np.bool_]
    """[N, P] whether a candidate may stand in a placement."""
    page: PageConfig
    key: bytes
    """Of the noise: what `noise_key` gave, and the record kept."""
    explore: bool

    def __post_init__(self) -> None:
        if np.any(np.diff(self.examination) > 0):
            raise QueryError(
                "slots must stand in order of examination, the most looked at first; "
                "sort them before solving."
            )

    @property
    def num_steps(self) -> int:
        """Count the slots, L."""
        return len(self.slot)

    @property
    def num_candidates(self) -> int:
        """Count the candidates, N."""
        return len(self.item)

    @property
    def temperature(self) -> float:
        """Return T, the scale of the noise on the logarithm of the score."""
        return self.page.temperature if self.explore else 0.0

    @property
    def epsilon(self) -> float:
        """Return the chance, per step, of a pick that ignores bids."""
        return self.page.epsilon if self.explore else 0.0

    @property
    def reserve_micros(self) -> float:
        """Return the least paced bid of an eligible ad; its click never costs less."""
        return float(self.page.reserve_micros)

    @property
    def paced_micros(self) -> NDArray[np.float64]:
        """Return kappa * bid, the offer with which an ad competes and which its price respects."""
        return self.kappa * self.bid_micros

    @property
    def score_micros(self) -> NDArray[np.float64]:
        """Return s = h + q kappa b, per examined view."""
        return self.h_micros + self.q * self.paced_micros


def problem_of(decision: Decision) -> Problem:
    """Rebuild the problem that a record answers, from the record alone.

    Bit p of `Shortlist.allowed` is the p-th placement by first appearance in `Slots.placement`.

    Raises:
        QueryError: the record keeps no noise key.
    """
    slots, rows = decision.slots, decision.shortlist
    code = {name: p for p, name in enumerate(dict.fromkeys(slots.placement))}
    bits = np.array(rows.allowed, dtype=np.int64)
    return Problem(
        placement=np.array([code[name] for name in slots.placement], dtype=np.int64),
        slot=np.array(slots.slot, dtype=np.int64),
        examination=np.array(slots.examination, dtype=np.float64),
        item=np.array(rows.item, dtype=np.int64),
        is_ad=np.array([name is not None for name in rows.campaign_id], dtype=bool),
        h_micros=np.array(rows.h_micros, dtype=np.float64),
        q=np.array(rows.q, dtype=np.float64),
        bid_micros=np.array(rows.bid_micros, dtype=np.float64),
        kappa=np.array(rows.kappa, dtype=np.float64),
        category=np.array(rows.category, dtype=np.int64),
        brand=np.array(rows.brand, dtype=np.int64),
        seller=np.array(rows.seller, dtype=np.int64),
        allowed=(bits[:, None] >> np.arange(len(code))) % 2 == 1,
        page=decision.page,
        key=_key_of(decision),
        explore=decision.explore,
    )


def _key_of(decision: Decision) -> bytes:
    """Read the noise key; a cut one would replay another page without a word."""
    if not re.fullmatch(r"[0-9a-f]{64}", decision.noise_key):
        raise QueryError(
            f"Decision {decision.decision_id!r} cannot be replayed: its noise_key must be 64 "
            f"hexadecimal digits, got {decision.noise_key!r}; records of Engine.decide keep one."
        )
    return bytes.fromhex(decision.noise_key)
