"""`endcap keys`: made, listed, removed."""

import json

import pytest


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'shop.db'}"


def test_a_key_is_told_once(endcap, url):
    assert "There are no keys: whoever reaches the server may use it." in endcap("keys", url).stdout
    made = endcap("keys", url, "--add", "web", "--scope", "browser", "--scope", "decide").stdout
    assert "endcap_" in made
    listed = endcap("keys", url).stdout
    assert "web" in listed and "browser, decide" in listed and "endcap_" not in listed
    told = json.loads(endcap("keys", url, "--json").stdout)
    assert told["keys"] == [{"name": "web", "scopes": ["browser", "decide"]}]
    assert "Removed the key web." in endcap("keys", url, "--remove", "web").stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--add", "web"),
            "A key needs a scope; there are browser, events, decide, explain, metrics, admin.",
        ),
        (
            ("--add", "web", "--scope", "all"),
            "--scope must be browser, events, decide, explain, metrics, admin, got 'all'.",
        ),
        (("--scope", "events"), "--scope says what a new key allows; give its name by --add."),
        (("--remove", "web"), "No key is named 'web'; there are none at all."),
    ],
)
def test_what_cannot_be_is_told(endcap, url, words, message):
    told = endcap("keys", url, *words)
    assert (told.exit_code, told.stderr.strip()) == (1, message)
