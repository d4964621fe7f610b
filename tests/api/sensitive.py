"""A made-up log in which some shoppers choose by price alone and others by brand alone."""

import numpy as np

from endcap.schema import (
    IMPRESSION,
    Action,
    Campaigns,
    Catalogue,
    Dataset,
    Histories,
    ShopConfig,
    make_events,
)
from endcap.schema.shop import LogConfig

DAY_US = 86_400_000_000
START_US = 20_000 * DAY_US
PRICES, BRANDS = 12, 6
"""Every price of every brand is sold once."""


def looks_at_price(user):
    return user % 2 == 0


def likes(user, item):
    """Tell whether a shopper wants an item: a cheap one, or one of the shopper's brand."""
    cheap, own_brand = item // BRANDS < PRICES // 4, item % BRANDS == user // 2 % BRANDS
    return cheap if looks_at_price(user) else own_brand


def catalogue():
    count = PRICES * BRANDS
    random = np.random.default_rng(9)
    made = Catalogue.of_ids([f"i{k}" for k in range(count)])
    made.brands[:] = [f"Brand {k % BRANDS}" for k in range(count)]
    made.price_micros[:] = [(10 + 3 * (k // BRANDS)) * 1_000_000 for k in range(count)]
    made.categories[:] = [f"Top {k}" for k in random.integers(4, size=count)]
    made.titles[:] = [f"Thing {k}" for k in random.integers(40, size=count)]
    return made


def sensitive_log(seed=0, num_users=240, num_days=16, slots=6):
    """Let every shopper see a page a day, and click what they like by .6, the rest by .04."""
    random = np.random.default_rng(seed)
    shown, events, owner, decision_of = [], [], [], []
    for user in range(num_users):
        for day in range(num_days):
            at = START_US + day * DAY_US + int(random.integers(DAY_US // 2))
            decision = user * num_days + day
            for slot, item in enumerate(random.choice(PRICES * BRANDS, slots, replace=False)):
                row = np.zeros(1, dtype=IMPRESSION)[0]
                row["timestamp_us"], row["decision"], row["user"] = at, decision, user
                row["item"], row["slot"], row["campaign"], row["propensity"] = item, slot, -1, 0.1
                shown.append(row)
                if random.random() < (0.6 if likes(user, item) else 0.04):
                    events.append((at + 1_000_000 * (slot + 1), item))
                    owner.append(user)
                    decision_of.append(decision)
    at, item = (np.array(column) for column in zip(*events, strict=True))
    impressions = np.array(shown, dtype=IMPRESSION)
    impressions = impressions[np.argsort(impressions["timestamp_us"], kind="stable")]
    cuts = [START_US + (num_days - back) * DAY_US for back in (4, 2)]
    split = [
        np.searchsorted(cuts, t, "right").astype(np.uint8) for t in (at, shown_at(impressions))
    ]
    return Dataset(
        shop=ShopConfig(log=LogConfig(resolution="second"), placements=("home",)),
        user_ids=[f"u{k}" for k in range(num_users)],
        catalogue=catalogue(),
        campaigns=Campaigns(),
        histories=Histories(
            events=make_events(timestamp_us=at, item=item, action=[Action.CLICK] * len(at)),
            offsets=np.searchsorted(owner, np.arange(num_users + 1)).astype(np.int64),
        ),
        event_split=split[0],
        impressions=impressions,
        impression_split=split[1],
        event_decision=np.array(decision_of, dtype=np.int64),
        train_end_us=cuts[0],
        validation_end_us=cuts[1],
        end_us=START_US + num_days * DAY_US,
    )


def shown_at(impressions):
    return impressions["timestamp_us"]
