"""A server as a shop's engineer starts it: a process of its own on a port of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
START = "import endcap.cli; endcap.cli.main()"


class Server:
    """`endcap serve` on a model and a store; it can be killed and started again."""

    def __init__(self, model: Path, url: str) -> None:
        self.model, self.url = model, url
        self.process: subprocess.Popen[str] | None = None
        self.http = httpx.Client(timeout=30)

    def start(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        words = ("serve", str(self.model), "--store", self.url, "--port", str(port))
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, *words],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        self.http.base_url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            time.sleep(0.1)
            if self.process.poll() is not None:
                raise RuntimeError(self.process.stdout.read())
            try:
                if self.http.get("/health/ready").status_code == 200:
                    return
            except httpx.TransportError:
                continue
        raise TimeoutError("the server did not become ready")

    def stop(self, how: int = signal.SIGTERM) -> str:
        """Stop it, and return what it said."""
        if self.process is None:
            return ""
        self.process.send_signal(how)
        said = self.process.stdout.read()
        self.process.stdout.close()
        self.process.wait(60)
        self.process = None
        return said

    def post(self, path: str, body: Any) -> httpx.Response:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(path, content=raw)


@pytest.fixture(scope="session")
def make_server(model_folder: Path) -> Iterator[Callable[[str], Server]]:
    made: list[Server] = []

    def make(url: str) -> Server:
        made.append(Server(model_folder, url))
        made[-1].start()
        return made[-1]

    yield make
    for server in made:
        server.stop()
        server.http.close()


@pytest.fixture(scope="module")
def server(make_server: Callable[[str], Server], tmp_path_factory: Any) -> Server:
    """One server for the tests that leave it as it is."""
    return make_server(f"sqlite:///{tmp_path_factory.mktemp('store') / 'shop.db'}")
