"""What the shop's log hears of it: clicks, carts, purchases and ratings as events."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.schema import Decision, ShopEvent
from endcap.simulate.later import Due, rating_of
from endcap.simulate.noise import derive
from endcap.simulate.outcomes import PageReader
from endcap.simulate.responses import Pages, Responses, page_keys
from endcap.simulate.state import ShopState
from endcap.simulate.timeline import Timeline


@dataclass(frozen=True)
class ClickLog:
    """A round's pages and all that came of them at once."""

    pages: Pages
    responses: Responses
    timeline: Timeline
    decisions: Sequence[Decision]
    user_ids: NDArray[np.object_]


def click_events(
    state: ShopState, reader: PageReader, log: ClickLog
) -> tuple[list[ShopEvent], list[Due]]:
    """Return the clicks and carts of a round, and the purchases that will follow."""
    events: list[ShopEvent] = []
    dues: list[Due] = []
    pages, responses, timeline = log.pages, log.responses, log.timeline
    luck = derive(page_keys(state.config.seed, pages)[responses.row], responses.place)
    for number, page in enumerate(responses.row.tolist()):
        click = _click(state, reader, log, number)
        events.append(click)
        item = int(pages.item[page, responses.place[number]])
        price = int(state.price_micros[item])
        if responses.cart[number]:
            cart_us = int(timeline.cart_us[number])
            events.append(_follow(state, click, "add_to_cart", cart_us, price))
        if responses.purchase[number]:
            due = Due(
                due_us=int(timeline.left_us[number] + responses.delay_us[number]),
                kind="purchase",
                shopper=int(pages.shopper[page]),
                item=item,
                price_micros=price,
                luck=int(luck[number]),
                source=click,
            )
            dues.append(due)
    return events, dues


def _click(state: ShopState, reader: PageReader, log: ClickLog, number: int) -> ShopEvent:
    page, place = int(log.responses.row[number]), int(log.responses.place[number])
    placement, slot = reader.places[place]
    item, campaign = int(log.pages.item[page, place]), int(log.pages.campaign[page, place])
    return ShopEvent(
        user_id=log.user_ids[page],
        event_type="click",
        timestamp_us=int(log.timeline.click_us[number]),
        item_id=reader.item_ids[item],
        event_id=state.next_event_id(),
        dwell_ms=int(log.responses.observed_ms[number]),
        censored=bool(log.responses.censored[number]),
        placement=placement,
        slot=slot,
        decision_id=log.decisions[page].decision_id,
        campaign_id=reader.campaign_ids[campaign] if campaign >= 0 else None,
        price_micros=int(state.price_micros[item]),
    )


def _follow(
    state: ShopState,
    click: ShopEvent,
    event_type: str,
    timestamp_us: int,
    price_micros: int,
    rating: float | None = None,
) -> ShopEvent:
    return ShopEvent(
        user_id=click.user_id,
        event_type=event_type,
        timestamp_us=timestamp_us,
        item_id=click.item_id,
        event_id=state.next_event_id(),
        placement=click.placement,
        slot=click.slot,
        decision_id=click.decision_id,
        campaign_id=click.campaign_id,
        price_micros=price_micros,
        rating=rating,
    )


def later_event(state: ShopState, due: Due) -> ShopEvent | None:
    """Return what a shopper does now, after all that he did before; None if it is sold out."""
    after_us = int(state.memory.free_at_us[due.shopper]) + 1
    when_us = max(due.due_us, after_us)
    if due.kind == "rating":
        rating = float(rating_of(state.mind, due))
        return _follow(state, due.source, "rating", when_us, due.price_micros, rating)
    if not state.has_stock(due.item):
        return None
    return _follow(state, due.source, "purchase", when_us, due.price_micros)
