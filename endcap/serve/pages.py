"""`POST /v1/page`: what stands in which slot of a page."""

import asyncio
import time
from typing import Annotated

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct

from endcap.engine import Engine
from endcap.errors import QueryError
from endcap.schema import Chosen, Decision, Query
from endcap.serve.bodies import decode, read
from endcap.serve.callers import Callers
from endcap.serve.described import answer, body
from endcap.serve.events import Id
from endcap.serve.problems import examples
from endcap.serve.watching import Watching
from endcap.store import Scope, Store

MAX_SLOTS = 200
"""Of one page."""


class PageIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """One page view that needs items."""

    user_id: Id
    placements: dict[Id, Annotated[int, Meta(ge=1, le=MAX_SLOTS)]]
    """Slots wanted, by placement."""
    device: Annotated[str, Meta(max_length=32)] = "unknown"
    """desktop or mobile."""
    categories: Annotated[list[Id], Meta(max_length=100)] = []
    """Only items below one of these category paths."""
    exclude: Annotated[list[Id], Meta(max_length=10_000)] = []
    """Items that must not be shown."""
    ads: bool = True
    explore: bool = True
    personal: bool = True
    """False for a shopper who wants the page of a stranger."""
    decision_id: Id | None = None
    """A request that is sent again under its id gets the same page again."""


class SlotOut(Struct, kw_only=True):
    """What stands in a slot."""

    slot: int
    item_id: str
    source: str
    """Why the item was looked at: retrieved, catalogue, popular, bought_before, new, campaign."""
    is_ad: bool
    campaign_id: str | None = None
    token: str | None = None
    """Of an ad: a click that a browser tells of must bear it."""


class PageOut(Struct, kw_only=True):
    """A page; its events name its `decision_id`."""

    decision_id: str
    model_version: str
    policy: str
    placements: dict[str, list[SlotOut]]
    degraded: list[str]
    """What could not be done as usual, and what was done instead."""
    took_ms: float


EXAMPLE = {"user_id": "u1", "placements": {"home": 2}}
PAGE = {
    "decision_id": "5f0c8d1c2b7a4e9d8c1f0a2b",
    "model_version": "bd544e144bd6",
    "policy": "endcap",
    "placements": {
        "home": [
            {"slot": 0, "item_id": "i7", "source": "retrieved", "is_ad": False},
            {
                "slot": 1,
                "item_id": "i2",
                "source": "campaign",
                "is_ad": True,
                "campaign_id": "c1",
                "token": "3f9a0c5be1d24c7788aa01b2c3d4e5f6",
            },
        ]
    },
    "degraded": [],
    "took_ms": 6.2,
}

_page = msgspec.json.Decoder(PageIn)


def routes(engine: Engine, store: Store, callers: Callers, watching: Watching) -> APIRouter:
    """Return the routes of pages."""
    router = APIRouter(tags=["pages"])

    @router.post(
        "/v1/page",
        openapi_extra=body(PageIn, EXAMPLE),
        responses={
            200: answer(PageOut, PAGE, "The page, by placement and slot."),
            **examples(400, 401, 403, 408, 413, 422, 503),
        },
    )
    async def make_page(request: Request) -> Response:
        """Choose products and ads for all slots of one page view.

        The record of a page with ads or exploration is on disk when this answers.
        """
        with watching.time("page"):
            began = time.perf_counter()
            callers.allow(request, Scope.DECIDE)
            query = query_of(decode(await read(request), PageIn, _page))
            store.check_room()
            decision = engine.decide(query)
            if store.must_wait(decision):
                await asyncio.wrap_future(store.settled())
            watching.page(decision)
            page = page_of(decision, callers, took_ms=_ms_since(began))
            return Response(msgspec.json.encode(page), media_type="application/json")

    return router


def query_of(told: PageIn) -> Query:
    """Turn a request into the engine's words.

    Raises:
        QueryError: the placements have too many slots together.
    """
    if (slots := sum(told.placements.values())) > MAX_SLOTS:
        raise QueryError(
            f"placements may have {MAX_SLOTS} slots together, got {slots}; ask for the rest as "
            f"another page."
        )
    return Query(
        user_id=told.user_id,
        placements=told.placements,
        device=told.device,
        categories=tuple(told.categories),
        exclude=tuple(told.exclude),
        ads=told.ads,
        explore=told.explore,
        personal=told.personal,
        decision_id=told.decision_id,
    )


def page_of(decision: Decision, callers: Callers, *, took_ms: float) -> PageOut:
    """Return what a caller may see of a decision: no bid, no price, no margin."""
    names = dict.fromkeys(decision.slots.placement)
    placements = {
        name: [
            _slot(chosen, callers.token(decision.decision_id, name, chosen.slot))
            for chosen in decision.items_of(name)
        ]
        for name in names
    }
    return PageOut(
        decision_id=decision.decision_id,
        model_version=decision.model_version,
        policy=decision.policy,
        placements=placements,
        degraded=decision.degraded,
        took_ms=took_ms,
    )


def _slot(chosen: Chosen, token: str) -> SlotOut:
    is_ad = chosen.campaign_id is not None
    return SlotOut(
        slot=chosen.slot,
        item_id=chosen.item_id,
        source=chosen.source,
        is_ad=is_ad,
        campaign_id=chosen.campaign_id,
        token=token if is_ad else None,
    )


def _ms_since(began: float) -> float:
    return round((time.perf_counter() - began) * 1_000, 3)
