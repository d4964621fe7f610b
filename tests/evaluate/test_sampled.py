import numpy as np
import pytest

from endcap.evaluate.tasks import as_sampled


def test_a_chance_among_sampled_rows_is_the_share_of_buyers_there():
    chance, buyers, others = 0.01, 1.0, 0.1  # of 100 rows one buyer and 9.9 others are kept
    found = as_sampled(np.array([chance]), np.log(np.array([buyers / others])))
    assert found[0] == pytest.approx(0.01 / (0.01 + 0.99 * 0.1))


def test_a_row_that_was_not_sampled_keeps_its_chance():
    chance = np.array([0.0, 0.3, 1.0])
    assert as_sampled(chance, np.zeros(3)).tolist() == chance.tolist()
