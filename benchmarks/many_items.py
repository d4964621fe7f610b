"""Train on a made-up log of a million items, and tell what a step takes and how much memory.

Run with `OMP_NUM_THREADS=1 python -m benchmarks.many_items [--items 1000000] [--steps 200]`. Every
item is met at least once; the rest of the events go to items by popularity (Zipf). Each item has a
category path, a brand and a price. Validation ranks all items, as always.
"""

import argparse

import numpy as np

from benchmarks.shops import write_report
from benchmarks.watch import Watch, peak_gb
from endcap.schema import (
    IMPRESSION,
    Action,
    Campaigns,
    Catalogue,
    Dataset,
    Histories,
    NextItem,
    ShopConfig,
    make_events,
)
from endcap.train import TrainConfig, fit

DAY_US = 86_400_000_000
EVENTS_PER_ITEM, EVENTS_PER_USER = 1.5, 12
DAYS = 30
VALIDATION_SHOPPERS_EVERY = 50
"""One shopper in so many comes back on the validation day."""


def catalogue(count: int, random: np.random.Generator) -> Catalogue:
    made = Catalogue.of_ids([f"i{row}" for row in range(count)])
    leaf = random.integers(2_000, size=count)
    made.categories[:] = [f"Top {k % 40} > Leaf {k}" for k in leaf]
    made.brands[:] = [f"Brand {k}" for k in random.zipf(1.3, size=count) % 20_000]
    made.price_micros[:] = np.exp(random.normal(3, 1, size=count)).astype(np.int64) * 1_000_000
    return made


def dataset(num_items: int, *, seed: int = 0) -> Dataset:
    random = np.random.default_rng(seed)
    num_events = int(EVENTS_PER_ITEM * num_items)
    num_users = num_events // EVENTS_PER_USER
    popular = random.zipf(1.2, size=num_events - num_items) % num_items
    item = random.permutation(np.concatenate([np.arange(num_items), popular]))
    user = np.sort(random.integers(num_users, size=num_events))
    at_us = random.integers(DAYS * DAY_US, size=num_events)
    comes_back = user % VALIDATION_SHOPPERS_EVERY == 0
    is_later = comes_back & (random.random(num_events) < 0.2)
    at_us = 20_000 * DAY_US + np.where(is_later, DAYS * DAY_US + at_us // DAYS, at_us)
    order = np.lexsort((at_us, user))
    cuts = [(20_000 + DAYS) * DAY_US, (20_001 + DAYS) * DAY_US]
    events = make_events(
        timestamp_us=at_us[order], item=item[order], action=np.full(num_events, Action.VIEW)
    )
    shown = np.zeros(0, dtype=IMPRESSION)
    return Dataset(
        shop=ShopConfig(tasks=(NextItem(name="next"),)),
        user_ids=[f"u{row}" for row in range(num_users)],
        catalogue=catalogue(num_items, random),
        campaigns=Campaigns(),
        histories=Histories(
            events=events,
            offsets=np.searchsorted(user, np.arange(num_users + 1)).astype(np.int64),
        ),
        event_split=np.searchsorted(cuts, events["timestamp_us"], side="right").astype(np.uint8),
        impressions=shown,
        impression_split=np.zeros(0, dtype=np.uint8),
        event_decision=np.full(num_events, -1, dtype=np.int64),
        train_end_us=cuts[0],
        validation_end_us=cuts[1],
        end_us=cuts[1],
    )


def run(num_items: int, steps: int) -> None:
    made = dataset(num_items)
    before = peak_gb()
    config = TrainConfig(epochs=1, questions_per_epoch=256 * steps)
    watch = Watch()
    fitted = fit(made, config=config, report=watch)
    watch.end()
    wall, cpu = np.median(np.diff(watch.steps, axis=0), axis=0)
    told = fitted.progress.history[0]
    write_report(
        f"many_items_{num_items}",
        [
            f"# {num_items:,} items, {len(made.histories.events):,} events",
            "",
            f"{len(watch.steps)} steps of 256 questions; a step takes {cpu:.3f} CPU s in the "
            f"median ({wall:.3f} s of wall time). Peak memory {peak_gb():.2f} GB, of which the log "
            f"took {before:.2f}. Training loss {told.objective:.2f} (scaled)"
            f", NDCG@10 {told.validation['next_ndcg@10']:.4f}.",
            "",
            "| stage | seconds | CPU seconds | peak so far, GB |",
            "|---|---|---|---|",
            *watch.lines,
        ],
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--steps", type=int, default=200)
    given = parser.parse_args()
    run(given.items, given.steps)
