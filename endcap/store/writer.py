"""Group commit: one thread writes what all callers hand in, many of them in one transaction."""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from endcap.errors import StoreError

MAX_JOBS = 256
"""Of one transaction."""

Result = TypeVar("Result")
Job = Callable[[Connection], Any]


class Waiting(Protocol):
    """What is written at the head of every transaction, whoever asked for it."""

    def choose(self) -> None:
        """Choose what is to be written."""
        ...

    def write(self, connection: Connection) -> None:
        """Write what was chosen; a transaction that cannot begin never comes here."""
        ...

    def written(self) -> None:
        """Forget what was chosen: it is on disk."""
        ...

    def failed(self, error: Exception) -> None:
        """Learn that nothing of what was chosen is on disk."""
        ...


class Writer:
    """Jobs are done in the order in which they were handed in, after all that waits.

    A job's future is done once what it wrote is on disk. A transaction that fails fails every job
    in it, and leaves nothing of them.
    """

    first: Sequence[Waiting] = ()
    """Written with every transaction."""
    trouble: str | None = None
    """Why the last transaction failed; None when it did not."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine, self._path = engine, path
        self._jobs: queue.SimpleQueue[tuple[Job, Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="endcap-store", daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[Connection], Result]) -> "Future[Result]":
        """Hand in a job; it is given the transaction's connection.

        Raises:
            StoreError: the store is closed.
        """
        if not self._thread.is_alive():
            raise StoreError(f"The store {self._path} is closed; open it again.")
        future: Future[Result] = Future()
        self._jobs.put((job, future))
        return future

    @property
    def num_waiting(self) -> int:
        """Count the jobs that no transaction holds yet."""
        return self._jobs.qsize()

    def close(self) -> None:
        """Write what was handed in, and end."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        is_open = True
        while is_open:
            group = [self._jobs.get()]
            while len(group) < MAX_JOBS and not self._jobs.empty():
                group.append(self._jobs.get())
            is_open = None not in group
            # A job that is begun cannot be cancelled: what is on disk must be told to the state.
            self._commit([g for g in group if g and g[1].set_running_or_notify_cancel()])

    def _commit(self, group: list[tuple[Job, "Future[Any]"]]) -> None:
        for waiting in self.first:
            waiting.choose()
        try:
            with self._engine.begin() as connection:
                for waiting in self.first:
                    waiting.write(connection)
                results = [job(connection) for job, _ in group]
        except Exception as error:  # handed to whoever waits
            named = self._named(error)
            self.trouble = str(named)
            for waiting in self.first:
                waiting.failed(named)
            for _, future in group:
                future.set_exception(named)
            return
        self.trouble = None
        for waiting in self.first:
            waiting.written()
        for (_, future), result in zip(group, results, strict=True):
            future.set_result(result)

    def _named(self, error: Exception) -> Exception:
        if not isinstance(error, DBAPIError):
            return error
        return StoreError(
            f"The store {self._path} could not be written ({error.orig}); nothing of this was "
            f"kept. Free the disk or the file, and send it again."
        )
