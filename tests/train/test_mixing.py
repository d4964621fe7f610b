"""Weights beside the network are moved by what users tell, not by luck."""

import numpy as np

from endcap.features import Mix
from endcap.train import mixing
from endcap.train.mixing import _Columns, _search, _worth


def columns_of(num_users, share, seed=0, num_items=40):
    """Some users come back to one item that they had; the network knows nothing."""
    random = np.random.default_rng(seed)
    own = random.integers(num_items, size=num_users)
    wanted = np.where(
        random.random(num_users) < share, own, random.integers(num_items, size=num_users)
    )
    repeat = np.zeros((num_users, num_items), dtype=np.float32)
    repeat[np.arange(num_users), own] = np.log1p(1)
    return _Columns(
        network=random.normal(size=(num_users, num_items)).astype(np.float32),
        memory={decay: np.zeros_like(repeat) for decay in (0.5, 0.75, 0.95)},
        repeat=repeat,
        popularity=np.zeros(num_items, dtype=np.float32),
        targets=[np.array([item], dtype=np.int32) for item in wanted],
    )


def test_many_users_who_come_back_raise_the_weight_of_repeats():
    assert _search(columns_of(400, 0.6), Mix()).repeat >= 2


def test_one_user_of_twelve_who_comes_back_moves_nothing(monkeypatch):
    columns = columns_of(12, 0.0)
    columns.targets[:] = [np.array([3], dtype=np.int32)] * 12
    columns.repeat[:] = 0.0
    columns.repeat[0, 3] = np.log1p(1)
    columns.network[:, 3] = -9.0  # nobody's list holds it, but for the one who had it before
    assert _search(columns, Mix()) == Mix()
    monkeypatch.setattr(mixing, "ERRORS", 0.0)
    assert _search(columns, Mix()).repeat > 0


def test_a_gain_counts_less_its_error_and_one_user_tells_nothing():
    gain = np.array([0.3, 0.1, 0.2, 0.2])
    np.testing.assert_allclose(_worth(gain), 0.2 - mixing.ERRORS * np.sqrt(0.02 / 3) / 2)
    assert _worth(gain[:1]) == 0.0
