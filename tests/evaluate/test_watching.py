"""What comes later is compared with what was watched, not with a horizon that had no time."""

import numpy as np
import pytest

from endcap.evaluate.watching import constant_chance, label_of
from endcap.train.targets import BinaryTarget, HazardTarget


def target_of(*, observed, bins, limit_bins, shares):
    return HazardTarget(
        asked=np.ones(len(observed), dtype=bool),
        observed=np.array(observed, dtype=bool),
        bin=np.array(bins, dtype=np.int64),
        limit_bin=np.array(limit_bins, dtype=np.int64),
        limit_share=np.array(shares, dtype=np.float32),
        limit_hours=np.zeros(len(observed)),
    )


def test_the_curve_of_training_days_counts_who_was_still_watched():
    # four rows: one event in bin 0; one watched through half of bin 1; two to the end of bin 1,
    # one of them with an event there
    target = target_of(
        observed=[1, 0, 1, 0], bins=[0, 0, 1, 0], limit_bins=[1, 1, 1, 1], shares=[1, 0.5, 1, 1]
    )
    everyone = np.ones(4, dtype=bool)
    chance = constant_chance(target, everyone, np.arange(4))
    first, second = 1 / 4, 1 / 2.5
    assert chance[0] == pytest.approx(1 - (1 - first) * (1 - second))
    assert chance[1] == pytest.approx(1 - (1 - first) * (1 - second / 2))


def test_a_yes_or_no_has_one_rate():
    target = BinaryTarget(asked=np.ones(4, dtype=bool), label=np.array([1, 0, 0, 1], np.float32))
    training = np.array([True, True, True, False])
    np.testing.assert_allclose(constant_chance(target, training, np.array([3])), [1 / 3])
    np.testing.assert_array_equal(label_of(target), [1, 0, 0, 1])
