"""Endcap: the attention engine for online shops.

The public names load on first use, so that `import endcap` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Campaign": "endcap.schema",
    "Decision": "endcap.schema",
    "EndcapError": "endcap.errors",
    "Engine": "endcap.api.engine",
    "Figures": "endcap.api.figures",
    "Model": "endcap.api.model",
    "Page": "endcap.api.pages",
    "Query": "endcap.schema",
    "ShopConfig": "endcap.schema",
    "ShopEvent": "endcap.schema",
    "World": "endcap.simulate",
    "WorldConfig": "endcap.simulate",
    "evaluate_model": "endcap.api.fit",
    "fit": "endcap.api.fit",
    "inspect": "endcap.prep",
    "load": "endcap.api.model",
    "read": "endcap.prep",
    "tune": "endcap.api.tune",
}

__all__ = [
    "Campaign",
    "Decision",
    "EndcapError",
    "Engine",
    "Figures",
    "Model",
    "Page",
    "Query",
    "ShopConfig",
    "ShopEvent",
    "World",
    "WorldConfig",
    "__version__",
    "evaluate_model",
    "fit",
    "inspect",
    "load",
    "read",
    "tune",
]

if TYPE_CHECKING:
    from endcap.api.engine import Engine
    from endcap.api.figures import Figures
    from endcap.api.fit import evaluate_model, fit
    from endcap.api.model import Model, load
    from endcap.api.pages import Page
    from endcap.api.tune import tune
    from endcap.errors import EndcapError
    from endcap.prep import inspect, read
    from endcap.schema import Campaign, Decision, Query, ShopConfig, ShopEvent
    from endcap.simulate import World, WorldConfig


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'endcap' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
