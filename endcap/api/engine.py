"""An engine around a model: the log's shoppers, counters, catalogue and campaigns at its start."""

import secrets
from typing import Any

from endcap import engine
from endcap.api.model import Model
from endcap.api.pages import Page, page_of
from endcap.engine import MemoryHistories, Settings, State
from endcap.errors import ConfigError
from endcap.predict import NetworkPredictor
from endcap.schema import Campaigns, Catalogue, Query, ShopConfig


class Engine(engine.Engine):
    """Makes pages from a fitted model; what shoppers did in the model's log is known to it.

    Example:
        engine = endcap.Engine(endcap.load("shop.model"))
        page = engine.decide(endcap.Query(user_id="u1", placements={"home": 10}))

    Args:
        store: where state lives; "memory" is the one there is.
        shop: the configuration; the model's by default.
        predictor: another predictor in the model's place, for comparisons.
        secret: keys exploration; drawn at random by default.
    """

    def __init__(
        self,
        model: Model,
        *,
        store: str = "memory",
        shop: ShopConfig | None = None,
        catalogue: Catalogue | None = None,
        campaigns: Campaigns | None = None,
        predictor: Any = None,
        secret: bytes | None = None,
        settings: Settings | None = None,
    ) -> None:
        if store != "memory":
            raise ConfigError(f"store must be 'memory', got {store!r}.")
        artifact = model.artifact
        super().__init__(
            # Its own: it learns new items as the shop lives, and the model answers for its log.
            predictor or NetworkPredictor(artifact),
            shop=shop or artifact.manifest.shop,
            catalogue=catalogue or artifact.catalogue,
            campaigns=campaigns or artifact.campaigns,
            state=State(
                counters=model.counters(),
                histories=MemoryHistories.of_log(artifact.user_ids, artifact.histories),
            ),
            secret=secret or secrets.token_bytes(32),
            settings=settings or Settings(sample_inputs=0.01),
        )

    def decide(self, query: Query) -> Page:
        """Make a page: the record, which shows itself and says why in a notebook."""
        return page_of(super().decide(query))
