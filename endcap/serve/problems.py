"""Every error has one shape: a problem document (RFC 9457), its sentence in `detail`."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from endcap.errors import EndcapError, QueryError, SchemaError, StoreError, UnknownDecisionError
from endcap.serve.headers import HEADERS

MEDIA_TYPE = "application/problem+json"

STATUS_OF: dict[type[EndcapError], HTTPStatus] = {
    QueryError: HTTPStatus.UNPROCESSABLE_ENTITY,
    SchemaError: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnknownDecisionError: HTTPStatus.NOT_FOUND,
    StoreError: HTTPStatus.SERVICE_UNAVAILABLE,
}

log = logging.getLogger("endcap.serve")


class Problem(msgspec.Struct, kw_only=True):
    """What went wrong, and what to do."""

    title: str
    status: int
    detail: str


class RequestError(EndcapError):
    """A request that is not taken; `status` says how HTTP calls that."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def problem_of(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer that tells a problem."""
    told = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail)
    body = msgspec.json.encode(told)
    # An answer to a mistake of ours goes out past all that adds headers.
    given = HEADERS | dict(headers or {})
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=given)


def answer_problems(app: FastAPI) -> None:
    """Let the application answer every error in one shape."""

    @app.exception_handler(EndcapError)
    async def _ours(_request: Request, error: EndcapError) -> Response:
        status = getattr(error, "status", None) or STATUS_OF.get(type(error))
        if status is None:
            log.error("a request failed", exc_info=error)
        answer = problem_of(status or HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        if status == HTTPStatus.UNAUTHORIZED:
            answer.headers["www-authenticate"] = "Bearer"
        return answer

    @app.exception_handler(RequestValidationError)
    async def _parameter(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return problem_of(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"{first['loc'][-1]}: {first['msg'].lower()}."
        )

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        told = {
            404: f"There is no {request.url.path}; /openapi.json lists what there is.",
            405: f"{request.url.path} does not take {request.method}; see /openapi.json.",
        }
        detail = told.get(error.status_code, str(error.detail))
        return problem_of(error.status_code, detail, error.headers)

    @app.exception_handler(Exception)
    async def _unforeseen(_request: Request, error: Exception) -> Response:
        return problem_of(500, "Endcap made a mistake; its log has the trace. Send it again.")


def examples(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe which problems a route answers, for the OpenAPI document."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content}
            for status in statuses}  # fmt: skip
