"""A person is a random key in every log from the first row on (design section 7)."""

import secrets
from collections.abc import Callable


def _random_key() -> str:
    return secrets.token_hex(12)


class SubjectKeys:
    """Map user ids to subject keys; dropping an entry makes the logs forget the person.

    Args:
        make_key: where keys come from; random by default, seeded in the simulated shop.
    """

    def __init__(self, make_key: Callable[[], str] = _random_key) -> None:
        self._make_key = make_key
        self._keys: dict[str, str] = {}

    def of(self, user_id: str) -> str:
        """Return the user's key, made on first sight."""
        if user_id not in self._keys:
            self._keys[user_id] = self._make_key()
        return self._keys[user_id]

    def items(self) -> list[tuple[str, str]]:
        """List (user_id, subject) pairs in order of first sight."""
        return list(self._keys.items())
