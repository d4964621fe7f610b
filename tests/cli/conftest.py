"""Commands as people run them, without a process of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from endcap.cli import app

HEADER = "user_id,item_id,event_type,timestamp,price"


def rows_of_log(count: int = 60) -> str:
    """Return rows of a small log: four shoppers, five items, a purchase now and then."""
    kinds = ("purchase", "click", "click")
    return "".join(
        f"u{k % 4},i{k % 5},{kinds[k % 3]},2026-05-{k % 20 + 1:02d}T10:00Z,9.9\n"
        for k in range(count)
    )


@pytest.fixture
def endcap() -> Callable[..., Result]:
    """Return a function that runs a command; an error that is no sentence fails the test."""

    def run(*words: object) -> Result:
        result = CliRunner().invoke(app, [str(word) for word in words], prog_name="endcap")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def write_log(tmp_path) -> Callable[..., Path]:
    """Return a function that writes a log of some rows, or of any text."""

    def write(further: str = "", *, text: str | None = None, name: str = "events.csv") -> Path:
        path = tmp_path / "shop" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{HEADER}\n{rows_of_log()}{further}" if text is None else text)
        return path

    return write


@pytest.fixture
def files_of(tmp_path) -> Callable[[], set[str]]:
    """Return a function that lists every file of the test's folder, the hidden ones too."""
    return lambda: {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
