"""What a server bears: events that are on disk when acknowledged, pages at fixed arrival times.

Run from the repository: `python -m benchmarks.serve_load MODEL [--seconds 20]`. The server is
`endcap serve MODEL` on a new store; the load comes from a process of its own. Pages and the empty
route arrive at fixed times, and a late answer counts from when its request was due; events are
sent by clients that wait for each answer.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.shops import heading, write_report

PORT = 8471
PAGES_PER_S, SLOTS, SHOPPERS = 50, 40, 2_000
BATCH, BATCH_CLIENTS, SINGLE_CLIENTS = 100, 8, 50

START = "from endcap.cli import main; main()"

Ask = Callable[["Connection", int], Awaitable[None]]


class Connection:
    """One connection that is kept open; an answer must be 200."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", PORT))

    async def ask(self, path: str, body: object = None) -> bytes:
        told = b"" if body is None else json.dumps(body).encode()
        verb = "GET" if body is None else "POST"
        head = f"{verb} {path} HTTP/1.1\r\nhost: shop\r\ncontent-length: {len(told)}\r\n\r\n"
        self._writer.write(head.encode() + told)
        answered = await self._reader.readuntil(b"\r\n\r\n")
        if not answered.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(answered.decode())
        size = int(answered.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return await self._reader.readexactly(size)


def event(number: int, items: list[str]) -> dict[str, object]:
    return {
        "user_id": f"shopper {number % SHOPPERS}",
        "event_type": "click",
        "item_id": items[number % len(items)],
        "event_id": f"{os.getpid()}-{number}",
    }


async def closed_loop(clients: int, seconds: float, ask: Ask) -> tuple[np.ndarray, float]:
    """Let so many clients ask again and again; return what each answer took, and the seconds."""
    took: list[float] = []
    numbers = iter(range(10**9))
    began = time.perf_counter()

    async def client() -> None:
        connection = await Connection.open()
        while time.perf_counter() - began < seconds:
            start = time.perf_counter()
            await ask(connection, next(numbers))
            took.append(time.perf_counter() - start)

    await asyncio.gather(*(client() for _ in range(clients)))
    return np.array(took), time.perf_counter() - began


async def open_loop(per_s: float, seconds: float, ask: Ask) -> np.ndarray:
    """Ask at fixed times, whatever is still under way; return what each took since it was due."""
    free: list[Connection] = []
    began = time.perf_counter()

    async def one(number: int) -> float:
        due = began + number / per_s
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        connection = free.pop() if free else await Connection.open()
        await ask(connection, number)
        free.append(connection)
        return time.perf_counter() - due

    return np.array(await asyncio.gather(*(one(n) for n in range(int(per_s * seconds)))))


async def load(seconds: float, items: list[str]) -> list[dict[str, object]]:
    """Run every kind of load, one after the other."""
    found: list[dict[str, object]] = []

    async def batch(connection: Connection, number: int) -> None:
        await connection.ask("/v1/events", [event(number * BATCH + k, items) for k in range(BATCH)])

    async def single(connection: Connection, number: int) -> None:
        await connection.ask("/v1/events", event(10**8 + number, items))

    async def page(connection: Connection, number: int) -> None:
        asked = {"user_id": f"shopper {number % SHOPPERS}", "placements": {"home": SLOTS}}
        await connection.ask("/v1/page", asked)

    async def empty(connection: Connection, _number: int) -> None:
        await connection.ask("/health/live")

    async def effect(connection: Connection, number: int) -> None:
        await single(connection, 10**7 + number)
        await page(connection, number)

    sent: list[tuple[str, int, int, Ask]] = [
        (f"events, {BATCH} a request, {BATCH_CLIENTS} clients", BATCH_CLIENTS, BATCH, batch),
        (f"events, 1 a request, {SINGLE_CLIENTS} clients", SINGLE_CLIENTS, 1, single),
    ]
    for what, clients, size, ask in sent:
        took, in_all = await closed_loop(clients, seconds, ask)
        found.append(told(what, took, rate=size * len(took) / in_all))
    due: list[tuple[str, int, Ask]] = [
        (f"empty route, {PAGES_PER_S} a second", PAGES_PER_S, empty),
        (f"page of {SLOTS} slots, {PAGES_PER_S} a second", PAGES_PER_S, page),
        ("event, then a page that knows it, 10 a second", 10, effect),
    ]
    for what, per_s, ask in due:
        found.append(told(what, await open_loop(per_s, seconds, ask), rate=None))
    return found


def told(what: str, took: np.ndarray, *, rate: float | None) -> dict[str, object]:
    p50, p90, p99 = (round(float(value), 2) for value in np.percentile(1e3 * took, (50, 90, 99)))
    return {"what": what, "rate": rate, "p50": p50, "p90": p90, "p99": p99, "n": len(took)}


def lines(found: list[dict[str, object]]) -> Iterator[str]:
    yield "| load | a second | p50, ms | p90, ms | p99, ms | answers |"
    yield "|---|---|---|---|---|---|"
    for row in found:
        rate = "" if row["rate"] is None else f"{row['rate']:,.0f}"
        yield (
            f"| {row['what']} | {rate} | {row['p50']} | {row['p90']} | {row['p99']} | "
            f"{row['n']:,} |"
        )


def run(model: Path, seconds: float) -> None:
    """Start a server, load it from another process, and write what was found."""
    items = json.loads((model / "catalogue.json").read_text())["item_ids"][:5_000]
    with tempfile.TemporaryDirectory(prefix="endcap-") as folder:
        url = f"sqlite:///{folder}/shop.db"
        serve = ["-c", START, "serve", str(model), "--store", url, "--port", str(PORT)]
        server = subprocess.Popen([sys.executable, *serve], stdout=subprocess.PIPE, text=True)
        try:
            began = time.perf_counter()
            _wait(server)
            ready_s = time.perf_counter() - began
            (Path(folder) / "items.json").write_text(json.dumps(items))
            command = ["-m", "benchmarks.serve_load", folder, "--load", "--seconds", str(seconds)]
            out = subprocess.run(
                [sys.executable, *command], check=True, capture_output=True, text=True
            ).stdout
            status = Path(f"/proc/{server.pid}/status").read_text()
        finally:
            server.terminate()
            server.wait()
    found = json.loads(out.splitlines()[-1])
    peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    head = heading("What a server bears", "serve_load", "percentiles over answers; one run")
    facts = f"{len(items):,} items; ready after {ready_s:.1f} s; peak {int(peak) / 2**20:.2f} GB."
    write_report("serve_load", [head, "", facts, "", *lines(found)], found)


def _wait(server: "subprocess.Popen[str]") -> None:
    async def ready() -> None:
        await (await Connection.open()).ask("/health/ready")

    for _ in range(600):
        try:
            asyncio.run(ready())
        except OSError:
            if server.poll() is not None:
                raise SystemExit("the server ended") from None
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server did not become ready")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="a folder that endcap fit wrote")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each kind of load")
    parser.add_argument("--load", action="store_true", help="used by the script itself")
    given = parser.parse_args()
    if given.load:
        named = json.loads((given.model / "items.json").read_text())
        print(json.dumps(asyncio.run(load(given.seconds, named))))
    else:
        run(given.model, given.seconds)
