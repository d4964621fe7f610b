"""`/v1/decisions`: the record of a page, its reasons, and its replay."""

from dataclasses import asdict
from typing import Annotated

import msgspec
import numpy as np
from fastapi import APIRouter, Query, Request, Response
from msgspec import Struct

from endcap.engine import Engine, explain, explain_absence
from endcap.errors import QueryError
from endcap.schema import Decision, encode_decision
from endcap.serve.callers import Callers
from endcap.serve.described import answer
from endcap.serve.problems import examples
from endcap.store import Scope


class Why(Struct, kw_only=True):
    """The reasons of a slot as sentences; money in micros of the shop's currency."""

    headline: str
    value: list[str]
    choice: list[str]
    price: list[str]
    filters: list[str]


class WhyNot(Struct, kw_only=True):
    """What kept an item off a page."""

    item_id: str
    is_shown: bool
    lines: list[str]


class Replayed(Struct, kw_only=True):
    """Whether a record, solved again, gives the same page and the same predictions."""

    page_is_same: bool
    predictions_are_same: bool | None
    """None where the model cannot be asked again; `note` says why."""
    largest_difference: float | None
    """Of any click chance, between the record and the model now."""
    note: str


WHY = {
    "headline": "i7 stands in slot 0 of 'home', chosen by endcap with model bd544e144bd6.",
    "value": ["q = 0.0712: chance of a click once looked at."],
    "choice": ["Picked by score; its chance given the slots before was 1.0000."],
    "price": ["A product: nothing is charged."],
    "filters": ["Candidates: found 512, dropped bought 2, valued 510."],
}
WHY_NOT = {
    "item_id": "i9",
    "is_shown": False,
    "lines": ["i9 is not on the shortlist of 50 candidates; its least worth is h = 811.2."],
}
REPLAYED = {
    "page_is_same": True,
    "predictions_are_same": True,
    "largest_difference": 0.0,
    "note": "",
}
SAME = 1e-5
"""Click chances that differ by less are the same; a record keeps inputs as float32."""


def routes(engine: Engine, callers: Callers) -> APIRouter:
    """Return the routes of records."""
    router = APIRouter(tags=["decisions"], prefix="/v1/decisions")
    problems = examples(401, 403, 404, 422)

    def found(request: Request, decision_id: str) -> Decision:
        callers.allow(request, Scope.EXPLAIN)
        return engine.decision(decision_id)

    @router.get(
        "/{decision_id}",
        responses={200: {"description": "The record, as docs/types.md describes."}, **problems},
    )
    async def read_record(request: Request, decision_id: str) -> Response:
        """Return all that the page rule read, and what it gave."""
        return _json(encode_decision(found(request, decision_id)))

    @router.get(
        "/{decision_id}/why",
        responses={200: answer(Why, WHY, "The reasons of one slot."), **problems},
    )
    async def why(
        request: Request,
        decision_id: str,
        slot: Annotated[int, Query(ge=0, description="A place, from 0.")] = 0,
        placement: Annotated[str | None, Query(description="The first by default.")] = None,
    ) -> Response:
        """Say why a slot holds what it holds: value, choice, price, what was dropped."""
        told = explain(found(request, decision_id), slot, placement)
        return _json(msgspec.json.encode(asdict(told)))

    @router.get(
        "/{decision_id}/why-not",
        responses={200: answer(WhyNot, WHY_NOT, "What kept an item off the page."), **problems},
    )
    async def why_not(
        request: Request,
        decision_id: str,
        item_id: Annotated[str, Query(min_length=1, max_length=256)],
    ) -> Response:
        """Say what kept an item off the page."""
        told = explain_absence(found(request, decision_id), item_id)
        return _json(msgspec.json.encode(asdict(told)))

    @router.get(
        "/{decision_id}/replay",
        responses={200: answer(Replayed, REPLAYED, "Whether it replays."), **problems},
    )
    async def replay(request: Request, decision_id: str) -> Response:
        """Solve the record again, and ask the model again where it kept what the model read."""
        return _json(msgspec.json.encode(replayed(engine, found(request, decision_id))))

    return router


def replayed(engine: Engine, decision: Decision) -> Replayed:
    """Compare a record with what comes of it now."""
    difference, note = None, ""
    try:
        told = engine.replay_predictions(decision)
        difference = float(np.max(np.abs(told.q - np.array(decision.shortlist.q)), initial=0.0))
    except QueryError as error:
        note = str(error)
    return Replayed(
        page_is_same=engine.replay(decision) == decision,
        predictions_are_same=None if difference is None else difference < SAME,
        largest_difference=difference,
        note=note,
    )


def _json(line: bytes) -> Response:
    return Response(line, media_type="application/json")
