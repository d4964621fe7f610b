"""Why a slot holds what it holds: an explanation worked out from the record alone."""

from dataclasses import dataclass
from html import escape

import numpy as np

from endcap.decide import (
    Choice,
    Problem,
    attention_share,
    least_bids,
    problem_of,
    share_without,
    solve,
)
from endcap.errors import QueryError
from endcap.schema import Decision


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A slot's reasons as sentences; money in micros, rates per examined view or per click."""

    headline: str
    value: tuple[str, ...]
    """Terms of h, and of the score."""
    choice: tuple[str, ...]
    """Redundancy, chance, runner-up, attention."""
    price: tuple[str, ...]
    """Derivation of an ad's price, and the bid that would have changed the slot."""
    filters: tuple[str, ...]
    """Candidates found, dropped by reason, valued; what was degraded."""

    @property
    def lines(self) -> tuple[str, ...]:
        """List all sentences in reading order."""
        return (self.headline, *self.value, *self.choice, *self.price, *self.filters)

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def _repr_html_(self) -> str:
        further = "".join(f"<li>{escape(line)}</li>" for line in self.lines[1:])
        return f"<p><strong>{escape(self.headline)}</strong></p><ul>{further}</ul>"


@dataclass(frozen=True, kw_only=True)
class _Case:
    decision: Decision
    problem: Problem
    choice: Choice
    step: int
    row: int

    def name(self, row: int) -> str:
        listed = self.decision.shortlist
        campaign_id = listed.campaign_id[row]
        return listed.item_id[row] + (f" (ad of {campaign_id})" if campaign_id else "")


def explain(decision: Decision, slot: int, placement: str | None = None) -> Explanation:
    """Explain one slot from the record alone; without a placement, of the page's first.

    Raises:
        QueryError: the page has no such slot, nothing stands in it, or the record keeps no noise
            key or was changed.
    """
    case = _case_of(decision, slot, placement or decision.slots.placement[0])
    place = decision.slots.placement[case.step]
    return Explanation(
        headline=f"{case.name(case.row)} stands in slot {slot} of {place!r}, "
        f"chosen by {decision.policy} with model {decision.model_version}.",
        value=_value_lines(case),
        choice=_choice_lines(case),
        price=_price_lines(case),
        filters=_filter_lines(decision),
    )


def _case_of(decision: Decision, slot: int, place: str) -> _Case:
    """Solve the record again, and hold the slot against what it says stood there."""
    held = {chosen.slot: chosen.row for chosen in decision.items_of(place)}
    if slot not in held:
        raise QueryError(
            f"Nothing stands in slot {slot} of {place!r} of decision {decision.decision_id}; "
            f"its filled slots are {list(held)}."
        )
    slots = zip(decision.slots.placement, decision.slots.slot, strict=True)
    step = list(slots).index((place, slot))
    problem = problem_of(decision)
    choice = solve(problem)
    if choice.row[step] != held[slot]:
        raise QueryError(
            f"Decision {decision.decision_id} does not replay: slot {slot} of {place!r} holds "
            f"row {held[slot]} in the record and row {choice.row[step]} when solved again; "
            f"the record was changed, or another version of Endcap made it."
        )
    return _Case(decision=decision, problem=problem, choice=choice, step=step, row=held[slot])


def _value_lines(case: _Case) -> tuple[str, ...]:
    listed, rates, row = case.decision.shortlist, case.decision.value, case.row
    q, dwell, buy = listed.q[row], listed.dwell_ms[row], listed.buy[row]
    per_second = rates.dwell_micros_per_second
    lines = [
        f"q = {q:.4f}: chance of a click once looked at.",
        f"Of a click: {rates.click_micros} for itself "
        f"+ {per_second} x {dwell / 1000:.1f} s of dwell = {per_second * dwell / 1000:.0f} "
        f"+ {buy:.4f} chance of purchase x margin {listed.margin_micros[row]} "
        f"= {buy * listed.margin_micros[row]:.0f}.",
        f"h = {listed.h_micros[row]:.1f}: q times these, less harm {listed.harm_micros[row]}.",
    ]
    if listed.campaign_id[row]:
        score = float(case.problem.score_micros[row])
        lines.append(
            f"Bid {listed.bid_micros[row]} x pacing {listed.kappa[row]:.3f} x q: "
            f"score s = {score:.1f}."
        )
    return tuple(lines)


def _choice_lines(case: _Case) -> tuple[str, ...]:
    choice, step = case.choice, case.step
    lost = float(choice.redundancy_micros[step])
    how = "worth alone (exploration, bids ignored)" if choice.ignores_bids[step] else "score"
    lines = [
        f"Likeness to what was picked before takes {lost:.1f} off.",
        f"Picked by {how}; its chance given the slots before was {choice.propensity[step]:.4f}.",
    ]
    second = int(choice.runner_up[step])
    lines.append(
        f"Next in line was {case.name(second)}." if second >= 0 else "Nobody else could stand here."
    )
    held = np.array([chosen.attention_ms for chosen in case.decision.chosen])
    index = [chosen.row for chosen in case.decision.chosen].index(case.row)
    share = float(attention_share(held)[index])
    others = float(np.max(share_without(held, index) - attention_share(held), initial=0.0))
    lines.append(
        f"It is expected to hold the shopper {held[index]:.0f} ms, {share:.1%} of the page; "
        f"it takes at most {others:.1%} from any one other slot."
    )
    return tuple(lines)


def _price_lines(case: _Case) -> tuple[str, ...]:
    choice, step = case.choice, case.step
    if not case.problem.is_ad[case.row]:
        return _losing_bid(case)
    kappa = float(case.problem.kappa[case.row])
    critical = float(choice.critical_micros[step])
    return (
        f"A click costs {choice.price_micros[step]}: the average of the least paced bids that hold "
        f"this slot and each later one, weighted by the examination each adds; reserve "
        f"{case.problem.page.reserve_micros}.",
        f"The least bid that holds this slot is {critical / kappa:.0f} "
        f"(paced {critical:.0f}); the bid is {case.problem.bid_micros[case.row]:.0f}.",
    )


def _losing_bid(case: _Case) -> tuple[str, ...]:
    """Tell which absent ad could have had a product's slot for the least bid."""
    absent = case.problem.is_ad.copy()
    absent[case.choice.row[case.choice.row >= 0]] = False
    offers: list[tuple[float, int]] = []
    for row in np.flatnonzero(absent).tolist():
        needed = float(least_bids(case.problem, row)[case.step])
        if np.isfinite(needed):
            offers.append((needed / float(case.problem.kappa[row]), row))
    if not offers:
        return ("A product: nothing is charged. No absent ad could have stood here at any bid.",)
    bid, row = min(offers)
    return (
        f"A product: nothing is charged. {case.name(row)} bid "
        f"{case.problem.bid_micros[row]:.0f}; "
        f"{bid:.0f} would have won this slot or an earlier one.",
    )


def _filter_lines(decision: Decision) -> tuple[str, ...]:
    reasons = ", ".join(f"{name} {count}" for name, count in decision.dropped.items()) or "none"
    return (
        f"Candidates: found {decision.found}, dropped {reasons}, valued {decision.valued}.",
        *decision.degraded,
    )
