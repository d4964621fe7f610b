"""A planted log: whoever clicks something of the first category wants the second for some hours."""

import numpy as np
import pytest

from endcap.model import ModelConfig
from endcap.schema import DEFAULT_TASKS, Action
from endcap.train import TrainConfig, fit

HOUR = 3_600_000_000
CATEGORIES = ["Cases", "Phones", "Cables", "Lamps"]
CAUSE, EFFECT = 0, 1
ITEMS = 12
USUAL, WANTED = 0.1, 0.7


@pytest.fixture(scope="module")
def pairs():
    """Fit on 250 shoppers with eight pages of four slots each, and return what was learned."""
    from tests.train.conftest import write_log

    random, rows, shown = np.random.default_rng(0), [], []
    for user in range(250):
        at_us = int(random.integers(24 * HOUR, 240 * HOUR))
        wants = False
        for _ in range(8):
            at_us += HOUR
            clicked = []
            for slot, item in enumerate(random.choice(ITEMS, size=4, replace=False)):
                shown.append((user, at_us, int(item), slot))
                is_wanted = wants and item % len(CATEGORIES) == EFFECT
                if random.random() < (WANTED if is_wanted else USUAL):
                    clicked.append(int(item))
            rows += [(user, at_us + 1_000_000, item, Action.CLICK) for item in clicked]
            wants |= any(item % len(CATEGORIES) == CAUSE for item in clicked)
    cuts = (200 * HOUR, 230 * HOUR, 260 * HOUR)
    # Clicks alone: the best epoch of a log of 250 shoppers should not hang on who returns when.
    tasks = tuple(task for task in DEFAULT_TASKS if task.name == "click")
    log = write_log(rows, shown, num_items=ITEMS, cuts=cuts, tasks=tasks)
    log.catalogue.categories[:] = [CATEGORIES[item % len(CATEGORIES)] for item in range(ITEMS)]
    config = TrainConfig(
        model=ModelConfig(dim=16, hidden=16, max_history=10), epochs=12, batch_size=64
    )
    network = fit(log, config=config).network
    return network.effects.excitation.pairs[0].detach().numpy()


def test_the_planted_pair_stands_out(pairs):
    others = np.delete(pairs.ravel(), CAUSE * len(CATEGORIES) + EFFECT)
    assert pairs[CAUSE, EFFECT] > 0.5
    assert pairs[CAUSE, EFFECT] > 3 * np.abs(others).max()
