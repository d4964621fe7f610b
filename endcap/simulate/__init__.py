"""A made-up shop whose true probabilities are known, its shoppers and its advertisers."""

from endcap.simulate.config import Placement, WorldConfig
from endcap.simulate.engine import Engine
from endcap.simulate.export import campaign_columns, event_columns, item_columns
from endcap.simulate.oracle import Oracle, worth_of
from endcap.simulate.record import PageOutcomes, PageValues, ShownSlots, WorldRun, value_of
from endcap.simulate.responses import Pages, Responses
from endcap.simulate.truth import Truth
from endcap.simulate.world import World

__all__ = [
    "Engine",
    "Oracle",
    "PageOutcomes",
    "PageValues",
    "Pages",
    "Placement",
    "Responses",
    "ShownSlots",
    "Truth",
    "World",
    "WorldConfig",
    "WorldRun",
    "campaign_columns",
    "event_columns",
    "item_columns",
    "value_of",
    "worth_of",
]
