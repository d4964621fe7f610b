"""The words of a question -> numbers: an instant, a time, a device, a length of list."""

import re
from datetime import UTC, datetime

from endcap.errors import QueryError
from endcap.schema import Device

HOURS = {"m": 1 / 60, "h": 1.0, "d": 24.0, "w": 168.0}


def parse_instant(text: str) -> int:
    """Read an RFC 3339 instant as microseconds UTC.

    Raises:
        QueryError: it is none.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise QueryError(
            f"at must be an RFC 3339 instant such as 2026-11-24T19:00Z, got {text!r}."
        ) from error
    instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return round(instant.timestamp() * 1_000_000)


def check_limit(limit: int) -> None:
    """Check that a list holds something."""
    if limit < 1:
        raise QueryError(f"limit must be 1 or more, got {limit}.")


def parse_hours(within: str) -> float:
    """Read a time such as 7d as hours."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([mhdw])", within.strip())
    if match is None or float(match[1]) <= 0:
        raise QueryError(f"within must be a time such as 30m, 12h, 7d or 2w, got {within!r}.")
    return float(match[1]) * HOURS[match[2]]


def parse_device(name: str) -> int:
    """Read the name of a device as its number."""
    try:
        return int(Device[name.upper()])
    except KeyError:
        known = ", ".join(device.name.lower() for device in Device)
        raise QueryError(f"device must be one of {known}, got {name!r}.") from None
