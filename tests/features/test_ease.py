import numpy as np
import pytest
from scipy import sparse

from endcap.features import ease_weights


def test_two_items_by_hand():
    """X'X + 1 = [[3, 1], [1, 2]], its inverse [[2, -1], [-1, 3]] / 5."""
    seen = sparse.csr_matrix(np.array([[1.0, 1.0], [1.0, 0.0]]))
    np.testing.assert_allclose(ease_weights(seen, 1.0), [[0, 1 / 3], [1 / 2, 0]], rtol=1e-6)


def test_it_solves_the_regression_of_each_item_on_all_others():
    """Column i is the ridge regression of item i on the others, each without itself."""
    random = np.random.default_rng(0)
    seen = (random.random((60, 8)) < 0.3).astype(np.float64)
    seen[np.arange(8), np.arange(8)] = 1.0
    found = ease_weights(sparse.csr_matrix(seen), 2.0)
    for item in range(8):
        others = np.delete(np.arange(8), item)
        x, y = seen[:, others], seen[:, item]
        expected = np.linalg.solve(x.T @ x + 2.0 * np.eye(7), x.T @ y)
        assert found[others, item] == pytest.approx(expected, abs=1e-5)
        assert found[item, item] == 0.0
