"""A product's dimensions: its vector in parts, and how much each part matters to a shopper."""

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from endcap.model.items import ItemRows, ItemTable, look_up
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
NUM_BAGS = NUM_DIMENSIONS - FIRST_FIELD
TEXT = DIMENSIONS.index("text")

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
        """Return beta, which adds up to 1; 0 for a dimension that the candidate lacks.

        What is asked of the shopper alone has no dimension, and beta is 0 throughout.
        """
        query = self.to_query(shopper) * shopper.shape[-1] ** -0.5
        # q . (W phi) = (q W) . phi: one product per shopper in place of one per candidate.
        # One product per question, too: one per candidate would be many small ones.
        asked = (query @ self.to_key.weight)[:, :, None]  # [B, D, 1]
        scores = (parts.flatten(1, 2) @ asked).view(present.shape)
        scores = scores + (query @ self.names.T)[:, None] + HIDDEN * (1.0 - present)
        out: Tensor = scores.softmax(-1) * present
        return out

    def mixed(
        self,
        beta: Float[Tensor, "B C F"],
        parts: Float[Tensor, "B C F D"],
        present: Float[Tensor, "B C F"],
    ) -> tuple[Float[Tensor, "B C D"], Float[Tensor, "B C X"]]:
        """Return the item's vector as this shopper looks at it, and how often each column counts.

        A column of a dimension that the candidate lacks, or of none, counts once.
        """
        above = beta * present.sum(-1, keepdim=True) - present  # F beta - 1, 0 for what is absent
        item = ((1.0 + above).unsqueeze(-2) @ parts).squeeze(-2)
        return item, 1.0 + above @ self.columns


def by_dimension(fields: FieldMatrix) -> FieldMatrix:
    """Order the entries of every row by dimension, so that each dimension's stand together."""
    bag = _bags_of(fields)
    if (bag[1:] >= bag[:-1]).all():
        return fields
    order = np.argsort(bag, kind="stable")
    return replace(
        fields,
        indices=fields.indices[order],
        weights=fields.weights[order],
        fields=fields.fields[order],
    )


def _bags_of(fields: FieldMatrix) -> NDArray[np.int64]:
    row = np.repeat(np.arange(len(fields.indptr) - 1), np.diff(fields.indptr))
    dimension = np.array(DIMENSION_OF_FIELD, dtype=np.uint8)[fields.fields] - FIRST_FIELD
    bags: NDArray[np.int64] = row * NUM_BAGS + dimension
    return bags


class ItemParts(nn.Module):
    """Where the entries of each item's dimensions stand, and which dimensions it has."""

    def __init__(self, fields: FieldMatrix, items: ItemTable) -> None:
        """Read which entries belong to what, and what a table makes of its items.

        Args:
            fields: as `by_dimension` orders them.
        """
        super().__init__()
        count = len(fields.indptr) - 1
        sizes = np.bincount(_bags_of(fields), minlength=count * NUM_BAGS)
        has = np.zeros((count, NUM_DIMENSIONS), dtype=np.bool_)
        has[:, 0], has[:, 1] = items.has_id().numpy(), items.has_near().numpy()
        has[:, FIRST_FIELD:] = sizes.reshape(count, NUM_BAGS) > 0
        if items.embeddings is not None:
            has[:, TEXT] |= items.embeddings.given.numpy().any(axis=1)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        self.start: Int[Tensor, " G"]
        self.present: Bool[Tensor, "V F"]
        self.register_buffer("start", torch.from_numpy(starts), persistent=False)
        self.register_buffer("present", torch.from_numpy(has), persistent=False)

    def forward(
        self, items: ItemTable, vectors: Float[Tensor, "V D"] | ItemRows, item: Int[Tensor, "*n"]
    ) -> tuple[Float[Tensor, "*n F D"], Float[Tensor, "*n F"]]:
        """Part the vectors of items into dimensions; tell by 1 which each item has, else 0.

        Args:
            vectors: of all items or of some, what `items` gave for this step.
            item: -1 for none, which has no dimension.
        """
        row, place = torch.unique(item, return_inverse=True)
        is_item, row = row >= 0, row.clamp(min=0)
        bags = (row[:, None] * NUM_BAGS + torch.arange(NUM_BAGS, device=row.device)).flatten()
        first = self.start[bags]
        of_fields = items.field_sums(first, self.start[bags + 1] - first)
        of_fields = of_fields.view(len(row), NUM_BAGS, -1)
        if items.embeddings is not None:
            of_text = TEXT - FIRST_FIELD
            around = (0, 0, of_text, NUM_BAGS - 1 - of_text)
            of_fields = of_fields + F.pad(items.embeddings(row)[:, None], around)
        rest = [items.near(vectors, row)[:, None], of_fields]
        # What is left is the id, dropped in training as it is in the vector.
        own = look_up(vectors, row)[:, None] - sum(part.sum(1, keepdim=True) for part in rest)
        parts = torch.cat([own, *rest], dim=1) * is_item[:, None, None]
        # The gradient of a look-up adds row by row, many times as fast as that of an index.
        found = F.embedding(place, parts.flatten(1)).view(*item.shape, *parts.shape[1:])
        return found, (self.present[row] & is_item[:, None])[place].to(parts.dtype)


CHUNK = 2**16
"""Items whose parts are held at once."""


@torch.no_grad()
def part_table(
    tables: list[tuple[ItemTable, ItemParts, Tensor]],
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return each part's number [V, F] and the vectors [U, D] so numbered; 0 is absent.

    Items of one brand share its vector, so that a folder holds little more than ids, neighbours
    and texts.

    Args:
        tables: of one network or of several, whose vectors then stand side by side, and all items'
            vectors by it. The networks of a fit have one configuration and one catalogue, so an
            item has the same dimensions in all.
    """
    _, _, first = tables[0]
    width = sum(vectors.shape[1] for _, _, vectors in tables)
    numbers, found = [], [np.zeros((1, width), dtype=np.float32)]
    for rows in torch.split(torch.arange(len(first), device=first.device), CHUNK):
        each = [parts(items, vectors, rows) for items, parts, vectors in tables]
        beside, present = (
            torch.cat([p for p, _ in each], -1).cpu().numpy(),
            each[0][1].cpu().numpy(),
        )
        of_chunk = np.zeros(present.shape, dtype=np.int32)
        for place in range(NUM_DIMENSIONS):
            has = np.flatnonzero(present[:, place])
            if len(has):
                unique, number = np.unique(beside[has, place], axis=0, return_inverse=True)
                of_chunk[has, place] = sum(map(len, found)) + number.ravel()
                found.append(unique)
        numbers.append(of_chunk)
    return np.concatenate(numbers), np.concatenate(found)
