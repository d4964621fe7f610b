"""`POST /v1/events`: what shoppers did, one event or many."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct

from endcap.engine import Observed
from endcap.errors import SchemaError
from endcap.schema import ShopEvent, to_micros
from endcap.schema.events import UNKNOWN
from endcap.serve.bodies import UNEXPECTED, decode, read, reason_of
from endcap.serve.callers import MAX_BROWSER_EVENTS, Callers
from endcap.serve.described import answer, body
from endcap.serve.intake import Intake
from endcap.serve.problems import RequestError, examples
from endcap.serve.watching import Watching
from endcap.store import Scope

MAX_EVENTS = 10_000
"""Of one request."""

DAY_US = 86_400_000_000
EARLIEST_US = 946_684_800_000_000
"""1 January 2000: an earlier instant is that of a clock which was never set."""

Id = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$")]
Whole = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class EventIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Something a shopper did."""

    user_id: Id
    event_type: Id
    """impression, view, click, add_to_cart, ..., purchase, or a kind of the shop's own."""
    item_id: Id | None = None
    timestamp: str | int | float | None = None
    """RFC 3339 with an offset, or an epoch in seconds, ms or us; now when absent."""
    event_id: Id | None = None
    """An event sent twice counts once; without one, its content names it."""
    decision_id: Id | None = None
    placement: Id | None = None
    slot: Annotated[int, Meta(ge=0, le=254)] | None = None
    campaign_id: Id | None = None
    dwell_ms: Whole | None = None
    censored: bool = False
    price: Decimal | None = None
    """In the shop's currency."""
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    rating: Annotated[float, Meta(ge=-1e6, le=1e6)] | None = None
    token: Annotated[str, Meta(max_length=64)] | None = None
    """That of the slot, where a browser tells of a click on an ad."""


class Rejected(Struct, kw_only=True):
    """An event that was not taken; the others were."""

    index: int
    reason: str


class Receipt(Struct, kw_only=True):
    """What became of the events."""

    accepted: int
    duplicate: int
    rejected: list[Rejected]
    unknown_items: int
    """Accepted events whose item the catalogue does not hold."""
    took_ms: float


EXAMPLE = {
    "user_id": "u1",
    "event_type": "click",
    "item_id": "i7",
    "timestamp": "2026-11-24T19:00:00Z",
    "event_id": "c-123",
}
RECEIPT = {"accepted": 1, "duplicate": 0, "rejected": [], "unknown_items": 0, "took_ms": 3.1}

_raws = msgspec.json.Decoder(list[msgspec.Raw])
_event = msgspec.json.Decoder(EventIn)


def routes(intake: Intake, callers: Callers, watching: Watching) -> APIRouter:
    """Return the routes of events."""
    router = APIRouter(tags=["events"])

    @router.post(
        "/v1/events",
        openapi_extra=body(EventIn | list[EventIn], [EXAMPLE]),
        responses={
            200: answer(Receipt, RECEIPT, "They are on disk, and the next page knows them."),
            **examples(400, 401, 403, 408, 413, 422, 503),
        },
    )
    async def take_events(request: Request) -> Response:
        """Take in one event, or a list of them.

        What is accepted is on disk when this answers. An event that cannot be read is told by its
        place in the list; the others are taken.
        """
        with watching.time("events"):
            began = time.perf_counter()
            caller = callers.allow(request, Scope.EVENTS, Scope.BROWSER)
            is_browser = caller is not None and Scope.EVENTS not in caller.scopes
            rules = Rules(callers.refuse, MAX_BROWSER_EVENTS) if is_browser else ANY
            events, rejected = parse(await read(request), time.time_ns() // 1_000, rules)
            if is_browser:
                events = [callers.of_browser(event) for event in events]
            observed = await intake.take(events)
            took_s = time.perf_counter() - began
            watching.events(observed, len(rejected), took_s=took_s)
            receipt = receipt_of(observed, rejected, took_s)
            return Response(msgspec.json.encode(receipt), media_type="application/json")

    return router


def receipt_of(observed: Observed, rejected: list[Rejected], took_s: float) -> Receipt:
    """Return what became of a request's events."""
    return Receipt(
        accepted=observed.accepted,
        duplicate=observed.repeated,
        rejected=rejected,
        unknown_items=observed.unknown_items,
        took_ms=round(took_s * 1_000, 3),
    )


@dataclass(frozen=True)
class Rules:
    """What a caller may send."""

    refuse: Callable[[ShopEvent, str | None], str | None]
    """Says why an event with some token may not be sent, None if it may."""
    most: int
    """Events of one request."""


ANY = Rules(lambda _event, _token: None, MAX_EVENTS)


def parse(told: bytes, now_us: int, rules: Rules = ANY) -> tuple[list[ShopEvent], list[Rejected]]:
    """Read events; those that cannot be read, or may not be sent, are told apart.

    Raises:
        RequestError: the body is no JSON, or holds too many.
    """
    lines = decode(told, list, _raws) if told.lstrip()[:1] == b"[" else [msgspec.Raw(told)]
    if len(lines) > rules.most:
        raise RequestError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"A request may hold {rules.most:,} events, got {len(lines):,}; send them in parts.",
        )
    events, rejected = [], []
    for index, line in enumerate(lines):
        try:
            sent = _event.decode(line)
            event = event_of(sent, now_us)
            if (reason := rules.refuse(event, sent.token)) is None:
                events.append(event)
            else:
                rejected.append(Rejected(index=index, reason=reason))
        except UNEXPECTED as error:
            rejected.append(Rejected(index=index, reason=reason_of(error, EventIn, "The event")))
        except SchemaError as error:
            rejected.append(Rejected(index=index, reason=str(error)))
        except msgspec.DecodeError as error:
            raise RequestError(HTTPStatus.BAD_REQUEST, f"The body must be JSON: {error}.") from None
    return events, rejected


def event_of(told: EventIn, now_us: int) -> ShopEvent:
    """Turn an event as it was sent into one of ours.

    Raises:
        SchemaError: a value is out of all bounds.
    """
    price = UNKNOWN if told.price is None else to_micros(told.price)
    if told.price is not None and price < 0:
        raise SchemaError(f"price must not be below 0, got {told.price}.")
    return ShopEvent(
        user_id=told.user_id,
        event_type=told.event_type,
        item_id=told.item_id,
        timestamp_us=_instant(told.timestamp, now_us),
        event_id=told.event_id,
        decision_id=told.decision_id,
        placement=told.placement,
        slot=told.slot,
        campaign_id=told.campaign_id,
        dwell_ms=UNKNOWN if told.dwell_ms is None else told.dwell_ms,
        censored=told.censored,
        price_micros=price,
        quantity=told.quantity,
        rating=told.rating,
    )


def _instant(told: str | float | None, now_us: int) -> int:
    if told is None:
        return now_us
    instant_us = _of_text(told) if isinstance(told, str) else _of_epoch(told)
    if not EARLIEST_US <= instant_us <= now_us + DAY_US:
        raise SchemaError(
            f"timestamp must lie between the year 2000 and tomorrow, got {told!r}; "
            f"set the clock that told it, or leave it out."
        )
    return instant_us


def _of_text(text: str) -> int:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise SchemaError(
            f"timestamp must be RFC 3339 with an offset, such as 2026-11-24T19:00:00Z, "
            f"or an epoch; got {text[:40]!r}."
        )
    return round(instant.timestamp() * 1_000_000)


def _of_epoch(number: float) -> int:
    """Tell the unit of an epoch by its size, as a log's import does."""
    for limit, scale in ((1e11, 1_000_000), (1e14, 1_000)):
        if abs(number) < limit:
            return round(number * scale)
    return round(number)
