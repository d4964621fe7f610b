"""Measure how many page views a second the made-up shop responds to, on one core.

Run with `OMP_NUM_THREADS=1 python benchmarks/world_speed.py`. The pages are given: random items,
two ads in ten slots, every mechanism on, and shoppers who remember earlier clicks.
"""

import os
import time
from datetime import UTC, datetime
from statistics import median

import numpy as np

from endcap.simulate import Pages, World

NUM_PAGES = 20_000
CHUNK = 2_000
RUNS = 5
TARGET = 20_000


def make_pages(world: World, count: int) -> Pages:
    random = np.random.default_rng(0)
    layout = (count, world.config.slots)
    campaign = np.full(layout, -1)
    campaign[:, [1, 7]] = random.integers(0, world.config.campaigns, (count, 2))
    return Pages(
        shopper=random.integers(0, world.config.shoppers, count),
        day=np.zeros(count, dtype=np.int64),
        session=np.zeros(count, dtype=np.int64),
        page=np.arange(count),
        at_us=world.opening_us + random.integers(0, 86_400, count) * 1_000_000,
        device=random.integers(1, 3, count),
        item=random.integers(0, world.config.items, layout),
        campaign=campaign,
    )


def remember_some(world: World) -> None:
    """Let every shopper have clicked 20 items."""
    random = np.random.default_rng(1)
    shopper = np.repeat(np.arange(world.config.shoppers), 20)
    item = random.integers(0, world.config.items, len(shopper))
    days = np.zeros(len(shopper), dtype=np.float32)
    world.memory.click(shopper, item, days, world.goods, world.goes_with)


def pages_a_second(world: World, pages: list[Pages]) -> float:
    start = time.perf_counter()
    for chunk in pages:
        world.respond(chunk)
    return sum(len(chunk) for chunk in pages) / (time.perf_counter() - start)


def main() -> None:
    world = World()
    remember_some(world)
    chunks = [make_pages(world, CHUNK) for _ in range(NUM_PAGES // CHUNK)]
    pages_a_second(world, chunks[:1])
    speeds = [pages_a_second(world, chunks) for _ in range(RUNS)]
    now = datetime.now(UTC).date().isoformat()
    print(f"{now}: {median(speeds):,.0f} pages/s, median of {RUNS} (least {min(speeds):,.0f}),")
    print(f"{NUM_PAGES:,} pages of {world.config.slots} slots, one core of {os.cpu_count()},")
    print(f"numpy {np.__version__}; target {TARGET:,}: {median(speeds) >= TARGET}.")


if __name__ == "__main__":
    main()
