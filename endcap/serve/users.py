"""`/v1/users`: what a person may ask of a shop."""

import asyncio
from typing import Annotated

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Struct

from endcap.serve.bodies import decode, read
from endcap.serve.callers import Callers
from endcap.serve.described import answer, body
from endcap.serve.events import Id
from endcap.serve.problems import examples
from endcap.store import Erased, Scope, Store


class UserIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """A person, in the body, so that no log of addresses names them."""

    user_id: Annotated[Id, msgspec.Meta(description="Who is to be forgotten.")]


ERASED = {"events": 214, "history": True, "records": 31}

_user = msgspec.json.Decoder(UserIn)


def routes(store: Store, callers: Callers) -> APIRouter:
    """Return the routes of people."""
    router = APIRouter(tags=["users"])

    @router.delete(
        "/v1/users",
        openapi_extra=body(UserIn, {"user_id": "u1"}),
        responses={
            200: answer(Erased, ERASED, "What was forgotten; nothing names the person now."),
            **examples(400, 401, 403, 408, 413, 422, 503),
        },
    )
    async def erase(request: Request) -> Response:
        """Forget a person: their id, key, history and events.

        Records of pages stay, under a key that is nobody's now. A model that was fitted before
        holds the person until the next fit.
        """
        callers.allow(request, Scope.ADMIN)
        told = decode(await read(request), UserIn, _user)
        # What was sent before must have reached the state, or it would bring the person back.
        await asyncio.wrap_future(store.settled())
        erased = store.erase(told.user_id)
        await asyncio.to_thread(store.checkpoint)
        return Response(msgspec.json.encode(erased), media_type="application/json")

    return router
