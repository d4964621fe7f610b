"""The application: routes over one engine and its store."""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from ipaddress import ip_address

import uvicorn
from fastapi import FastAPI, Response
from fastapi.middleware.cors import CORSMiddleware
from msgspec import Struct, json

from endcap.engine import Engine
from endcap.errors import ConfigError
from endcap.serve import decisions, events, pages, users, watching
from endcap.serve.callers import Callers
from endcap.serve.described import answer, describe
from endcap.serve.headers import SafeHeaders
from endcap.serve.intake import Intake
from endcap.serve.problems import Problem, answer_problems, examples, problem_of
from endcap.store import Erased, Store

log = logging.getLogger("endcap.serve")

WRITE_EVERY_S = 1.0
"""A quiet shop is written behind so often, a busy one by its own events; keys are read anew."""


class Health(Struct, kw_only=True):
    """How the process is."""

    status: str
    model_version: str


KINDS = [
    events.EventIn,
    events.Receipt,
    pages.PageIn,
    pages.PageOut,
    decisions.Why,
    decisions.WhyNot,
    decisions.Replayed,
    users.UserIn,
    Erased,
    Health,
    Problem,
]
"""All that is read and written."""


def make_app(engine: Engine, store: Store, *, version: str, origins: Sequence[str] = ()) -> FastAPI:
    """Make the application; closing it writes what is not on disk and lets the store go.

    Args:
        origins: pages of these origins may call from a browser, such as https://shop.example.

    Routes run on the event loop's thread, which is thereby the engine's.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        behind = asyncio.create_task(_write_behind(store))
        yield
        behind.cancel()
        with suppress(asyncio.CancelledError):
            await behind
        store.close()

    app = FastAPI(
        title="Endcap",
        version=version,
        description="The attention engine for online shops: events in, pages out.",
        lifespan=lifespan,
        docs_url=None,  # its page would fetch scripts from elsewhere
        redoc_url=None,
    )
    answer_problems(app)
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["POST"],
            allow_headers=["authorization", "content-type"],
            max_age=86_400,
        )
    app.add_middleware(SafeHeaders)  # the outermost: a preflight bears the headers too
    callers, watch = Callers(engine, store), watching.Watching(engine, store)
    app.include_router(events.routes(Intake(engine, store), callers, watch))
    app.include_router(pages.routes(engine, store, callers, watch))
    app.include_router(decisions.routes(engine, callers))
    app.include_router(users.routes(store, callers))
    app.include_router(watching.routes(watch, callers))
    _add_health(app, engine, store)
    describe(app, KINDS)
    return app


def check_host(host: str, store: Store) -> None:
    """Refuse to listen to other machines while whoever reaches the port may write.

    Raises:
        ConfigError: the store holds no key, and others could reach the host.
    """
    try:
        is_own = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        is_own = False
    if not is_own and not store.keys:
        raise ConfigError(
            f"Whoever reaches {host} could send events, for {store.path} holds no key; make one "
            f"first: endcap keys sqlite:///{store.path} --add shop --scope events --scope decide."
        )


def listen(host: str, port: int) -> socket.socket:
    """Take an address, before anything else is begun.

    Raises:
        ConfigError: it cannot be had.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2_048)
    except OSError as error:
        number = error.errno or 0
        reason = os.strerror(number) if number > 0 else error.strerror
        raise ConfigError(
            f"Nothing can listen at {host}:{port} ({reason}); stop what listens there, "
            f"or give another --port or --host."
        ) from None


def serve(app: FastAPI, at: socket.socket) -> None:
    """Serve until told to stop (SIGINT, SIGTERM); what was accepted is answered first."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=20,
    )
    uvicorn.Server(config).run(sockets=[at])


async def _write_behind(store: Store) -> None:
    while True:
        await asyncio.sleep(WRITE_EVERY_S)
        try:
            store.tick()
            store.keys.read()
        except Exception:  # the next time may succeed; the keys that are known hold meanwhile
            log.exception("the state could not be written behind, or the keys not be read")


def _add_health(app: FastAPI, engine: Engine, store: Store) -> None:
    healthy = {"status": "ready", "model_version": engine.model_version}

    @app.get(
        "/health/live",
        tags=["health"],
        responses={200: answer(Health, healthy, "The process answers.")},
    )
    async def live() -> Response:
        """Tell that the process answers."""
        told = Health(status="live", model_version=engine.model_version)
        return Response(json.encode(told), media_type="application/json")

    @app.get(
        "/health/ready",
        tags=["health"],
        responses={200: answer(Health, healthy, "Events and pages are served."), **examples(503)},
    )
    async def ready() -> Response:
        """Tell whether events and pages are served; not while the store cannot be written."""
        if store.trouble is not None:
            return problem_of(HTTPStatus.SERVICE_UNAVAILABLE, store.trouble)
        told = Health(status="ready", model_version=engine.model_version)
        return Response(json.encode(told), media_type="application/json")
