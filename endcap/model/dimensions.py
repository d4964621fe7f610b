"""A product's dimensions: its vector in parts, and how much each part matters to a shopper."""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from endcap.schema import (
    COLUMNS_OF_DIMENSION,
    DIMENSION_OF_FIELD,
    DIMENSIONS,
    NUM_CONTEXT,
    FieldMatrix,
)

NUM_DIMENSIONS = len(DIMENSIONS)
FIRST_FIELD = 2
"""The id and the neighbours come before the dimensions that fields fill."""

HIDDEN = -1e4


class DimensionAttention(nn.Module):
    """Spread a shopper's attention over the dimensions of each candidate (model.md R3c).

    `beta_f = softmax_f(q(shopper) . k(phi_f))`, over the dimensions that the candidate has. Each
    dimension's vector and the context columns that speak of it count `F beta_f` times, so at the
    start, when all are alike, the item is the sum that it is elsewhere. Weighing the columns is
    what a product of shopper and item cannot do: that this shopper looks at prices.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.to_query = nn.Linear(dim, dim)
        self.to_key = nn.Linear(dim, dim, bias=False)
        self.names = nn.Parameter(torch.randn(NUM_DIMENSIONS, dim))
        nn.init.zeros_(self.to_query.weight)
        nn.init.zeros_(self.to_query.bias)
        columns = torch.zeros(NUM_DIMENSIONS, NUM_CONTEXT)
        for name, places in COLUMNS_OF_DIMENSION.items():
            columns[DIMENSIONS.index(name), list(places)] = 1.0
        self.columns: Tensor
        self.register_buffer("columns", columns, persistent=False)

    def forward(
        self,
        shopper: Float[Tensor, "B D"],
        parts: Float[Tensor, "B C F D"],
        present: Float[Tensor, "B C F"],
    ) -> Float[Tensor, "B C F"]:
        """Return beta, which adds up to 1; 0 for a dimension that the candidate lacks."""
        query = self.to_query(shopper) * shopper.shape[-1] ** -0.5
        # q . (W phi) = (q W) . phi: one product per shopper in place of one per candidate.
        scores = (parts @ (query @ self.to_key.weight)[:, None, :, None]).squeeze(-1)
        scores = scores + (query @ self.names.T)[:, None] + HIDDEN * (1.0 - present)
        out: Tensor = scores.softmax(-1) * present
        return out

    def mixed(
        self,
        beta: Float[Tensor, "B C F"],
        parts: Float[Tensor, "B C F D"],
        present: Float[Tensor, "B C F"],
        context: Float[Tensor, "B C X"],
    ) -> tuple[Float[Tensor, "B C D"], Float[Tensor, "B C X"]]:
        """Return the item's vector and its context as this shopper looks at them."""
        above = beta * present.sum(-1, keepdim=True) - present  # F beta - 1, 0 for what is absent
        item = ((1.0 + above).unsqueeze(-2) @ parts).squeeze(-2)
        return item, context * (1.0 + above @ self.columns)


class DimensionBags(nn.Module):
    """Which entries of neighbours and fields add up to which dimension of which item."""

    def __init__(
        self, fields: FieldMatrix, neighbours: FieldMatrix, is_known: NDArray[np.bool_]
    ) -> None:
        super().__init__()
        count, groups = len(is_known), NUM_DIMENSIONS - FIRST_FIELD
        row = np.repeat(np.arange(count), np.diff(fields.indptr))
        group = np.array(DIMENSION_OF_FIELD)[fields.fields] - FIRST_FIELD
        bag = row * groups + group
        order = np.argsort(bag, kind="stable")
        sizes = np.bincount(bag, minlength=count * groups)
        near = np.diff(neighbours.indptr)
        has = np.column_stack([is_known, near > 0, sizes.reshape(count, groups) > 0])
        constants = {
            "field": fields.indices[order].astype(np.int64),
            "field_weight": fields.weights[order],
            "field_start": np.concatenate([[0], np.cumsum(sizes)]),
            "near": neighbours.indices.astype(np.int64),
            "near_weight": neighbours.weights * is_known[neighbours.indices],
            "near_start": neighbours.indptr.astype(np.int64),
            "present": has.astype(np.float32),
        }
        for name, values in constants.items():
            self.register_buffer(name, torch.from_numpy(values), persistent=False)
        self.present: Tensor

    def forward(
        self,
        row: Int[Tensor, " N"],
        ids: Float[Tensor, "V D"],
        fields: Float[Tensor, "W D"],
        smoothing: float,
    ) -> Float[Tensor, "N G D"]:
        """Return the vectors of some items' dimensions, all but the id."""
        groups = NUM_DIMENSIONS - FIRST_FIELD
        near = self._sums("near", row, ids)
        bags = row[:, None] * groups + torch.arange(groups, device=row.device)
        of_fields = self._sums("field", bags.flatten(), fields)
        return torch.cat([smoothing * near[:, None], of_fields.view(len(row), groups, -1)], dim=1)

    def _sums(self, name: str, bag: Int[Tensor, " N"], table: Tensor) -> Tensor:
        """Return the weighted sum of each bag's entries in a table, [N, D]."""
        starts = self.get_buffer(f"{name}_start")
        first, counts = starts[bag], starts[bag + 1] - starts[bag]
        offsets = counts.cumsum(0) - counts
        entry = torch.arange(int(counts.sum()), device=bag.device)
        entry = entry + (first - offsets).repeat_interleave(counts)
        return F.embedding_bag(
            self.get_buffer(name)[entry],
            table,
            offsets,
            mode="sum",
            per_sample_weights=self.get_buffer(f"{name}_weight")[entry],
        )


def distinct_parts(
    parts: Float[Tensor, "V F D"], present: Float[Tensor, "V F"]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return each part's number [V, F] and the vectors [U, D] so numbered; 0 is absent.

    Items of one brand share its vector, so that a folder holds little more than ids and texts.
    """
    numbers = np.zeros(present.shape, dtype=np.int32)
    tables = [np.zeros((1, parts.shape[-1]), dtype=np.float32)]
    for place in range(NUM_DIMENSIONS):
        rows = np.flatnonzero(present[:, place].cpu().numpy())
        if len(rows):
            vectors = parts[rows, place].cpu().numpy()
            unique, number = np.unique(vectors, axis=0, return_inverse=True)
            numbers[rows, place] = sum(map(len, tables)) + number.ravel()
            tables.append(unique)
    return numbers, np.concatenate(tables)
