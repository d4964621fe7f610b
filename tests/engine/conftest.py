"""A small shop and a predictor whose answers can be worked out by hand."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import msgspec
import numpy as np
import pytest

from endcap.engine import Engine, Settings, State
from endcap.features import Counters
from endcap.schema import (
    DEFAULT_TASKS,
    Campaign,
    Campaigns,
    Catalogue,
    PageConfig,
    Predictions,
    Question,
    ShopConfig,
    SubjectKeys,
    Task,
)

DAY_US = 86_400_000_000
NOON_US = 20_000 * DAY_US + DAY_US // 2  # 2024-10-04, 12:00 UTC
SECRET = b"a secret of the tests"


class OddPredictor:
    """Odd rows are clicked more; a longer history lifts all; `broken` names what fails."""

    version = "odd-1"

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.asked: list[Question] = []
        self.num_items = 0

    def predict(self, question: Question) -> Predictions:
        self.asked.append(question)
        if "predict" in self.broken:
            raise RuntimeError("no model")
        context = np.stack(
            [question.item % 2, np.full(len(question.item), len(question.history))], axis=1
        ).astype(np.float32)
        told = self.repeat(question, context)
        if "nan" in self.broken:
            told.q[0] = np.nan
        if "worthless" in self.broken:
            told.q[:] = 0.0
        return replace(told, context=context)

    def repeat(self, question: Question, context: Any) -> Predictions:
        q = 0.02 + 0.05 * context[:, 0].astype(np.float64) + 0.0001 * context[:, 1]
        q += 0.0001 * question.item
        return Predictions(q=q, dwell_ms=np.full(len(q), 10_000.0), buy=np.full(len(q), 0.1))

    def retrieve(self, question: Question, limit: int) -> Any:
        if "retrieve" in self.broken:
            raise RuntimeError("no index")
        return np.arange(limit, dtype=np.int32)

    def examination(self, placement: str, slots: int, device: int) -> Any:
        if "examination" in self.broken:
            raise RuntimeError("not identifiable")
        return (0.9 if placement == "home" else 0.6) ** np.arange(slots)

    def learn_items(self, catalogue: Catalogue) -> None:
        self.num_items = catalogue.num_items

    def learn_campaigns(self, campaigns: Campaigns) -> None:
        pass


def make_catalogue(num_items: int, **columns: Any) -> Catalogue:
    plain = Catalogue.of_ids([f"i{row}" for row in range(num_items)])
    paths = [f"Shoes > Kind {row % 4}" if row % 3 else "Hats" for row in range(num_items)]
    return replace(
        plain,
        categories=np.array(paths, dtype=object),
        brands=np.array([f"b{row % 5}" for row in range(num_items)], dtype=object),
        price_micros=np.full(num_items, 10_000_000),
        **columns,
    )


def make_campaign(name: str, *items: str, **changes: Any) -> Campaign:
    return Campaign(
        **(
            {
                "campaign_id": name,
                "advertiser_id": f"of {name}",
                "item_ids": items,
                "bid_micros": 400_000,
                "daily_budget_micros": 10_000_000,
            }
            | changes
        )
    )


CAMPAIGNS = Campaigns(
    rows=(make_campaign("c0", "i2", "i4"), make_campaign("c1", "i7", bid_micros=700_000))
)


@pytest.fixture
def catalogue() -> Callable[..., Catalogue]:
    return make_catalogue


@pytest.fixture
def campaign() -> Callable[..., Campaign]:
    return make_campaign


@pytest.fixture
def predictor() -> OddPredictor:
    return OddPredictor()


@pytest.fixture
def build(predictor: OddPredictor) -> Callable[..., Engine]:
    """Make an engine; page settings by name."""

    def make(
        items: Catalogue | int = 20,
        campaigns: Campaigns = CAMPAIGNS,
        *,
        zone: str = "UTC",
        settings: dict[str, Any] | None = None,
        tasks: tuple[Task, ...] = DEFAULT_TASKS,
        **page: Any,
    ) -> Engine:
        catalogue = make_catalogue(items) if isinstance(items, int) else items
        numbers, keys = count(), count()
        shop = ShopConfig(
            zone=zone, placements=("home", "side"), page=PageConfig(**page), tasks=tasks
        )
        return Engine(
            predictor,
            shop=shop,
            catalogue=catalogue,
            campaigns=campaigns,
            state=State(
                counters=Counters(catalogue.num_items, with_fresh=shop.times_shown),
                subjects=SubjectKeys(lambda: f"s{next(keys)}"),
            ),
            secret=SECRET,
            settings=Settings(
                clock=lambda: NOON_US,
                make_id=lambda: f"d{next(numbers)}",
                **(settings or {}),
            ),
        )

    return make


@pytest.fixture
def changed() -> Callable[..., Any]:
    return msgspec.structs.replace
