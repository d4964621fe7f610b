"""Figures of counts and categories, by hand."""

import numpy as np
import pytest

from endcap.evaluate.kinds import category_rows, count_losses, count_rows
from endcap.schema import Split

USER = np.array([0, 0, 1, 2], dtype=np.int32)


def told(rows):
    return {(row.metric, row.model): row.value for row in rows}


def test_a_count_is_measured_beside_the_mean_and_variance_of_training():
    count, usual = np.array([0, 2, 1, 5]), np.array([0, 0, 4, 4])
    said = (np.array([1.0, 2.0, 1.0, 4.0]), np.full(4, 3.0))
    rows = told(count_rows("clicks", Split.TEST, USER, count, said, usual))
    assert rows["mae", "endcap"] == pytest.approx((1 + 0 + 0 + 1) / 4)
    assert rows["mae", "base rate"] == pytest.approx((2 + 0 + 1 + 3) / 4)
    assert rows["expected_over_seen", "endcap"] == 1.0
    # of mean 2 and variance 4, so of size 2: P(0) = (2 / 4) ** 2
    nothing = count_losses(np.array([0]), np.array([2.0]), np.array([2.0]))
    assert nothing[0] == pytest.approx(-2 * np.log(0.5))
    assert rows["log_loss difference", "endcap - base rate"] == pytest.approx(
        rows["log_loss", "endcap"] - rows["log_loss", "base rate"]
    )


def test_a_category_is_measured_beside_how_often_each_came():
    category = np.array([0, 1, 1, 0])
    shares = np.array([[0.8, 0.2], [0.5, 0.5], [0.1, 0.9], [0.4, 0.6]])
    usual = np.array([1, 1, 0])
    rows = told(category_rows("next_category", Split.TEST, USER, category, shares, usual))
    assert rows["hit_rate", "endcap"] == 0.5  # of a tie the first is told
    assert rows["hit_rate", "base rate"] == 0.5
    assert rows["log_loss", "endcap"] == pytest.approx(-np.log([0.8, 0.5, 0.9, 0.4]).mean())
    assert rows["log_loss", "base rate"] == pytest.approx(-np.log([0.4, 0.6, 0.6, 0.4]).mean())
