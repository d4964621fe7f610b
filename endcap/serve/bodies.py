"""Request bodies: read up to a size and a time, decoded once, refused in the caller's own words."""

import asyncio
import re
from http import HTTPStatus
from typing import TypeVar

import msgspec
from fastapi import Request
from starlette.requests import ClientDisconnect

from endcap.serve.problems import RequestError

MAX_BYTES = 4 * 2**20
"""Of one body; some 10,000 events."""

MAX_SECONDS = 20.0
"""For which a client may take its time to send one."""

Body = TypeVar("Body")
UNEXPECTED = (msgspec.ValidationError, UnicodeDecodeError, RecursionError)
"""What a decoder raises of JSON that is not what was asked for."""

PLACE = re.compile(r" - at (`key` in )?`\$\.?(.*)`$")
EXPECTED = re.compile(r"Expected (.*?)(?:, got `(\w+)`)?$")
PATTERN = re.compile(r"matching regex .*")
KIND = re.compile(r"`([\w |]+)`")
UNKNOWN_FIELD = re.compile(r"unknown field `(.*)`")
MISSING_FIELD = re.compile(r"missing required field `(.*)`")
WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
}


async def read(request: Request) -> bytes:
    """Read a body.

    Raises:
        RequestError: it is too long, or comes too slowly.
    """
    parts, size = [], 0
    try:
        async with asyncio.timeout(MAX_SECONDS):
            async for part in request.stream():
                parts.append(part)
                size += len(part)
                if size > MAX_BYTES:
                    raise RequestError(
                        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                        f"A body may have {MAX_BYTES:,} bytes; send it in parts.",
                    )
    except ClientDisconnect:
        raise RequestError(HTTPStatus.BAD_REQUEST, "The caller went away.") from None
    except TimeoutError:
        raise RequestError(
            HTTPStatus.REQUEST_TIMEOUT,
            f"The body did not come within {MAX_SECONDS:.0f} seconds; send it again.",
        ) from None
    return b"".join(parts)


def decode(body: bytes, kind: type[Body], decoder: "msgspec.json.Decoder[Body]") -> Body:
    """Decode a body.

    Raises:
        RequestError: it is no JSON, or not what is expected.
    """
    try:
        return decoder.decode(body)
    except UNEXPECTED as error:
        raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, reason_of(error, kind)) from None
    except msgspec.DecodeError as error:
        raise RequestError(HTTPStatus.BAD_REQUEST, f"The body must be JSON: {error}.") from None


def reason_of(error: Exception, kind: type, whole: str = "The body") -> str:
    """Say what is wrong with a value of some kind, in words of JSON, its field first."""
    if isinstance(error, RecursionError):
        return "The body is nested too deeply; send it flat."
    if isinstance(error, UnicodeDecodeError):
        return "The body must be UTF-8; send it as such."
    text = str(error)
    if unknown := UNKNOWN_FIELD.search(text):
        known = ", ".join(getattr(kind, "__struct_fields__", ()))
        return f"The field {unknown.group(1)} is not known; the fields are {known}."
    if missing := MISSING_FIELD.search(text):
        return f"{missing.group(1)} is missing."
    place = PLACE.search(text)
    field = place.group(2) if place and place.group(2) else whole
    named = f"A name in {field}" if place and place.group(1) else field
    return f"{named} must be {_expected(PLACE.sub('', text))}."


def _expected(text: str) -> str:
    if "decimal" in text and not text.startswith("Expected"):
        return "a number such as 12.50"
    told = EXPECTED.match(text)
    if told is None:  # a rule of which we know no words
        return text
    wanted, got = told.group(1), told.group(2)
    wanted = KIND.sub(lambda kind: _words(kind.group(1)), wanted)
    wanted = PATTERN.sub("without control characters", wanted)
    return f"{wanted}, got {_words(got)}" if got else wanted


def _words(kinds: str) -> str:
    names = [WORDS.get(name, name) for name in kinds.split(" | ") if name != "null"]
    return " or ".join(dict.fromkeys(names)) or "null"
