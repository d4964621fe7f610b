"""A store in a folder of its own."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from shop import start

from endcap.store import Store


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'shop.db'}"


@pytest.fixture
def open_store(url: str) -> Iterator[Callable[..., Store]]:
    """Open the store, as often as it was closed."""
    opened: list[Store] = []

    def make(**settings: Any) -> Store:
        opened.append(Store(url, start(), **settings))
        return opened[-1]

    yield make
    for store in opened:
        store.close()
