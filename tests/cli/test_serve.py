"""`endcap serve` before it serves."""

import socket

import pytest


def test_a_port_that_is_taken_is_told(endcap, model_folder, tmp_path):
    url = f"sqlite:///{tmp_path}/shop.db"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = endcap("serve", model_folder, "--store", url, "--port", port)
    assert told.exit_code == 1
    start = f"Nothing can listen at 127.0.0.1:{port} (Address already in use); stop what listens"
    assert told.stderr.startswith(start)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("store", "message"),
    [("redis", "store must be 'memory' or sqlite:///FILE"), ("sqlite:////no/x.db", "folder /no;")],
)
def test_a_store_that_cannot_be_is_told(endcap, model_folder, store, message):
    told = endcap("serve", model_folder, "--store", store, "--port", 39_871)
    assert told.exit_code == 1
    assert message in told.stderr


def test_a_model_that_is_not_there_is_told(endcap, tmp_path):
    told = endcap("serve", tmp_path / "no.model")
    assert (told.exit_code, list(tmp_path.iterdir())) == (1, [])
