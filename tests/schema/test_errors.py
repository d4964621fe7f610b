"""Each error is Endcap's own and the built-in it resembles, and prints as its sentence."""

import inspect
import re
from pathlib import Path

import pytest

from endcap import errors

CLASSES = [
    found
    for _, found in inspect.getmembers(errors, inspect.isclass)
    if issubclass(found, errors.EndcapError) and found is not errors.EndcapError
]
RESEMBLES = {
    "ArtifactError": ValueError,
    "ConfigError": ValueError,
    "FileError": OSError,
    "LogError": ValueError,
    "MissingExtraError": ImportError,
    "QueryError": ValueError,
    "SchemaError": ValueError,
    "StoreError": OSError,
    "UnknownDecisionError": KeyError,
}


def test_every_error_is_on_the_list():
    assert sorted(found.__name__ for found in CLASSES) == sorted(RESEMBLES)


@pytest.mark.parametrize("error", CLASSES)
def test_an_error_may_be_caught_as_ours_or_as_the_built_in(error):
    for caught in (errors.EndcapError, RESEMBLES[error.__name__]):
        with pytest.raises(caught):
            raise error("It must be this; do that.")


@pytest.mark.parametrize("error", CLASSES)
def test_an_error_prints_as_its_sentence(error):
    assert str(error("'x' must be this; do that.")) == "'x' must be this; do that."


@pytest.mark.parametrize("error", CLASSES)
def test_some_test_matches_the_text_of_every_error(error):
    tests = Path(__file__).parents[1].rglob("test_*.py")
    matched = re.compile(rf"raises\(\s*{error.__name__}(,\s*match=|\) as)")
    assert any(matched.search(path.read_text(encoding="utf-8")) for path in tests)
