"""A small shop as arrays, with everything in it: pages, ads, clicks, dwell, carts and purchases."""

from collections.abc import Callable

import hypothesis
import numpy as np
import pytest

from endcap.schema import (
    IMPRESSION,
    Action,
    Campaign,
    Campaigns,
    Catalogue,
    Dataset,
    Histories,
    ShopConfig,
    SplitConfig,
    empty_events,
)
from endcap.schema.shop import LogConfig

# How long a test takes is not what it tests.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

DAY_US = 86_400_000_000
START_US = 20_000 * DAY_US


def build_dataset(
    *, seed: int = 0, num_users: int = 60, num_items: int = 30, num_days: int = 10
) -> Dataset:
    """Make a shop whose shoppers like one category each; a click is likelier on it."""
    random = np.random.default_rng(seed)
    catalogue = _catalogue(num_items)
    campaigns = Campaigns(
        rows=(
            Campaign(
                campaign_id="c0",
                advertiser_id="a0",
                item_ids=("i0", "i1"),
                bid_micros=200_000,
                daily_budget_micros=10_000_000,
            ),
        )
    )
    events, shown, owner, decision_of = [], [], [], []
    decision = 0
    for user in range(num_users):
        likes = user % 3
        for day in range(num_days):
            if random.random() < 0.4:
                continue
            page_us = START_US + day * DAY_US + int(random.integers(DAY_US // 2))
            items = random.choice(num_items, size=5, replace=False)
            for slot, item in enumerate(items):
                row = np.zeros(1, dtype=IMPRESSION)[0]
                row["timestamp_us"], row["decision"], row["user"] = page_us, decision, user
                row["item"], row["slot"], row["device"] = item, slot, 1 + user % 2
                row["campaign"] = 0 if slot == 2 and item < 15 else -1
                row["propensity"] = 0.1
                shown.append(row)
                chance = (0.6 if item % 3 == likes else 0.1) * 0.8**slot
                if random.random() < chance:
                    at = page_us + 1_000_000 * (slot + 1)
                    made = _visit(at, int(item), slot, int(row["campaign"]), random)
                    events.append(made)
                    owner.extend([user] * len(made))
                    decision_of.extend([decision] * len(made))
            decision += 1
    return _assemble(catalogue, campaigns, events, shown, owner, decision_of, num_users, num_days)


def _catalogue(count: int) -> Catalogue:
    base = Catalogue.of_ids([f"i{k}" for k in range(count)])
    base.categories[:] = [f"Top {k % 3} > Leaf {k % 6}" for k in range(count)]
    base.brands[:] = [f"Brand {k % 4}" for k in range(count)]
    base.titles[:] = [f"Product {k} 连衣裙" for k in range(count)]
    base.price_micros[:] = [(10 + k) * 1_000_000 for k in range(count)]
    return base


def _visit(at: int, item: int, slot: int, campaign: int, random: np.random.Generator):
    buys = random.random() < 0.5
    made = empty_events(1 + 2 * buys)
    made["timestamp_us"] = [at, at + 60_000_000, at + 3_600_000_000][: len(made)]
    made["item"] = item
    made["action"] = [Action.CLICK, Action.ADD_TO_CART, Action.PURCHASE][: len(made)]
    made["dwell_ms"][0] = random.exponential(20_000) + 500
    made["flags"][0] = random.random() < 0.2
    made["slot"][0], made["campaign"][0] = slot, campaign
    return made


def _assemble(catalogue, campaigns, events, shown, owner, decision_of, num_users, num_days):
    flat, user = np.concatenate(events), np.array(owner)
    order = np.lexsort((flat["timestamp_us"], user))
    flat, user, decision_of = flat[order], user[order], np.array(decision_of)[order]
    impressions = np.array(shown, dtype=IMPRESSION)
    impressions = impressions[np.argsort(impressions["timestamp_us"], kind="stable")]
    cuts = [START_US + (num_days - back) * DAY_US for back in (3, 1)]
    shop = ShopConfig(
        currency="EUR",
        log=LogConfig(resolution="microsecond"),
        split=SplitConfig(),
        placements=("home",),
    )
    return Dataset(
        shop=shop,
        user_ids=[f"u{k}" for k in range(num_users)],
        catalogue=catalogue,
        campaigns=campaigns,
        histories=Histories(
            events=flat,
            offsets=np.searchsorted(user, np.arange(num_users + 1)).astype(np.int64),
        ),
        event_split=np.searchsorted(cuts, flat["timestamp_us"], side="right").astype(np.uint8),
        impressions=impressions,
        impression_split=np.searchsorted(cuts, impressions["timestamp_us"], side="right").astype(
            np.uint8
        ),
        event_decision=decision_of.astype(np.int64),
        train_end_us=cuts[0],
        validation_end_us=cuts[1],
        end_us=int(flat["timestamp_us"].max()) + 1,
    )


@pytest.fixture
def make_dataset() -> Callable[..., Dataset]:
    """Return the builder, for tests that want another seed or size."""
    return build_dataset


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    """Return the small shop."""
    return build_dataset()


@pytest.fixture(scope="session")
def fitted(dataset):
    """Return a short fit of the small shop."""
    from endcap.model import ModelConfig
    from endcap.train import TrainConfig, fit

    model = ModelConfig(dim=16, max_history=12, hidden=16, dropout=0.1)
    return fit(dataset, config=TrainConfig(model=model, epochs=2, batch_size=64))


@pytest.fixture(scope="session")
def model_folder(fitted, tmp_path_factory):
    """Return the folder of that fit."""
    from endcap.api.fitting import write_model

    folder = tmp_path_factory.mktemp("fit") / "small.model"
    write_model(fitted, folder, fingerprint="test", metrics=[])
    return folder


@pytest.fixture(scope="session")
def predictor(model_folder):
    """Return the predictor of that folder."""
    from endcap.artifact import load_artifact
    from endcap.predict import NetworkPredictor

    return NetworkPredictor(load_artifact(model_folder))
