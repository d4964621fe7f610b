"""Item vectors: a sum of id, neighbours and fields, so that attribution is exact."""

import warnings
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
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
        own = ids
        if self.training and self.id_dropout > 0:
            keeps = torch.rand(len(ids), 1, device=ids.device) >= self.id_dropout
            own = ids * keeps
        if self.id_dropout >= 1:
            own = torch.zeros_like(ids)  # never learned, so nothing to serve either
        smoothed = _product(ids, *self._graph)
        bags = _product(self.fields, *self._bags)
        return own + self.smoothing * smoothed + bags
