"""How long one page takes in process, beside the model's two graphs and the page rule alone.

Run from the repository: `OMP_NUM_THREADS=1 python -m benchmarks.decide_latency`. A request has
500 products and 20 ads as candidates, a shopper of 200 events, and 40 slots. The cost does not
depend on the weights, so the model is fitted for one epoch on a made-up shop.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import endcap
from benchmarks.protocols.ours import Teller
from benchmarks.protocols.report import facts_of, save
from endcap.api.demo import live
from endcap.api.fitting import fit_dataset
from endcap.decide import problem_of, solve
from endcap.engine import Settings
from endcap.model import ModelConfig
from endcap.prep import encode, read
from endcap.schema import Campaigns, Catalogue, MetricRow, Query, ShopEvent
from endcap.simulate import World, WorldConfig
from endcap.train import TrainConfig

REQUESTS, WARM_UP = 400, 40
PRODUCTS, ADS, EVENTS, SLOTS, SHOPPERS = 500, 20, 200, 40, 20
SHOP = WorldConfig(items=PRODUCTS, new_items_per_day=0, campaigns=ADS, shoppers=100)
MINUTE_US = 60_000_000

ROWS = (
    "Engine.decide",
    "the two graphs alone",
    "the page rule alone",
    "Engine.decide / graphs + page rule",
)


class Recorded:
    """A session that keeps what it was asked, so that the same call can be made alone."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.feeds: dict[str, Any] = {}

    def run(self, names: None, feeds: dict[str, Any]) -> Any:
        self.feeds = feeds
        return self.session.run(names, feeds)

    def again(self) -> Any:
        return self.session.run(None, self.feeds)


def fit_small(folder: Path) -> tuple[endcap.Model, World]:
    """Let the made-up shop live some days, and fit one epoch with room for 200 events."""
    world, _ = live(SHOP, days=6, folder=folder / "log")
    config = TrainConfig(model=ModelConfig(max_history=EVENTS), epochs=1)
    fit_dataset(encode(read(folder / "log")), folder / "m.model", config=config, report=Teller())
    return endcap.load(folder / "m.model"), world


def open_shop(model: endcap.Model, world: World) -> endcap.Engine:
    """Sell every product, and let every campaign speak with one ad and money enough."""
    known: Catalogue = model.artifact.catalogue
    if known.num_items != PRODUCTS:
        raise SystemExit(f"The catalogue has {known.num_items} products, not {PRODUCTS}.")
    campaigns = [
        replace(
            campaign,
            item_ids=campaign.item_ids[:1],
            placements=(),
            dayparts=tuple(range(24)),
            start_at_us=0,
            end_at_us=2**60,
            daily_budget_micros=10**12,
        )
        for campaign in world.campaigns().rows
    ]
    now = model.artifact.manifest.log_end_us + 1440 * MINUTE_US
    engine = endcap.Engine(
        model,
        catalogue=replace(
            known,
            available=np.ones(PRODUCTS, dtype=bool),
            stock=np.full(PRODUCTS, -1, dtype=known.stock.dtype),
        ),
        campaigns=Campaigns(rows=tuple(campaigns)),
        secret=bytes(32),
        settings=Settings(clock=lambda: now, sample_inputs=0.01),
    )
    random = np.random.default_rng(0)
    kinds = ("view", "click", "click", "add_to_cart", "purchase")
    for shopper in range(SHOPPERS):
        engine.observe(
            [
                ShopEvent(
                    user_id=f"measured{shopper}",
                    event_type=kinds[random.integers(len(kinds))],
                    item_id=str(known.item_ids[random.integers(PRODUCTS)]),
                    timestamp_us=now - (EVENTS - n) * 37 * MINUTE_US,
                )
                for n in range(EVENTS)
            ]
        )
    return engine


def measure(engine: endcap.Engine) -> dict[str, np.ndarray]:
    """Time a request, then the graphs on the same arrays, then the page rule on its problem."""
    predictor: Any = engine._predictor
    graphs = predictor.graphs
    graphs._read, graphs._respond = Recorded(graphs._read), Recorded(graphs._respond)
    times = np.zeros((3, REQUESTS + WARM_UP))
    for n in range(REQUESTS + WARM_UP):
        query = Query(
            user_id=f"measured{n % SHOPPERS}", placements={"home": SLOTS}, device="mobile"
        )
        times[0, n], decision = timed(partial(engine.decide, query))
        check(decision, predictor)
        problem = problem_of(decision)
        times[1, n], _ = timed(lambda: (graphs._read.again(), graphs._respond.again()))
        times[2, n], _ = timed(partial(solve, problem))
    whole, graphs, rule = 1e3 * times[:, WARM_UP:]
    return dict(zip(ROWS, (whole, graphs, rule, whole / (graphs + rule)), strict=True))


def check(decision: endcap.Decision, predictor: Any) -> None:
    """Stop where a request is smaller than the one that is promised."""
    read, respond = predictor.graphs._read.feeds, predictor.graphs._respond.feeds
    asked = respond["campaign"].shape[1], int(read["length"][0])
    if asked != (PRODUCTS + ADS, EVENTS) or len(decision.chosen) != SLOTS or decision.degraded:
        raise SystemExit(f"Not the request: {asked}, {len(decision.chosen)}, {decision.degraded}.")


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    answer = call()
    return time.perf_counter() - start, answer


def table(times: dict[str, np.ndarray]) -> str:
    head = "| | p50 | p90 | p99 | least |\n|---|---|---|---|---|"
    lines = []
    for name, values in times.items():
        unit = "" if "/" in name else " ms"
        found = [*np.percentile(values, (50, 90, 99)), values.min()]
        lines.append(f"| {name} | " + " | ".join(f"{value:.2f}{unit}" for value in found) + " |")
    return "\n".join([head, *lines])


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="endcap-") as folder:
        engine = open_shop(*fit_small(Path(folder)))
        times = measure(engine)
    facts = facts_of("decide_latency", [])
    facts |= {
        "request": f"{PRODUCTS} products and {ADS} ads, {EVENTS} events, {SLOTS} slots",
        "seeds": f"shop {SHOP.seed}, fit 0, histories 0",
        "requests": f"{REQUESTS} after {WARM_UP} of warming up, one thread, measured in turn",
        "intervals": "none: percentiles over requests",
    }
    rows = [
        MetricRow(
            task="request",
            metric=metric,
            model=name,
            split="",
            value=float(np.percentile(values, share)),
            n=REQUESTS,
        )
        for name, values in times.items()
        for metric, share in (("p50", 50), ("p90", 90), ("p99", 99))
    ]
    save("decide_latency", facts, [table(times)], rows)


if __name__ == "__main__":
    main()
