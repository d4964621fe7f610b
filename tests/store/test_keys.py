"""Keys: told once, hashed at rest, made and removed beside a running shop."""

import pytest

from endcap.errors import ConfigError
from endcap.store import Database, Scope, list_keys, make_key, remove_key


@pytest.fixture
def database(url):
    with Database(url, is_shared=True) as opened:
        yield opened


def test_a_key_is_found_by_all_of_it_and_by_nothing_less(open_store, database):
    keys = open_store().keys
    assert not keys
    told = make_key(database, "web", [Scope.DECIDE, Scope.EVENTS])
    keys.read()
    found = keys.find(told)
    assert (found.name, found.scopes) == ("web", {Scope.DECIDE, Scope.EVENTS})
    prefix, key_id, secret = told.split("_", 2)
    for other in ("", told[:-1], told + "a", f"{prefix}_{key_id}_", f"{prefix}_00000000_{secret}"):
        assert keys.find(other) is None
    assert keys.find(f"other_{key_id}_{secret}") is None


def test_no_file_holds_a_key(url, open_store, database, tmp_path):
    open_store()
    secret = make_key(database, "web", [Scope.EVENTS]).split("_", 2)[2]
    database.close()
    assert not any(secret.encode() in file.read_bytes() for file in tmp_path.iterdir())


def test_a_removed_key_is_forgotten(open_store, database):
    keys = open_store().keys
    told = make_key(database, "web", [Scope.EVENTS])
    other = make_key(database, "app", [Scope.BROWSER])
    assert [key.name for key in list_keys(database)] == ["app", "web"]
    remove_key(database, "web")
    keys.read()
    assert keys.find(told) is None
    assert keys.find(other).scopes == {Scope.BROWSER}


def test_what_cannot_be_is_told(database):
    make_key(database, "web", [Scope.EVENTS])
    with pytest.raises(ConfigError, match=r"There is a key named 'web'; remove it first, or choos"):
        make_key(database, "web", [Scope.EVENTS])
    with pytest.raises(ConfigError, match=r"A key needs a scope; there are browser, events,"):
        make_key(database, "app", [])
    with pytest.raises(ConfigError, match=r"No key is named 'app'; there are web\."):
        remove_key(database, "app")
    remove_key(database, "web")
    with pytest.raises(ConfigError, match=r"No key is named 'web'; there are none at all\."):
        remove_key(database, "web")
