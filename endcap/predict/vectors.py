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
    relation_matrices,
)
from endcap.schema import Catalogue


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
        self._effects = artifact.arrays["item_effects"]
        self._scales = msgspec.convert(artifact.manifest.scales, ContextScales)
        self.is_known: NDArray[np.bool_] = artifact.arrays["is_known"].astype(np.bool_)
        self.learn(artifact.catalogue)

    def learn(self, catalogue: Catalogue) -> None:
        """Read a catalogue whose rows are the fitted ones, in order, and any that follow.

        Raises:
            SchemaError: later items hold vectors of another length than those of the fit.
        """
        extra = np.arange(len(self._fitted), catalogue.num_items)
        vectors: NDArray[np.float32] = self._fitted
        if len(extra):
            content = self._content(catalogue, extra)
            related = self._related(catalogue, content)
            vectors = np.concatenate([self._fitted, content + related])
        self.vectors = vectors
        self.effects = np.pad(self._effects, ((0, len(extra)), (0, 0)))
        self.columns = ItemColumns.of(catalogue, self._scales)
        self.groups = item_groups(catalogue, self.vocabulary)

    @property
    def num_items(self) -> int:
        """Count the rows."""
        return len(self.vectors)

    def _content(self, catalogue: Catalogue, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return what later items are by their fields and the shop's own vectors."""
        matrix = field_matrix(catalogue, self.vocabulary, rows)
        vectors: NDArray[np.float32] = (
            embeddings_of(catalogue, self.vocabulary, rows) @ self._embedding_map
        )
        owner = np.repeat(np.arange(len(rows)), np.diff(matrix.indptr))
        np.add.at(vectors, owner, matrix.weights[:, None] * self._fields[matrix.indices])
        return vectors

    def _related(self, catalogue: Catalogue, content: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what later items gain from those that they are related to."""
        gained, first = np.zeros_like(content), len(self._fitted)
        kinds = self.vocabulary.relations
        if not kinds:
            return gained
        bases = np.concatenate([self._bases, content])
        related = relation_matrices(catalogue, kinds)
        for weight, kind in zip(self._relation_weights, kinds, strict=True):
            matrix = related[kind]
            owner = np.repeat(np.arange(catalogue.num_items), np.diff(matrix.indptr)) - first
            later = owner >= 0
            parts = weight * matrix.weights[later, None] * bases[matrix.indices[later]]
            np.add.at(gained, owner[later], parts)
        return gained
