"""What the world needs of whoever makes its pages."""

from collections.abc import Sequence
from typing import Protocol

from endcap.schema import Campaigns, Catalogue, Decision, Query, ShopEvent


class Engine(Protocol):
    """Makes pages and learns what came of them; the product's engine is one, a baseline another."""

    def decide(self, query: Query) -> Decision:
        """Choose what stands in every slot of one page view."""
        ...

    def observe(self, events: Sequence[ShopEvent]) -> object:
        """Take note of what shoppers did, in order of time for each shopper.

        What it returns is not read.
        """
        ...

    def put_items(self, catalogue: Catalogue) -> None:
        """Take the whole catalogue of the day; rows keep their numbers, new ones come last."""
        ...

    def put_campaigns(self, campaigns: Campaigns) -> None:
        """Take all campaigns with the bids of the day; rows keep their numbers."""
        ...
