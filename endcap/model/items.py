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

from endcap.model.content import Embeddings, ItemFacts
from endcap.model.gate import CountGate
from endcap.schema import FieldMatrix

RELATED = 0.25
"""Where the weight of related items starts, whatever their type."""


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
    near: Tensor  # [N, D] what neighbours and related items add to them


def look_up(vectors: Tensor | ItemRows, item: Tensor) -> Tensor:
    """Return the vectors of items, which must be among those that there are."""
    if isinstance(vectors, Tensor):
        return F.embedding(item, vectors)
    return F.embedding(torch.searchsorted(vectors.row, item), vectors.vectors)


class ItemTable(nn.Module):
    """Vectors of all items at once: `id + content + smoothing A G E + sum over r of w_r R_r base`.

    E are the ids and G their gates by count (`CountGate`), A the row-normalised neighbour graph;
    the content is `B T` (the items' weights over field columns times the fields' vectors), plus
    the shop's own vectors mapped; R_r are the related items of type r, whose base is id and
    content, and w_r is learned (model.md R1 and 10.2). An item that training never met has no id
    and no neighbours: its vector is its content, and what it is related to.
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
        gate: float = 0.0,
        facts: ItemFacts | None = None,
    ) -> None:
        """Lay out the table; `gate` is the count at which an id is to count half, at the start."""
        super().__init__()
        count, facts = len(is_known), facts or ItemFacts()
        self.smoothing, self.id_dropout = smoothing, id_dropout
        self.ids = nn.Parameter(torch.randn(count, dim) * 0.02)
        self.fields = nn.Parameter(_start_fields(fields, is_known, dim))
        self.is_known: Bool[Tensor, " V"]
        self.register_buffer("is_known", torch.from_numpy(is_known), persistent=False)
        met = is_known.astype(np.int64) if facts.counts is None else facts.counts
        self.gate = CountGate(np.where(is_known, met, 0), half=gate)
        self.embeddings = Embeddings(facts.embeddings, dim=dim) if facts.embeddings.size else None
        self._graph = csr(neighbours.indptr, neighbours.indices, neighbours.weights, (count, count))
        self._bags = csr(fields.indptr, fields.indices, fields.weights, (count, fields.num_columns))
        self._relations = [
            csr(each.indptr, each.indices, each.weights, (count, count))
            for each in facts.relations.values()
        ]
        weights = torch.full((len(self._relations),), RELATED)
        self.relation_weights = nn.Parameter(weights) if len(weights) else None

    def to_device(self, device: torch.device) -> None:
        """Move the constant matrices, which `Module.to` does not see."""

        def moved(pair: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            return pair[0].to(device), pair[1].to(device)

        self._graph, self._bags = moved(self._graph), moved(self._bags)
        self._relations = [moved(pair) for pair in self._relations]

    def forward(self) -> Float[Tensor, "V D"]:
        """Return the vectors of all items; in training some items lose their ids for this step."""
        ids, content = self._ids(), self._content()
        vectors = self._dropped(ids) + content + self.smoothing * _product(ids, *self._graph)
        for place, related in enumerate(self._relations):
            vectors = vectors + self._weight(place) * _product(self._base(ids, content), *related)
        return vectors

    def bases(self) -> Float[Tensor, "V D"]:
        """Return id and content of all items: what they give to items that are related to them."""
        return self._base(self._ids(), self._content())

    def parts(self) -> dict[str, Tensor]:
        """Return, by their names in a model folder, what the vector of a later item is made of."""
        dim, weights, mapped = self.ids.shape[1], self.relation_weights, self.embeddings
        empty = self.ids.new_zeros(0, dim)
        return {
            "field_vectors": self.fields,
            "embedding_map": empty if mapped is None else mapped.map,
            "item_bases": empty if weights is None else self.bases(),
            "relation_weights": empty if weights is None else weights[:, None].expand(-1, dim),
        }

    def has_id(self) -> Bool[Tensor, " V"]:
        """Tell which items their ids add to."""
        return (self.gate.counts > 0) & (self.id_dropout < 1)

    def has_near(self) -> Bool[Tensor, " V"]:
        """Tell which items neighbours or related items add to."""
        found = (self._graph[0].crow_indices().diff() > 0) & (self.smoothing > 0)
        for matrix, _ in self._relations:
            found = found | (matrix.crow_indices().diff() > 0)
        return found

    def only(self, row: Int[Tensor, " N"]) -> ItemRows:
        """Return the vectors of some items; the gradient of the ids is sparse, a row per id met.

        Args:
            row: of the catalogue, rising, each once.
        """
        own, content, near = self._summands(row, sparse=True)
        return ItemRows(row=row, vectors=self._dropped(own) + content + near, near=near)

    def near(self, vectors: Tensor | ItemRows, row: Int[Tensor, " N"]) -> Float[Tensor, "N D"]:
        """Return what neighbours and related items add to the vectors of some items.

        Args:
            vectors: what this table gave. Of some items, it holds the answer: asked anew, the ids
                would have a gradient as large as their table.
        """
        if isinstance(vectors, ItemRows):
            return F.embedding(torch.searchsorted(vectors.row, row), vectors.near)
        if self._relations:
            return self._summands(row, sparse=False)[2]
        column, starts, weights = _rows_of(self._graph[0], row)
        weights = weights * self.gate(column)
        return self.smoothing * _weighted_sums(column, self.ids, starts, weights)

    def field_sums(
        self, first: Int[Tensor, " N"], counts: Int[Tensor, " N"]
    ) -> Float[Tensor, "N D"]:
        """Return the weighted sums of the fields' vectors over runs of entries."""
        column, starts, weights = _runs_of(self._bags[0], first, counts)
        return _weighted_sums(column, self.fields, starts, weights)

    def _summands(
        self, row: Int[Tensor, " N"], *, sparse: bool
    ) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N D"], Float[Tensor, "N D"]]:
        """Return id, content, and what neighbours and related items add, of some items."""
        near, starts, weights = _rows_of(self._graph[0], row)
        related = [_rows_of(matrix, row) for matrix, _ in self._relations]
        wanted = torch.unique(torch.cat([row, *(column for column, _, _ in related)]))
        met, place = torch.unique(torch.cat([wanted, near]), return_inverse=True)
        ids = F.embedding(met, self.ids, sparse=sparse) * self.gate(met)[:, None]
        own, content = ids[place[: len(wanted)]], self._content_of(wanted)
        summed = self.smoothing * _weighted_sums(place[len(wanted) :], ids, starts, weights)
        for of, (column, starts, weights) in enumerate(related):
            place = torch.searchsorted(wanted, column)
            gained = _weighted_sums(place, self._base(own, content), starts, weights)
            summed = summed + self._weight(of) * gained
        at = torch.searchsorted(wanted, row)
        return own[at], content[at], summed

    def _weight(self, place: int) -> Tensor:
        assert self.relation_weights is not None
        return self.relation_weights[place]

    def _ids(self) -> Tensor:
        ids: Tensor = self.ids * self.gate()[:, None]
        return ids

    def _base(self, ids: Tensor, content: Tensor) -> Tensor:
        return content if self.id_dropout >= 1 else ids + content

    def _content(self) -> Tensor:
        content = _product(self.fields, *self._bags)
        return content if self.embeddings is None else content + self.embeddings()

    def _content_of(self, row: Tensor) -> Tensor:
        column, starts, weights = _rows_of(self._bags[0], row)
        content = _weighted_sums(column, self.fields, starts, weights)
        return content if self.embeddings is None else content + self.embeddings(row)

    def _dropped(self, ids: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
        if self.id_dropout >= 1:
            return torch.zeros_like(ids)  # never learned, so nothing to serve either
        if not self.training or self.id_dropout == 0:
            return ids
        return ids * (torch.rand(len(ids), 1, device=ids.device) >= self.id_dropout)


def _start_fields(fields: FieldMatrix, is_known: NDArray[np.bool_], dim: int) -> Tensor:
    """Draw the fields' vectors; a column that no training item has stays zero, and says nothing."""
    owner = np.repeat(is_known, np.diff(fields.indptr))
    met = np.zeros((fields.num_columns, 1), dtype=np.float32)
    met[fields.indices[owner]] = 1.0
    return torch.randn(fields.num_columns, dim) * 0.02 * torch.from_numpy(met)


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
