"""Item vectors: a sum of id, neighbours and fields, so that attribution is exact."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from endcap.schema import FieldMatrix


class SparseProduct(torch.autograd.Function):
    """Constant sparse matrix times dense table; its gradient is the transpose times theirs."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, matrix: Tensor, transposed: Tensor) -> Tensor:
        """Return `matrix @ table`."""
        ctx.transposed = transposed
        return matrix @ table

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        """Return the gradient of the table."""
        return ctx.transposed @ grads[0].contiguous(), None, None


def _product(table: Tensor, matrix: Tensor, transposed: Tensor) -> Tensor:
    out: Tensor = SparseProduct.apply(table, matrix, transposed)  # type: ignore[no-untyped-call]
    return out


def csr(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int64],
    weights: NDArray[np.float32],
    shape: tuple[int, int],
) -> tuple[Tensor, Tensor]:
    """Return a sparse matrix and its transpose, both in CSR form."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse")  # the layout's beta notice, once a run
        matrix = torch.sparse_csr_tensor(
            torch.from_numpy(indptr), torch.from_numpy(indices), torch.from_numpy(weights), shape
        )
    transposed: Tensor = matrix.to_sparse_coo().t().coalesce().to_sparse_csr()  # type: ignore[no-untyped-call]
    return matrix, transposed


@dataclass(frozen=True, kw_only=True)
class ItemRows:
    """Vectors of the items that one batch needs."""

    row: Tensor  # [N] of the catalogue, rising
    vectors: Tensor  # [N, D]
    near: Tensor  # [N, D] what neighbours add to them


def look_up(vectors: Tensor | ItemRows, item: Tensor) -> Tensor:
    """Return the vectors of items, which must be among those that there are."""
    if isinstance(vectors, Tensor):
        return F.embedding(item, vectors)
    return F.embedding(torch.searchsorted(vectors.row, item), vectors.vectors)


class ItemTable(nn.Module):
    """Vectors of all items at once: `gate E + smoothing A E + B T` (model.md R1 and 10.2).

    E are the ids, A the row-normalised neighbour graph, B the items' weights over field columns and
    T the fields' vectors. An item that training never met has no id and no neighbours: its vector
    is `B T` alone.
    """

    def __init__(
        self,
        fields: FieldMatrix,
        neighbours: FieldMatrix,
        is_known: NDArray[np.bool_],
        *,
        dim: int,
        smoothing: float,
        id_dropout: float,
    ) -> None:
        super().__init__()
        count = len(is_known)
        self.smoothing, self.id_dropout = smoothing, id_dropout
        self.ids = nn.Parameter(torch.randn(count, dim) * 0.02)
        self.fields = nn.Parameter(torch.randn(fields.num_columns, dim) * 0.02)
        self.is_known: Bool[Tensor, " V"]
        self.register_buffer("is_known", torch.from_numpy(is_known), persistent=False)
        self._graph = csr(neighbours.indptr, neighbours.indices, neighbours.weights, (count, count))
        self._bags = csr(fields.indptr, fields.indices, fields.weights, (count, fields.num_columns))

    def to_device(self, device: torch.device) -> None:
        """Move the constant matrices, which `Module.to` does not see."""
        self._graph = (self._graph[0].to(device), self._graph[1].to(device))
        self._bags = (self._bags[0].to(device), self._bags[1].to(device))

    def forward(self) -> Float[Tensor, "V D"]:
        """Return the vectors of all items; in training some items lose their ids for this step."""
        ids = self.ids * self.is_known[:, None]
        smoothed = _product(ids, *self._graph)
        bags = _product(self.fields, *self._bags)
        return self._dropped(ids) + self.smoothing * smoothed + bags

    def only(self, row: Int[Tensor, " N"]) -> ItemRows:
        """Return the vectors of some items; the gradient of the ids is sparse, a row per id met.

        Args:
            row: of the catalogue, rising, each once.
        """
        near, starts, weights = _rows_of(self._graph[0], row)
        met, place = torch.unique(torch.cat([row, near]), return_inverse=True)
        ids = F.embedding(met, self.ids, sparse=True) * self.is_known[met, None]
        own = self._dropped(ids[place[: len(row)]])
        near = self.smoothing * _weighted_sums(place[len(row) :], ids, starts, weights)
        column, starts, weights = _rows_of(self._bags[0], row)
        bags = _weighted_sums(column, self.fields, starts, weights)
        return ItemRows(row=row, vectors=own + near + bags, near=near)

    def near(self, vectors: Tensor | ItemRows, row: Int[Tensor, " N"]) -> Float[Tensor, "N D"]:
        """Return what neighbours add to the vectors of some items.

        Args:
            vectors: what this table gave. Of some items, it holds the answer: asked anew, the ids
                would have a gradient as large as their table.
        """
        if isinstance(vectors, ItemRows):
            return F.embedding(torch.searchsorted(vectors.row, row), vectors.near)
        near, starts, weights = _rows_of(self._graph[0], row)
        return self.smoothing * _weighted_sums(
            near, self.ids, starts, weights * self.is_known[near]
        )

    def field_sums(
        self, first: Int[Tensor, " N"], counts: Int[Tensor, " N"]
    ) -> Float[Tensor, "N D"]:
        """Return the weighted sums of the fields' vectors over runs of entries."""
        column, starts, weights = _runs_of(self._bags[0], first, counts)
        return _weighted_sums(column, self.fields, starts, weights)

    def _dropped(self, ids: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
        if self.id_dropout >= 1:
            return torch.zeros_like(ids)  # never learned, so nothing to serve either
        if not self.training or self.id_dropout == 0:
            return ids
        return ids * (torch.rand(len(ids), 1, device=ids.device) >= self.id_dropout)


def _rows_of(matrix: Tensor, row: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return columns, where each row's entries start, and weights of some rows in CSR form."""
    first, counts = matrix.crow_indices()[row], matrix.crow_indices().diff()[row]
    return _runs_of(matrix, first, counts)


def _runs_of(matrix: Tensor, first: Tensor, counts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the same of runs of entries, in the order in which the matrix holds them."""
    starts = counts.cumsum(0) - counts
    entry = torch.arange(int(counts.sum()), device=first.device)
    entry = entry + (first - starts).repeat_interleave(counts)
    return matrix.col_indices()[entry], starts, matrix.values()[entry]


def _weighted_sums(index: Tensor, table: Tensor, starts: Tensor, weights: Tensor) -> Tensor:
    """Return for each row the sum of its entries' vectors times their weights."""
    return F.embedding_bag(index, table, starts, mode="sum", per_sample_weights=weights)
