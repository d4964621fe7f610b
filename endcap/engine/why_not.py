"""Why an item does not stand on a page: worked out from the record alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.decide import problem_of
from endcap.schema import Decision


@dataclass(frozen=True, kw_only=True)
class Absence:
    """Where an item came to stand, or what kept it off the page; money in micros."""

    item_id: str
    is_shown: bool
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(self.lines)


def explain_absence(decision: Decision, item_id: str) -> Absence:
    """Say what kept an item off a page; a record holds its shortlist, and counts of the rest."""
    shown = [each for each in decision.chosen if each.item_id == item_id]
    if shown:
        lines = [f"{item_id} stands in slot {e.slot} of {e.placement!r}." for e in shown]
        return Absence(item_id=item_id, is_shown=True, lines=tuple(lines))
    rows = [row for row, listed in enumerate(decision.shortlist.item_id) if listed == item_id]
    told = _outside(decision, item_id) if not rows else _listed(decision, rows)
    return Absence(item_id=item_id, is_shown=False, lines=tuple(told))


def _outside(decision: Decision, item_id: str) -> list[str]:
    dropped = ", ".join(f"{name} {count}" for name, count in decision.dropped.items()) or "none"
    worth = decision.shortlist.h_micros
    least = f"; its least worth is h = {min(worth):.1f}" if worth else ""
    return [
        f"{item_id} is not on the shortlist of {len(worth)} candidates{least}.",
        f"It was not among the {decision.found} candidates found, or was dropped by a filter, "
        f"or was worth less. Dropped: {dropped}; valued: {decision.valued}.",
    ]


def _listed(decision: Decision, rows: list[int]) -> list[str]:
    listed, problem = decision.shortlist, problem_of(decision)
    names = list(dict.fromkeys(decision.slots.placement))
    scores = problem.score_micros
    lines = []
    for row in rows:
        campaign_id = listed.campaign_id[row]
        name = listed.item_id[row] + (f" (ad of {campaign_id})" if campaign_id else "")
        where = [place for bit, place in enumerate(names) if listed.allowed[row] >> bit & 1]
        lines.append(
            f"{name} was valued: q = {listed.q[row]:.4f}, h = {listed.h_micros[row]:.1f}, "
            f"score s = {scores[row]:.1f}, {_rank(scores, row)} of {len(scores)}; "
            f"it may stand in {', '.join(where) or 'no placement of this page'}."
        )
        lines += [
            f"{place!r} went to scores down to "
            f"{min(scores[each.row] for each in decision.items_of(place)):.1f}."
            for place in where
            if decision.items_of(place)
        ]
    lines.append(
        "Likeness to what was picked before, rules of the page and exploration do the rest; "
        "the reasons of a slot say how it was filled."
    )
    return lines


def _rank(scores: NDArray[np.float64], row: int) -> str:
    return f"place {int(np.sum(scores > scores[row])) + 1}"
