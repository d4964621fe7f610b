"""Events from the network: on disk, then in the state, then acknowledged."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import Future

from endcap.engine import Engine, Observed
from endcap.schema import ShopEvent, Taken
from endcap.store import Store

log = logging.getLogger("endcap.serve")


class Intake:
    """Hands events to the journal, and what the journal took to the engine, in the journal's order.

    A caller may go away in between: what is on disk reaches the state all the same.
    """

    def __init__(self, engine: Engine, store: Store) -> None:
        self._engine, self._store = engine, store

    async def take(self, events: Sequence[ShopEvent]) -> Observed:
        """Take events in; when this returns they are on disk, and the next page knows them.

        Raises:
            StoreError: they could not be written; none of them was kept.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Observed] = loop.create_future()
        stored = self._store.journal.submit(events)
        stored.add_done_callback(lambda f: loop.call_soon_threadsafe(self._apply, f, done))
        return await done

    def _apply(self, stored: "Future[Taken]", done: "asyncio.Future[Observed]") -> None:
        error = stored.exception()
        if error is not None:
            if not done.done():
                done.set_exception(error)
            return
        try:
            observed = self._engine.apply(stored.result())
        except Exception as mistake:  # ours; whoever waits must hear of it, and the next go on
            log.exception("events on disk could not be applied")
            if not done.done():
                done.set_exception(mistake)
            return
        if not done.done():  # else nobody waits any more
            done.set_result(observed)
