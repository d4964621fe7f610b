"""Figures of chances, worked out by hand: calibration by bin and by slot beside the base rate."""

import numpy as np
import pytest

from endcap.evaluate.chances import LEAST_SHOWN, Answers, Slots, chance_rows


@pytest.fixture(scope="module")
def figures():
    """Two slots of 60 places: the first is clicked by half, the second by a tenth."""
    first, second = np.repeat([1.0, 0.0], [30, 30]), np.repeat([1.0, 0.0], [6, 54])
    answers = Answers(
        task="click",
        label=np.concatenate([first, second, [1.0]]),
        probability=np.concatenate([np.full(60, 0.6), np.full(60, 0.1), [0.5]]),
        constant=np.full(121, 0.25),
        user=np.arange(121, dtype=np.int32) % 11,
        slots=Slots(
            names={0: "home/0", 1: "home/1", 2: "home/2"},
            number=np.concatenate([np.zeros(60), np.ones(60), [2]]).astype(np.int64),
            rate=np.concatenate([np.full(60, 0.5), np.full(60, 0.1), [0.3]]),
            picked=np.arange(121) < 60,
        ),
        trees=np.concatenate([np.full(60, 0.5), np.full(60, 0.1), [0.5]]),
    )
    return {(row.metric, row.model, row.group): row for row in chance_rows(answers)}


def test_each_slot_says_what_was_said_and_what_came(figures):
    assert figures["predicted", "endcap", "slot=home/0"].value == pytest.approx(0.6)
    came = figures["happened", "endcap", "slot=home/0"]
    assert came.value == pytest.approx(0.5) and came.n == 60
    assert came.low < 0.5 < came.high
    assert figures["ece", "endcap", "slot=home/0"].value == pytest.approx(0.1)
    assert figures["ece", "endcap", "slot=home/1"].value == pytest.approx(0.0)


def test_a_slot_stands_beside_its_own_base_rate(figures):
    entropy = -(0.5 * np.log(0.5) + 0.5 * np.log(0.5))
    assert figures["log_loss", "base rate", "slot=home/0"].value == pytest.approx(entropy)
    ours = -(0.5 * np.log(0.6) + 0.5 * np.log(0.4))
    difference = figures["log_loss difference", "endcap - base rate", "slot=home/0"]
    assert difference.value == pytest.approx(ours - entropy)


def test_a_slot_that_promises_too_much_says_by_how_much(figures):
    ratio = figures["pcoc", "endcap", "slot=home/0"]
    assert ratio.value == pytest.approx(0.6 / 0.5)
    assert ratio.low < 1.2 < ratio.high
    assert figures["pcoc", "endcap", "slot=home/1"].value == pytest.approx(1.0)


def test_what_promises_most_on_its_page_is_measured_apart(figures):
    assert figures["pcoc", "endcap", "pick=the best of its page"].value == pytest.approx(1.2)
    others = figures["happened", "endcap", "pick=the others"]
    assert others.value == pytest.approx(7 / 61) and others.n == 61


def test_trees_stand_beside_the_model(figures):
    assert figures["auc", "boosted trees", ""].value > 0.7
    ours, trees = (figures["log_loss", model, ""].value for model in ("endcap", "boosted trees"))
    difference = figures["log_loss difference", "endcap - boosted trees", ""]
    assert difference.value == pytest.approx(ours - trees)
    assert ours > trees  # .6 was said of what came by half


def test_a_slot_that_was_hardly_shown_is_left_out(figures):
    assert LEAST_SHOWN > 1
    assert not any(group == "slot=home/2" for _, _, group in figures)


def test_bins_hold_all_that_was_asked(figures):
    bins = [row for (metric, _, group), row in figures.items()
            if metric == "happened" and group.startswith("bin=")]  # fmt: skip
    assert sum(row.n for row in bins) == 121
    assert sum(row.n * row.value for row in bins) == pytest.approx(37)


def test_a_constant_orders_nothing(figures):
    assert figures["auc", "base rate", ""].value == 0.5
    assert figures["auc", "endcap", ""].value > 0.7
