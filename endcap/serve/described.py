"""What the OpenAPI document says of bodies that msgspec reads and writes."""

from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

TEMPLATE = "#/components/schemas/{name}"


def body(kind: Any, example: Any) -> dict[str, Any]:
    """Describe a request's body."""
    return {"requestBody": {"required": True, "content": _content(kind, example)}}


def answer(kind: Any, example: Any, description: str) -> dict[str, Any]:
    """Describe an answer."""
    return {"description": description, "content": _content(kind, example)}


def describe(app: FastAPI, kinds: Sequence[Any]) -> None:
    """Let the document hold the schemas of all that is read and written."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            _, schemas = msgspec.json.schema_components(kinds, ref_template=TEMPLATE)
            made["components"] = {"schemas": schemas}
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _content(kind: Any, example: Any) -> dict[str, Any]:
    [schema], _ = msgspec.json.schema_components([kind], ref_template=TEMPLATE)
    return {"application/json": {"schema": schema, "example": example}}
