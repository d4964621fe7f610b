"""Shapes in signatures are checked as these tests run, whoever imported the room before."""

import inspect

import pytest
from beartype import beartype
from jaxtyping import jaxtyped

from endcap.model import (
    ItemFacts,
    ModelConfig,
    Network,
    attention,
    content,
    dimensions,
    encoder,
    gate,
    heads,
    items,
    losses,
    network,
    pieces,
    plain,
    profiles,
    recurrent,
    softmax,
)
from endcap.schema import DEFAULT_TASKS, FieldMatrix


def _functions(module):
    """List (owner, name, function) of a module's functions and methods with shapes to check."""
    own = [
        value
        for value in vars(module).values()
        if getattr(value, "__module__", "") == module.__name__
    ]
    for value in own:
        if inspect.isfunction(value):
            yield module, value.__name__, value
        elif (inspect.isclass(value) and "forward" in vars(value)) or value is network.Network:
            for name, function in vars(value).items():
                if inspect.isfunction(function) and name != "__init__":
                    yield value, name, function


@pytest.fixture(autouse=True)
def shapes_are_checked(monkeypatch):
    rooms = (attention, content, dimensions, encoder, gate, heads, items, losses, network, pieces)
    for module in (*rooms, plain, profiles, recurrent, softmax):
        for owner, name, function in list(_functions(module)):
            monkeypatch.setattr(owner, name, jaxtyped(typechecker=beartype)(function))


@pytest.fixture
def make_network():
    """Return a builder of an untrained network over five items, four of them known."""
    import numpy as np
    import torch

    def build(seed=0, num_placements=2, num_slots=4, facts=None, **sizes):
        torch.manual_seed(seed)
        config = ModelConfig(**({"dim": 8, "max_history": 6, "hidden": 8} | sizes))
        fields = FieldMatrix(
            indptr=np.array([0, 1, 3, 4, 4, 5]),
            indices=np.array([0, 2, 1, 1, 0]),  # columns of a row in any order
            weights=np.array([1, 0.5, 0.5, 1, 1], dtype=np.float32),
            fields=np.array([0, 4, 2, 6, 1], dtype=np.uint8),
            num_columns=3,
        )
        neighbours = FieldMatrix(
            indptr=np.array([0, 2, 3, 3, 3, 3]),
            indices=np.array([1, 2, 0]),
            weights=np.array([0.25, 0.75, 1], dtype=np.float32),
            fields=np.zeros(3, dtype=np.uint8),
            num_columns=5,
        )
        return Network(
            config,
            DEFAULT_TASKS,
            fields=fields,
            neighbours=neighbours,
            is_known=np.array([True] * 4 + [False]),
            groups=np.array([1, 2, 2, 0, 3]),
            kinds=np.array([[1], [2], [2], [0], [3]]),
            num_campaigns=2,
            num_placements=num_placements,
            num_slots=num_slots,
            facts=facts,
        ).eval()

    return build


@pytest.fixture
def facts():
    """Item 0 is related to 2 and 4, item 4 (which training never met) to 0."""
    import numpy as np

    related = FieldMatrix(
        indptr=np.array([0, 2, 2, 2, 2, 3]),
        indices=np.array([2, 4, 0]),
        weights=np.array([0.5, 0.5, 1], dtype=np.float32),
        fields=np.zeros(3, dtype=np.uint8),
        num_columns=5,
    )
    return ItemFacts(
        counts=np.array([9, 3, 1, 2, 0]),
        embeddings=np.arange(10, dtype=np.float32).reshape(5, 2) / 10,
        relations={"same_series": related},
    )
