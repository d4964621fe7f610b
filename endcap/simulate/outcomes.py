"""From decisions to pages, and from responses to what they were worth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.schema import Decision
from endcap.simulate.noise import F64, I64
from endcap.simulate.record import PageOutcomes, ShownSlots
from endcap.simulate.responses import Pages, Responses
from endcap.simulate.state import ShopState
from endcap.simulate.truth import Mind

WINDOW_US = 7 * 24 * 3_600 * 1_000_000
"""Purchases later than this after the click are nobody's merit."""


@dataclass(frozen=True)
class Shown:
    """What decisions put where; arrays [N, L] in the order of the world's layout."""

    item: I64
    """-1 is an empty slot."""
    campaign: I64
    price_micros: I64
    propensity: F64


class PageReader:
    """Turns decisions into rows of the world."""

    def __init__(self, state: ShopState) -> None:
        places = [(p.name, slot) for p in state.config.placements for slot in range(p.slots)]
        self.places = places
        self._place = {place: number for number, place in enumerate(places)}
        self.item_ids = state.catalogue().item_ids
        self._item = {str(item_id): row for row, item_id in enumerate(self.item_ids)}
        self.campaign_ids = [row.campaign_id for row in state.campaigns().rows]
        self._campaign = {name: row for row, name in enumerate(self.campaign_ids)}

    def read(self, decisions: Sequence[Decision]) -> Shown:
        """Return what stands on the pages."""
        shape = (len(decisions), len(self._place))
        item, campaign = np.full(shape, -1), np.full(shape, -1)
        price, propensity = np.zeros(shape, dtype=np.int64), np.full(shape, np.nan)
        for row, decision in enumerate(decisions):
            for chosen in decision.chosen:
                place = self._place[chosen.placement, chosen.slot]
                item[row, place] = self._item[chosen.item_id]
                if chosen.campaign_id is not None:
                    campaign[row, place] = self._campaign[chosen.campaign_id]
                    price[row, place] = chosen.price_micros
                propensity[row, place] = chosen.propensity
        return Shown(item, campaign, price, propensity)


def charge(state: ShopState, pages: Pages, responses: Responses, shown: Shown) -> I64:
    """Charge clicked ads within their daily budgets, in order of the clicks; return micros [K].

    A click that the rest of the budget does not cover is refused: it costs nothing.
    """
    row, place = responses.row, responses.place
    charged = np.zeros(len(row), dtype=np.int64)
    for number in np.flatnonzero(shown.campaign[row, place] >= 0):
        page = row[number]
        campaign = int(shown.campaign[page, place[number]])
        key = (campaign, state.day_of(int(pages.at_us[page])))
        price = int(shown.price_micros[page, place[number]])
        spent = state.spent_micros.get(key, 0) + price
        if spent <= state.advertisers.daily_budget_micros[campaign]:
            state.spent_micros[key] = spent
            charged[number] = price
    return charged


def outcomes_of(
    mind: Mind,
    pages: Pages,
    responses: Responses,
    shown: Shown,
    charged: I64,
    names: tuple[NDArray[np.object_], NDArray[np.object_]],
) -> PageOutcomes:
    """Add up what each page was worth; `names` are its decision ids and user ids."""
    count, row = len(pages), responses.row
    margin = (mind.price_micros - mind.goods.unit_cost_micros)[pages.item]
    in_time = responses.purchase & (responses.delay_us <= WINDOW_US)
    bought = np.where(in_time, margin[row, responses.place], 0)
    chance, truth = responses.chance.astype(np.float64), responses.truth
    return PageOutcomes(
        decision_id=names[0],
        user_id=names[1],
        shopper=pages.shopper,
        day=pages.day,
        session=pages.session,
        page=pages.page,
        at_us=pages.at_us,
        device=pages.device,
        ads=((shown.campaign >= 0) & (shown.item >= 0)).sum(axis=1),
        clicks=np.bincount(row, minlength=count),
        dwell_ms=_total(row, responses.dwell_ms, count),
        purchases=_total(row, in_time, count),
        margin_micros=_total(row, bought, count),
        ad_micros=_total(row, charged, count),
        expected_clicks=chance.sum(axis=1),
        expected_dwell_ms=(chance * truth.dwell_ms).sum(axis=1),
        expected_margin_micros=(chance * truth.buy * margin).sum(axis=1),
        expected_ad_micros=(chance * shown.price_micros).sum(axis=1),
    )


def _total(row: I64, amounts: NDArray[np.generic], count: int) -> I64:
    total = np.zeros(count, dtype=np.int64)
    np.add.at(total, row, amounts.astype(np.int64))
    return total


def shown_slots(
    reader: PageReader,
    pages: Pages,
    responses: Responses,
    shown: Shown,
    outcomes: PageOutcomes,
    first_row: int,
) -> ShownSlots:
    """List the filled slots; `first_row` is the run's number of the first of these pages."""
    row, place = np.nonzero(shown.item >= 0)
    campaigns = np.array([*reader.campaign_ids, ""], dtype=object)
    names = np.array([name for name, _ in reader.places], dtype=object)
    slots = np.array([slot for _, slot in reader.places])
    return ShownSlots(
        decision_id=outcomes.decision_id[row],
        user_id=outcomes.user_id[row],
        timestamp_us=pages.at_us[row],
        item_id=reader.item_ids[shown.item[row, place]],
        campaign_id=campaigns[shown.campaign[row, place]],
        placement=names[place],
        slot=slots[place],
        device=pages.device[row],
        propensity=shown.propensity[row, place],
        price_micros=shown.price_micros[row, place],
        chance=responses.chance[row, place].astype(np.float64),
        page_row=first_row + row,
    )
