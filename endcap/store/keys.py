"""Keys of the HTTP routes: made and removed while a server runs, hashed at rest."""

import secrets
from collections.abc import Iterable
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest

from msgspec import Struct
from sqlalchemy import delete, insert, select

from endcap.errors import ConfigError
from endcap.store.database import Database, Reading
from endcap.store.tables import api_key

PREFIX = "endcap"


class Scope(StrEnum):
    """What a key allows."""

    BROWSER = "browser"  # views and clicks of pages that were made
    EVENTS = "events"  # any event
    DECIDE = "decide"  # pages
    EXPLAIN = "explain"  # records: bids, prices, margins
    METRICS = "metrics"  # counts and times of the process
    ADMIN = "admin"  # people: erasing them


class Key(Struct, frozen=True, kw_only=True):
    """Who calls."""

    key_id: str
    name: str
    scopes: frozenset[Scope]


def make_key(database: Database, name: str, scopes: Iterable[Scope]) -> str:
    """Make a key and return it; nobody can tell it again.

    A key has 256 random bits, so a plain hash of it tells nothing.

    Raises:
        ConfigError: a key has this name, or no scope is given.
    """
    wanted = sorted(set(scopes))
    if not wanted:
        raise ConfigError(f"A key needs a scope; there are {', '.join(Scope)}.")
    if name in [key.name for key, _ in _keys(database.reading)]:
        raise ConfigError(f"There is a key named {name!r}; remove it first, or choose a name.")
    key_id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    row = {
        "key_id": key_id,
        "name": name,
        "scopes": " ".join(wanted),
        "digest": sha256(secret.encode()).digest(),
    }
    with database.writing.begin() as connection:
        connection.execute(insert(api_key), row)
    return f"{PREFIX}_{key_id}_{secret}"


def remove_key(database: Database, name: str) -> None:
    """Remove a key; a server forgets it within seconds.

    Raises:
        ConfigError: no key has this name.
    """
    with database.writing.begin() as connection:
        gone = connection.execute(delete(api_key).where(api_key.c.name == name)).rowcount
    if not gone:
        known = ", ".join(key.name for key, _ in _keys(database.reading)) or "none at all"
        raise ConfigError(f"No key is named {name!r}; there are {known}.")


def list_keys(database: Database) -> list[Key]:
    """List the keys, without what they are."""
    return [key for key, _ in _keys(database.reading)]


class Keys:
    """The keys as a server asks for them."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._known: dict[str, tuple[Key, bytes]] = {}
        self.read()

    def read(self) -> None:
        """Read them anew, so that one made or removed elsewhere counts."""
        self._known = {key.key_id: (key, digest) for key, digest in _keys(self._reading)}

    def __bool__(self) -> bool:
        return bool(self._known)

    def find(self, told: str) -> Key | None:
        """Return whose key it is; None for one that is not ours."""
        prefix, _, rest = told.partition("_")
        key_id, _, secret = rest.partition("_")
        key, digest = self._known.get(key_id, (None, b""))
        same = compare_digest(sha256(secret.encode()).digest(), digest)
        return key if same and prefix == PREFIX else None


def _keys(reading: Reading) -> list[tuple[Key, bytes]]:
    rows = reading.rows(select(api_key).order_by(api_key.c.name))
    return [
        (
            Key(
                key_id=row.key_id,
                name=row.name,
                scopes=frozenset(Scope(scope) for scope in row.scopes.split()),
            ),
            row.digest,
        )
        for row in rows
    ]
