"""Who pays for attention: campaigns with a value per click, a budget, and hours that suit them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.schema import NO_CAMPAIGN, Campaign, Campaigns
from endcap.simulate.config import DAY_US, WorldConfig
from endcap.simulate.noise import I64, Stream, below, derive, keys_of

GOOD_HOURS = 6
GOOD_FACTOR, OTHER_FACTOR = 2.0, 0.6
MAX_CREATIVES = 3


@dataclass(frozen=True, kw_only=True)
class Advertisers:
    """The campaigns by column, one row each."""

    items: I64
    """[K, 3] sponsored item rows; -1 where a campaign has fewer."""
    value_micros: I64
    """What a click is worth to the advertiser on an average day."""
    daily_budget_micros: I64
    good_hour: I64
    """First of the six hours of the day at which its ads work well."""
    has_dayparts: NDArray[np.bool_]
    """Speaks only from four hours before its good hours to four hours after."""
    start_day: I64
    factor_permille: I64
    """How well its creatives do against the bare item."""
    hour_factor: NDArray[np.float32]
    """[K, 24]"""

    def __len__(self) -> int:
        return len(self.value_micros)


def make_advertisers(config: WorldConfig) -> Advertisers:
    """Make all campaigns; each depends on its row and the seed alone."""
    keys = keys_of(config.seed, Stream.CAMPAIGN, np.arange(config.campaigns))
    good_hour = below(derive(keys, 1), 24)
    late = below(derive(keys, 2), 100) < 20
    return Advertisers(
        items=_creatives(config, keys),
        value_micros=150_000 + below(derive(keys, 3), 76) * 10_000,
        daily_budget_micros=1_500_000 + below(derive(keys, 4), 66) * 100_000,
        good_hour=good_hour,
        has_dayparts=below(derive(keys, 5), 3) == 0,
        start_day=np.where(late, 2 + below(derive(keys, 6), 9), 0),
        factor_permille=700 + below(derive(keys, 7), 451),
        hour_factor=_hour_factor(config, good_hour),
    )


def _creatives(config: WorldConfig, keys: NDArray[np.uint64]) -> I64:
    """One to three different items of those at the start."""
    count = 1 + below(derive(keys, 8), MAX_CREATIVES)
    first = below(derive(keys, 9), config.items)
    stride = 1 + below(derive(keys, 10), max(config.items // MAX_CREATIVES, 1))
    places = np.arange(MAX_CREATIVES)
    items = (first[:, None] + places * stride[:, None]) % config.items
    return np.where(places < np.minimum(count, config.items)[:, None], items, -1)


def _hour_factor(config: WorldConfig, good_hour: I64) -> NDArray[np.float32]:
    after = (np.arange(24) - good_hour[:, None]) % 24
    factor = np.where(after < GOOD_HOURS, GOOD_FACTOR, OTHER_FACTOR)
    return (factor if config.ad_hours else np.ones_like(factor)).astype(np.float32)


def ad_factor(advertisers: Advertisers, campaign: I64, hour: I64) -> NDArray[np.float32]:
    """Return by what an ad multiplies its item's chance of a click; 1 for a product.

    Args:
        campaign: rows, -1 for a product; any shape that broadcasts with `hour`.
        hour: of the day, UTC.
    """
    if not len(advertisers):
        return np.ones(np.broadcast_shapes(campaign.shape, hour.shape), dtype=np.float32)
    creative = advertisers.factor_permille[campaign].astype(np.float32) / np.float32(1000)
    factor = creative * advertisers.hour_factor[campaign, hour]
    return np.where(campaign == NO_CAMPAIGN, np.float32(1), factor)


def bids_of(config: WorldConfig, advertisers: Advertisers, day: int) -> I64:
    """Return the truthful bids of a day: the value of a click, 0.85 to 1.15 times the usual."""
    keys = keys_of(config.seed, Stream.BID, np.arange(len(advertisers)), day)
    return advertisers.value_micros * (850 + below(keys, 301)) // 1000


def campaigns_of(
    config: WorldConfig, advertisers: Advertisers, day: int, item_ids: NDArray[np.object_]
) -> Campaigns:
    """Write the campaigns of a day as the shop knows them: same rows."""
    bids = bids_of(config, advertisers, day)
    return Campaigns(
        rows=tuple(
            Campaign(
                campaign_id=f"c{row:03d}",
                advertiser_id=f"a{row:03d}",
                item_ids=tuple(str(item_ids[item]) for item in advertisers.items[row] if item >= 0),
                bid_micros=int(bids[row]),
                daily_budget_micros=int(advertisers.daily_budget_micros[row]),
                start_at_us=config.start_us + int(advertisers.start_day[row]) * DAY_US,
                dayparts=_dayparts(advertisers, row),
            )
            for row in range(len(advertisers))
        )
    )


def _dayparts(advertisers: Advertisers, row: int) -> tuple[int, ...]:
    if not advertisers.has_dayparts[row]:
        return tuple(range(24))
    first = int(advertisers.good_hour[row]) - 4
    return tuple(sorted((first + n) % 24 for n in range(GOOD_HOURS + 8)))
