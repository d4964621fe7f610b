"""The application: routes over one engine and its store."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

import uvicorn
from fastapi import FastAPI, Response
from msgspec import Struct, json

from endcap.engine import Engine
from endcap.errors import ConfigError
from endcap.serve import events, pages
from endcap.serve.described import answer, describe
from endcap.serve.intake import Intake
from endcap.serve.problems import Problem, answer_problems, examples, problem_of
from endcap.store import Store

WRITE_EVERY_S = 1.0
"""A quiet shop is written behind so often; a busy one by its own events."""


class Health(Struct, kw_only=True):
    """How the process is."""

    status: str
    model_version: str


def make_app(engine: Engine, store: Store, *, version: str) -> FastAPI:
    """Make the application; closing it writes what is not on disk and lets the store go.

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
    app.include_router(events.routes(Intake(engine, store)))
    app.include_router(pages.routes(engine, store))
    _add_health(app, engine, store)
    describe(app, [events.EventIn, events.Receipt, pages.PageIn, pages.PageOut, Health, Problem])
    return app


def listen(host: str, port: int) -> socket.socket:
    """Take an address, before anything else is begun.

    Raises:
        ConfigError: it cannot be had.
    """
    try:
        return socket.create_server((host, port), backlog=2_048)
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
        store.tick()


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
