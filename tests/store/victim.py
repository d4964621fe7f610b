"""Take events in, say which are acknowledged, make pages, until somebody kills it."""

import sys

from shop import endless, engine_of, start

from endcap.schema import Query
from endcap.store import Store

store = Store(sys.argv[1], start(), write_every_s=0.02)
engine = engine_of(store)
for batch in endless():
    engine.observe(batch)
    print("event", *(event.event_id for event in batch), flush=True)
    page = engine.decide(
        Query(
            user_id=batch[0].user_id,
            placements={"home": 2},
            decision_id=f"p{batch[0].event_id}",
        )
    )
    store.settled().result()
    print("page", page.decision_id, flush=True)
