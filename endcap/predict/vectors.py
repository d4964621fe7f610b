"""Item vectors at hand: those of the fit, and by their fields those of later items."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from endcap.artifact import Artifact
from endcap.features import (
    ContextScales,
    FieldVocabulary,
    ItemColumns,
    embeddings_of,
    field_matrix,
    item_groups,
    kinds_of,
    relation_matrices,
)
from endcap.schema import DIMENSION_OF_FIELD, DIMENSIONS, Catalogue

Floats = NDArray[np.float32]

_NEAR, _TEXT = DIMENSIONS.index("neighbours"), DIMENSIONS.index("text")


class ItemVectors:
    """The vectors and context columns of all items of a live catalogue.

    A row that the fit knew keeps its vector; a later row is the sum of its fields' vectors, of the
    shop's own vector of it, mapped, and of what it is related to, so it can be shown at once.
    Prices and categories of the context follow the live catalogue.
    """

    def __init__(self, artifact: Artifact) -> None:
        self.vocabulary = msgspec.json.decode(artifact.vocabulary, type=FieldVocabulary)
        self._fields = artifact.arrays["field_vectors"]
        self._embedding_map = artifact.arrays["embedding_map"]
        self._bases = artifact.arrays["item_bases"]
        self._relation_weights = artifact.arrays["relation_weights"]
        self._fitted = artifact.arrays["item_vectors"]
        self._numbers = artifact.arrays["part_numbers"]
        self._parts = artifact.arrays["part_vectors"]
        self._effects = artifact.arrays["item_effects"]
        self._scales = msgspec.convert(artifact.manifest.scales, ContextScales)
        tasks = {task.name: task for task in artifact.manifest.tasks}
        apart = artifact.manifest.training["apart"]
        self._tasks = [*tasks.values(), *(tasks[name] for name in apart)]
        self.is_known: NDArray[np.bool_] = artifact.arrays["is_known"].astype(np.bool_)
        self.learn(artifact.catalogue)

    def learn(self, catalogue: Catalogue) -> None:
        """Read a catalogue whose rows are the fitted ones, in order, and any that follow.

        Raises:
            SchemaError: later items hold vectors of another length than those of the fit.
        """
        extra = np.arange(len(self._fitted), catalogue.num_items)
        self.vectors: Floats = self._fitted
        self.numbers: NDArray[np.int32] = self._numbers
        self._later: Floats = self._parts[:0]
        self.effects = np.pad(self._effects, ((0, len(extra)), (0, 0)))
        if len(extra):
            parts, has = self._parts_of(catalogue, extra)
            numbers = np.where(has, len(self._parts) + np.arange(has.size).reshape(has.shape), 0)
            self.vectors = np.concatenate([self._fitted, parts.sum(axis=1)])
            self.numbers = np.concatenate([self._numbers, numbers.astype(np.int32)])
            self._later = parts.reshape(-1, parts.shape[-1])
        self.columns = ItemColumns.of(catalogue, self._scales)
        self.groups = item_groups(catalogue, self.vocabulary)
        self.kinds = kinds_of(catalogue, self.vocabulary, self._tasks, self.groups)

    @property
    def num_items(self) -> int:
        """Count the rows."""
        return len(self.vectors)

    def parts(self, item: NDArray[np.int32], width: int | None = None) -> tuple[Floats, Floats]:
        """Return the vectors [..., F, D] that items are the sums of, and 1 where there is one.

        Args:
            item: rows; -1 is none and has no parts.
            width: how many columns to return, from the first on; all when absent.
        """
        numbers = np.where(item[..., None] >= 0, self.numbers[item], 0)
        found: Floats = self._parts[np.minimum(numbers, len(self._parts) - 1), :width]
        later = numbers >= len(self._parts)
        found[later] = self._later[numbers[later] - len(self._parts), :width]
        return found, (numbers > 0).astype(np.float32)

    def _parts_of(
        self, catalogue: Catalogue, rows: NDArray[np.int64]
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """Return what later items are the sums of [N, F, D], and which dimensions they have."""
        matrix = field_matrix(catalogue, self.vocabulary, rows)
        shape = (len(rows), len(DIMENSIONS))
        parts = np.zeros((*shape, self._fields.shape[1]), dtype=np.float32)
        has = np.zeros(shape, dtype=np.bool_)
        owner = np.repeat(np.arange(len(rows)), np.diff(matrix.indptr))
        dimension = np.array(DIMENSION_OF_FIELD)[matrix.fields]
        weighted = matrix.weights[:, None] * self._fields[matrix.indices]
        np.add.at(parts, (owner, dimension), weighted)
        has[owner, dimension] = True
        given = embeddings_of(catalogue, self.vocabulary, rows)
        parts[:, _TEXT] += given @ self._embedding_map
        has[:, _TEXT] |= given.any(axis=1)
        parts[:, _NEAR], has[:, _NEAR] = self._related(catalogue, parts.sum(axis=1))
        return parts, has

    def _related(self, catalogue: Catalogue, content: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Return what later items gain from those that they are related to, and which have any."""
        gained, first = np.zeros_like(content), len(self._fitted)
        has = np.zeros(len(content), dtype=np.bool_)
        kinds = self.vocabulary.relations
        if not kinds:
            return gained, has
        bases = np.concatenate([self._bases, content])
        related = relation_matrices(catalogue, kinds)
        for weight, kind in zip(self._relation_weights, kinds, strict=True):
            matrix = related[kind]
            owner = np.repeat(np.arange(catalogue.num_items), np.diff(matrix.indptr)) - first
            later = owner >= 0
            parts = weight * matrix.weights[later, None] * bases[matrix.indices[later]]
            np.add.at(gained, owner[later], parts)
            has[owner[later]] = True
        return gained, has
