"""Item vectors at hand: those of the fit, and by their fields those of later items."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from endcap.artifact import Artifact
from endcap.features import (
    ContextScales,
    FieldVocabulary,
    ItemColumns,
    field_matrix,
    item_groups,
)
from endcap.schema import Catalogue


class ItemVectors:
    """The vectors and context columns of all items of a live catalogue.

    A row that the fit knew keeps its vector; a later row is the sum of its fields' vectors, so it
    can be shown at once. Prices and categories of the context follow the live catalogue.
    """

    def __init__(self, artifact: Artifact) -> None:
        self.vocabulary = msgspec.json.decode(artifact.vocabulary, type=FieldVocabulary)
        self._fields = artifact.arrays["field_vectors"]
        self._fitted = artifact.arrays["item_vectors"]
        self._effects = artifact.arrays["item_effects"]
        self._scales = msgspec.convert(artifact.manifest.scales, ContextScales)
        self.is_known: NDArray[np.bool_] = artifact.arrays["is_known"].astype(np.bool_)
        self.learn(artifact.catalogue)

    def learn(self, catalogue: Catalogue) -> None:
        """Read a catalogue whose rows are the fitted ones, in order, and any that follow."""
        extra = np.arange(len(self._fitted), catalogue.num_items)
        self.vectors: NDArray[np.float32] = self._fitted
        self.effects = np.pad(self._effects, ((0, len(extra)), (0, 0)))
        if len(extra):
            self.vectors = np.concatenate([self._fitted, self._by_fields(catalogue, extra)])
        self.columns = ItemColumns.of(catalogue, self._scales)
        self.groups = item_groups(catalogue, self.vocabulary)

    @property
    def num_items(self) -> int:
        """Count the rows."""
        return len(self.vectors)

    def _by_fields(self, catalogue: Catalogue, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        matrix = field_matrix(catalogue, self.vocabulary, rows)
        vectors = np.zeros((len(rows), self._fields.shape[1]), dtype=np.float32)
        owner = np.repeat(np.arange(len(rows)), np.diff(matrix.indptr))
        np.add.at(vectors, owner, matrix.weights[:, None] * self._fields[matrix.indices])
        return vectors
