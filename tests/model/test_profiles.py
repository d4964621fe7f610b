import numpy as np
import torch

from endcap.model.outputs import count_outputs, slices_of
from endcap.model.profiles import Profiles
from endcap.schema import Binary, NextCategory

TASKS = (
    Binary(name="click", event_type="click"),
    NextCategory(name="next_category", categories=("a", "b", "c")),
    Binary(name="cart", event_type="add-to-cart"),
    NextCategory(name="price_band", of="price", categories=("low", "high")),
)
WINDOWS = torch.tensor([[1, 3, 3, 0], [2, 0, 0, 0], [0, 0, 0, 0]])
"""Of kinds; 0 is an event of no kind, or no event."""


def test_a_window_tells_how_many_events_were_of_a_kind_and_which_came_last():
    told = Profiles.told(WINDOWS, 3)
    counts, last = told.unbind(-1)
    expected = np.log1p([[1, 0, 2], [0, 1, 0], [0, 0, 0]])
    np.testing.assert_allclose(counts, expected, rtol=1e-6)
    assert last.tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_each_task_is_told_of_its_own_kinds_and_no_other_task_of_any():
    profiles = Profiles(TASKS)
    with torch.no_grad():
        profiles.weight[:] = torch.tensor([[1.0, 10.0], [100.0, 1_000.0]])
    kinds = torch.stack([WINDOWS, torch.tensor([[2, 0, 0, 0], [0] * 4, [1, 2, 0, 0]])], dim=-1)
    added, places = profiles(kinds), slices_of(TASKS)
    one, two = np.log1p([1, 2])
    assert added.shape == (3, count_outputs(TASKS))
    np.testing.assert_allclose(
        added[:, places["next_category"]], [[one, 0, two + 10], [0, one + 10, 0], [0, 0, 0]]
    )
    np.testing.assert_allclose(
        added[:, places["price_band"]],
        [[0, 100 * one + 1_000], [0, 0], [100 * one, 100 * one + 1_000]],
        rtol=1e-6,
    )
    assert not added[:, places["click"]].any()
    assert not added[:, places["cart"]].any()
