"""The live campaigns: one row per ad, which is a campaign and one of its items."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from endcap.errors import ConfigError, SchemaError
from endcap.schema import Campaigns

HOURS = 24


class LiveCampaigns:
    """The campaigns as columns by campaign row, and the ads that they offer."""

    def __init__(self, campaigns: Campaigns, row_of_item: Mapping[str, int]) -> None:
        self.campaigns = campaigns
        rows = campaigns.rows
        self.ids = [campaign.campaign_id for campaign in rows]
        self.start_at_us = np.array([c.start_at_us for c in rows], dtype=np.int64)
        self.end_at_us = np.array([c.end_at_us for c in rows], dtype=np.int64)
        self.bid_micros = np.array([c.bid_micros for c in rows], dtype=np.int64)
        self.budget_micros = np.array([c.daily_budget_micros for c in rows], dtype=np.int64)
        self.speaks = np.zeros((len(rows), HOURS), dtype=bool)
        for row, campaign in enumerate(rows):
            self.speaks[row, list(campaign.dayparts)] = True
        self.kappa = np.ones(len(rows))
        """Pacing factors in (0, 1]."""
        self._placed = [(row, c.placements) for row, c in enumerate(rows) if c.placements]
        ads = [
            (row, row_of_item[item_id])
            for row, campaign in enumerate(rows)
            for item_id in campaign.item_ids
            if item_id in row_of_item
        ]
        pairs = np.array(ads, dtype=np.int32).reshape(-1, 2)
        self.ad_campaign: NDArray[np.int32] = pairs[:, 0].copy()
        """[M] campaign row of every ad; an item outside the catalogue makes no ad."""
        self.ad_item: NDArray[np.int32] = pairs[:, 1].copy()

    def stands_in(self, placements: list[str]) -> NDArray[np.int64]:
        """Return, per campaign, bit p for the p-th of these placements that it may stand in."""
        bits = np.full(len(self.ids), (1 << len(placements)) - 1, dtype=np.int64)
        for row, allowed in self._placed:
            bits[row] = sum(1 << p for p, name in enumerate(placements) if name in allowed)
        return bits

    def pace(self, kappa: Mapping[str, float]) -> None:
        """Set pacing factors by campaign id; campaigns that are not named keep theirs.

        Raises:
            ConfigError: a factor outside (0, 1], or a campaign that is not there.
        """
        for campaign_id, factor in kappa.items():
            if campaign_id not in self.campaigns.row_of:
                raise ConfigError(
                    f"pacing names campaign {campaign_id!r}, which put_campaigns did not bring."
                )
            if not 0 < factor <= 1:
                raise ConfigError(
                    f"The pacing factor of {campaign_id!r} must lie in (0, 1], got {factor}."
                )
            self.kappa[self.campaigns.row_of[campaign_id]] = factor

    def succeeded_by(self, campaigns: Campaigns, row_of_item: Mapping[str, int]) -> "LiveCampaigns":
        """Make the next campaigns: known ones in their rows, pacing kept.

        Raises:
            SchemaError: a known campaign moved, or is missing.
        """
        ids = [campaign.campaign_id for campaign in campaigns.rows]
        if ids[: len(self.ids)] != self.ids:
            raise SchemaError(
                f"put_campaigns needs the {len(self.ids)} known campaigns first and in their "
                f"order; end a campaign by its end_at_us instead of leaving it out."
            )
        live = LiveCampaigns(campaigns, row_of_item)
        live.kappa[: len(self.ids)] = self.kappa
        return live
