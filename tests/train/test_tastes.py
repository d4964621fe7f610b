import numpy as np
import pytest

from endcap.features import NUM_COUNTERS, ContextScales, CounterColumn, CounterHistory, ItemColumns
from endcap.features import TasteStrengths as Strengths
from endcap.schema import Action, Catalogue, make_events
from endcap.train.tastes import GRID, LEAST_CLICKS, fit_scales, learn_strengths

NUM_TOPS, PER_TOP, RATE = 4, 5, 0.2


@pytest.fixture(scope="module")
def columns():
    paths = [f"Top {t} > Leaf {k}" for t in range(NUM_TOPS) for k in range(PER_TOP)]
    made = Catalogue.of_ids([f"i{k}" for k in range(len(paths))])
    made.categories[:] = paths
    return ItemColumns.of(made, ContextScales())


@pytest.fixture(scope="module")
def counters():
    """Every item draws the shop's rate: 0.2."""
    made = np.zeros((NUM_TOPS * PER_TOP, NUM_COUNTERS), dtype=np.float32)
    made[:, CounterColumn.IMPRESSIONS], made[:, CounterColumn.CLICKS] = 1_000, 1_000 * RATE
    return made


def shoppers(random, tops, leaves, *, count=300, times=20):
    """Make shoppers whose rates vary by top and by leaf as Gamma variates of given shapes."""
    found = []
    for _ in range(count):
        taste = np.ones(NUM_TOPS * PER_TOP)
        if tops:
            taste *= np.repeat(random.gamma(tops, 1 / tops, NUM_TOPS), PER_TOP)
        if leaves:
            taste *= random.gamma(leaves, 1 / leaves, len(taste))
        seen = np.tile(np.arange(len(taste)), times)
        hits = np.repeat(np.arange(len(taste)), random.poisson(RATE * taste * times))
        shown = make_events(
            timestamp_us=range(len(seen)), item=seen, action=Action.IMPRESSION, slot=0
        )
        done = make_events(timestamp_us=range(len(hits)), item=hits, action=Action.CLICK)
        found.append((done, shown))
    return found


@pytest.mark.parametrize("shape", [1.0, 4.0, 16.0])
def test_the_strength_of_the_categories_is_that_of_the_shoppers(columns, counters, shape):
    random = np.random.default_rng(1)
    found = learn_strengths(shoppers(random, shape, None), columns, counters)
    # In expected clicks of the shopper's own: a Gamma of shape a and mean 1 is worth a of them.
    assert shape / 1.6 <= found.top <= shape * 1.6
    assert found.leaf >= 64


def test_leaves_that_differ_in_their_category_are_held_less(columns, counters):
    random = np.random.default_rng(2)
    found = learn_strengths(shoppers(random, 8.0, 1.0), columns, counters)
    assert found.leaf <= 4.0


def test_shoppers_without_tastes_are_all_alike(columns, counters):
    random = np.random.default_rng(3)
    found = learn_strengths(shoppers(random, None, None), columns, counters)
    assert min(found.shopper, found.top, found.leaf) >= 64
    assert found.brand in GRID


def test_few_clicks_teach_no_strength(columns, counters):
    random = np.random.default_rng(4)
    few = shoppers(random, 1.0, None, count=1, times=1)
    assert sum(len(done) for done, _ in few) < LEAST_CLICKS
    assert learn_strengths(few, columns, counters) == Strengths()
    assert learn_strengths([], columns, counters) == Strengths()


def test_what_comes_after_the_training_days_changes_no_scale(dataset):
    known = np.ones(dataset.catalogue.num_items, dtype=np.bool_)
    scales = fit_scales(dataset, CounterHistory(dataset), known)
    events = dataset.histories.events.copy()
    late = events["timestamp_us"] >= dataset.train_end_us
    assert late.any()
    events["item"][late] = 0
    events["action"][late] = Action.CLICK
    histories = type(dataset.histories)(events=events, offsets=dataset.histories.offsets)
    changed = type(dataset)(**{**vars(dataset), "histories": histories})
    assert fit_scales(changed, CounterHistory(changed), known) == scales
