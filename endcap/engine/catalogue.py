"""The live catalogue: columns by row, ready for requests."""

import numpy as np
from numpy.typing import NDArray

from endcap.errors import SchemaError
from endcap.schema import Catalogue, leaf_category


class LiveCatalogue:
    """The items as they are now, ready for requests; a row is an item's number for ever."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.row_of = catalogue.row_of()
        texts, of_item = np.unique(catalogue.categories.astype(str), return_inverse=True)
        self._paths = [_split_paths(text) for text in texts.tolist()]
        self._path_of_item = of_item.reshape(-1)
        leaves = [leaf_category(text) for text in texts.tolist()]
        self.category = codes_of(np.array(leaves, dtype=object))[self._path_of_item]
        self.brand = codes_of(catalogue.brands)
        self.seller = codes_of(catalogue.seller_ids)

    @property
    def num_items(self) -> int:
        """Count the rows."""
        return self.catalogue.num_items

    def in_categories(self, wanted: tuple[str, ...]) -> NDArray[np.bool_]:
        """Tell which items lie below one of the category paths, [V]; all when none is named."""
        if not wanted:
            return np.ones(self.num_items, dtype=bool)
        starts = [path for text in wanted for path in _split_paths(text)]
        inside = np.array(
            [any(p[: len(s)] == s for p in paths for s in starts) for paths in self._paths],
            dtype=bool,
        )
        return inside[self._path_of_item]

    def rows(self, item_ids: tuple[str, ...]) -> NDArray[np.int64]:
        """Return the rows of the items that are known."""
        known = [self.row_of[item_id] for item_id in item_ids if item_id in self.row_of]
        return np.array(known, dtype=np.int64)

    def succeeded_by(self, catalogue: Catalogue) -> "LiveCatalogue":
        """Make the next catalogue: known items in their rows, new ones after them.

        Raises:
            SchemaError: a known item moved, or is missing.
        """
        known = self.catalogue.item_ids
        same = catalogue.item_ids[: len(known)]
        if len(same) < len(known) or np.any(same != known):
            moved = _first_difference(known, same)
            raise SchemaError(
                f"put_items needs the known items in their rows, with new ones after them; "
                f"row {moved} must hold {known[moved]!r}. Mark an item that is no longer sold "
                f"as not available."
            )
        return LiveCatalogue(catalogue)


def codes_of(texts: NDArray[np.object_]) -> NDArray[np.int64]:
    """Number the texts so that equal ones agree; -1 for an empty one."""
    _, codes = np.unique(texts.astype(str), return_inverse=True)
    return np.where(texts.astype(str) == "", -1, codes.reshape(-1)).astype(np.int64)


def _split_paths(text: str) -> list[list[str]]:
    return [[part.strip() for part in path.split(">")] for path in text.split("|")]


def _first_difference(known: NDArray[np.object_], same: NDArray[np.object_]) -> int:
    differs = np.flatnonzero(known[: len(same)] != same)
    return int(differs[0]) if len(differs) else len(same)
