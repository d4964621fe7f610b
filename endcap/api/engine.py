"""An engine around a model: the log's shoppers, counters, catalogue and campaigns at its start."""

import secrets
from typing import Any, Self

from endcap import engine
from endcap.api.model import Model
from endcap.api.pages import Page, page_of
from endcap.engine import MemoryHistories, Settings, State
from endcap.predict import NetworkPredictor
from endcap.schema import Campaigns, Catalogue, Query, ShopConfig
from endcap.store import Start, Store

SAMPLED = 0.01
"""The share of records that keep what the model read."""


class Engine(engine.Engine):
    """Makes pages from a fitted model; what shoppers did in the model's log is known to it.

    Example:
        engine = endcap.Engine(endcap.load("shop.model"))
        page = engine.decide(endcap.Query(user_id="u1", placements={"home": 10}))

    Args:
        store: where state lives: "memory", or "sqlite:///shop.db" for a file from which an engine
            goes on where the last one stopped, however it stopped; or a store that is open.
        shop: the configuration; the model's by default.
        catalogue: the items, in place of the model's and the store's.
        predictor: another predictor in the model's place, for comparisons.
        secret: keys exploration; by default drawn at random, or the store's.

    Raises:
        StoreError: the file cannot be used, or the model does not fit it.
    """

    def __init__(
        self,
        model: Model,
        *,
        store: str | Store = "memory",
        shop: ShopConfig | None = None,
        catalogue: Catalogue | None = None,
        campaigns: Campaigns | None = None,
        predictor: Any = None,
        secret: bytes | None = None,
        settings: Settings | None = None,
    ) -> None:
        artifact, self.store = model.artifact, _store_of(store, model)
        super().__init__(
            # Its own: it learns new items as the shop lives, and the model answers for its log.
            predictor or NetworkPredictor(artifact),
            shop=shop or artifact.manifest.shop,
            catalogue=catalogue or (self.store.catalogue if self.store else artifact.catalogue),
            campaigns=campaigns or artifact.campaigns,
            state=_stored(self.store) if self.store else _remembered(model),
            secret=secret or (self.store.secret if self.store else secrets.token_bytes(32)),
            settings=settings or Settings(sample_inputs=SAMPLED),
        )
        if self.store:
            self.store.replay(apply=self.apply, count_shown=self.count_shown)

    def decide(self, query: Query) -> Page:
        """Make a page: the record, which shows itself and says why in a notebook.

        Where a store stands behind, the record of a page with ads or exploration is on disk.
        """
        decision = super().decide(query)
        if self.store and self.store.must_wait(decision):
            self.store.settled().result()
        return page_of(decision)

    def close(self) -> None:
        """Write what is not on disk and let the store go; in memory there is nothing to do."""
        if self.store:
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def engine_on(store: Store, model: Model) -> engine.Engine:
    """Return an engine that leaves waiting for the disk to its caller, as a server does."""
    artifact = model.artifact
    made = engine.Engine(
        NetworkPredictor(artifact),
        shop=artifact.manifest.shop,
        catalogue=store.catalogue,
        campaigns=artifact.campaigns,
        state=_stored(store),
        secret=store.secret,
        settings=Settings(sample_inputs=SAMPLED),
    )
    store.replay(apply=made.apply, count_shown=made.count_shown)
    return made


def start_of(model: Model) -> Start:
    """Return where a new store begins: the end of the model's log."""
    artifact = model.artifact
    return Start(
        user_ids=artifact.user_ids,
        histories=artifact.histories,
        counters=model.counters(),
        catalogue=artifact.catalogue,
        campaigns=artifact.campaigns,
        placements=list(artifact.manifest.shop.placements),
    )


def _store_of(store: str | Store, model: Model) -> Store | None:
    if isinstance(store, Store):
        return store
    return None if store == "memory" else Store(store, start_of(model))


def _remembered(model: Model) -> State:
    artifact = model.artifact
    return State(
        counters=model.counters(),
        histories=MemoryHistories.of_log(artifact.user_ids, artifact.histories),
    )


def _stored(store: Store) -> State:
    return State(
        counters=store.counters,
        journal=store.journal,
        histories=store.histories,
        shelves=store.shelves,
        decisions=store.decisions,
        subjects=store.subjects,
        placements=store.placements,
    )
