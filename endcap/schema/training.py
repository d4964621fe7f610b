"""How a shop wants its tasks weighed as a model is trained: `[train]` of `shop.toml`."""

from typing import Literal

from msgspec import Struct

Weighting = Literal["fixed", "uncertainty", "balanced"]
"""How much a task counts in a step: as its `weight` says; by a learned uncertainty (Kendall et al.
2018); or so that every task moves the state that all read by the same length."""


class TrainSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a shop changes about the recipe that its log's size and shape choose."""

    weighting: Weighting = "fixed"
    value_weighted: bool = False
    """Whether dwell and purchase are learned first where attention is, in proportion to money."""
