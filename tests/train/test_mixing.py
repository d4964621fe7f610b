"""Weights beside the network are moved by what users tell, not by luck."""

import numpy as np

from endcap.features import Mix
from endcap.train import mixing
from endcap.train.mix_columns import DECAYS, MixColumns, _pruned, _stacked
from endcap.train.mixing import _ndcg, _search, _worth


def columns_of(num_users, share, seed=0, num_items=40):
    """Some users come back to one item that they had; the network knows nothing."""
    random = np.random.default_rng(seed)
    own = random.integers(num_items, size=num_users)
    wanted = np.where(
        random.random(num_users) < share, own, random.integers(num_items, size=num_users)
    )
    repeat = np.zeros((num_users, num_items), dtype=np.float32)
    repeat[np.arange(num_users), own] = np.log1p(1)
    is_wanted = np.zeros_like(repeat, dtype=np.bool_)
    is_wanted[np.arange(num_users), wanted] = True
    return MixColumns(
        network=random.normal(size=(num_users, num_items)).astype(np.float32),
        memories={"memory": {decay: np.zeros_like(repeat) for decay in (0.5, 0.75, 0.95)}},
        repeat=repeat,
        popularity=np.zeros_like(repeat),
        is_wanted=is_wanted,
    )


def test_many_users_who_come_back_raise_the_weight_of_repeats():
    assert _search(columns_of(400, 0.6), Mix()).repeat >= 2


def test_one_user_of_twelve_who_comes_back_moves_nothing(monkeypatch):
    columns = columns_of(12, 0.0)
    columns.is_wanted[:] = np.arange(40) == 3
    columns.repeat[:] = 0.0
    columns.repeat[0, 3] = np.log1p(1)
    columns.network[:, 3] = -9.0  # nobody's list holds it, but for the one who had it before
    assert _search(columns, Mix()) == Mix()
    monkeypatch.setattr(mixing, "ERRORS", 0.0)
    assert _search(columns, Mix()).repeat > 0


def test_items_that_are_left_out_would_reach_no_list():
    random = np.random.default_rng(3)
    shape = (30, 3_000)
    sparse = {d: random.exponential(size=shape) * (random.random(shape) < 0.01) for d in DECAYS}
    whole = MixColumns(
        network=random.normal(size=shape).astype(np.float32),
        memories={
            "memory": {decay: column.astype(np.float32) for decay, column in sparse.items()},
            "linear": {decay: column[::-1].astype(np.float32) for decay, column in sparse.items()},
        },
        repeat=(np.log1p(1) * (random.random(shape) < 0.02)).astype(np.float32),
        popularity=np.broadcast_to(random.exponential(size=3_000).astype(np.float32), shape),
        is_wanted=random.random(shape) < 0.05,
    )
    whole.network[:, ::7] = -np.inf
    part = _stacked([_pruned(whole)])
    assert part.network.shape[1] < 1_500
    assert (part.is_wanted.sum(axis=1) == whole.is_wanted.sum(axis=1)).all()
    for mix in (
        Mix(),
        Mix(repeat=-8.0, popularity=0.25),
        Mix(repeat=32.0),
        Mix(memory=30.0, decay=0.95),
        Mix(linear=100.0, memory=5.0),
        Mix(memory=5.0, decay=0.5, popularity=8.0, repeat=-1e4),
    ):
        assert _ndcg(whole, mix).max() > 0
        np.testing.assert_array_equal(_ndcg(part, mix), _ndcg(whole, mix))


def test_a_gain_counts_less_its_error_and_one_user_tells_nothing():
    gain = np.array([0.3, 0.1, 0.2, 0.2])
    np.testing.assert_allclose(_worth(gain), 0.2 - mixing.ERRORS * np.sqrt(0.02 / 3) / 2)
    assert _worth(gain[:1]) == 0.0
