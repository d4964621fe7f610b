"""The shop as it stands at this instant: what candidates are found in and judged by."""

from dataclasses import dataclass

from endcap.engine.campaigns import LiveCampaigns
from endcap.engine.catalogue import LiveCatalogue
from endcap.engine.protocols import Ledger, Shelves
from endcap.schema import PageConfig


@dataclass(frozen=True, kw_only=True)
class LiveShop:
    """Items and what is left of them, campaigns and their spend, and the page's rules."""

    catalogue: LiveCatalogue
    shelves: Shelves
    campaigns: LiveCampaigns
    ledger: Ledger
    page: PageConfig
