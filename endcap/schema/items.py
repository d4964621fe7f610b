"""What is sold and what is advertised: one array per column, one row per item or campaign."""

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from endcap.errors import SchemaError
from endcap.schema.events import UNKNOWN

Strings = NDArray[np.object_]


def _strings(count: int) -> Strings:
    return np.full(count, "", dtype=object)


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The items by column. A row is an item's number for ever: it is never reused.

    Unknown text is `""`, unknown money is -1, unlimited or unknown stock is -1.
    """

    item_ids: Strings
    titles: Strings
    descriptions: Strings
    categories: Strings
    """A path such as `"Shoes > Running"`; several paths are separated by `|`."""
    brands: Strings
    seller_ids: Strings
    attributes: Strings
    """Further facts as a tuple of `"name=value"` texts per item."""
    price_micros: NDArray[np.int64]
    unit_cost_micros: NDArray[np.int64]
    stock: NDArray[np.int64]
    available: NDArray[np.bool_]
    created_at_us: NDArray[np.int64]
    """When the item could first be shown; 0 when the catalogue does not say."""

    embeddings: NDArray[np.float32]
    """[V, E] the shop's own vectors, NaN where an item has none; E is 0 where no item has."""
    relations: Strings
    """What the item is to others, as a tuple of `"relation=other_item_id"` texts per item."""

    @property
    def num_items(self) -> int:
        """Count the rows."""
        return len(self.item_ids)

    def row_of(self) -> dict[str, int]:
        """Map an item's id to its row."""
        return {str(item_id): row for row, item_id in enumerate(self.item_ids)}

    @staticmethod
    def of_ids(item_ids: list[str]) -> "Catalogue":
        """Make a catalogue of which only the ids are known."""
        count = len(item_ids)
        attributes, relations = np.empty(count, dtype=object), np.empty(count, dtype=object)
        attributes[:] = relations[:] = [()] * count
        return Catalogue(
            item_ids=np.array(item_ids, dtype=object),
            titles=_strings(count),
            descriptions=_strings(count),
            categories=_strings(count),
            brands=_strings(count),
            seller_ids=_strings(count),
            attributes=attributes,
            price_micros=np.full(count, UNKNOWN, dtype=np.int64),
            unit_cost_micros=np.full(count, UNKNOWN, dtype=np.int64),
            stock=np.full(count, UNKNOWN, dtype=np.int64),
            available=np.ones(count, dtype=np.bool_),
            created_at_us=np.zeros(count, dtype=np.int64),
            embeddings=np.zeros((count, 0), dtype=np.float32),
            relations=relations,
        )

    def followed_by(self, other: "Catalogue") -> "Catalogue":
        """Put another catalogue's items after these.

        Raises:
            SchemaError: both hold embeddings, of different lengths.
        """
        columns = {
            column.name: np.concatenate([getattr(self, column.name), getattr(other, column.name)])
            for column in fields(Catalogue)
            if column.name != "embeddings"
        }
        return Catalogue(**columns, embeddings=_stacked(self, other))

    def chosen(self, rows: NDArray[np.int64]) -> "Catalogue":
        """Return some rows, in the order given."""
        return Catalogue(
            **{column.name: getattr(self, column.name)[rows] for column in fields(Catalogue)}
        )


def _stacked(first: Catalogue, second: Catalogue) -> NDArray[np.float32]:
    one, other = first.embeddings, second.embeddings
    lengths = {one.shape[1], other.shape[1]} - {0}
    if len(lengths) > 1:
        raise SchemaError(
            f"Embeddings must have one length, got {one.shape[1]} numbers for "
            f"{_with_vector(first)} and {other.shape[1]} for {_with_vector(second)}; "
            f"give every item a vector of one length, or none."
        )
    length = max(lengths, default=0)
    stacked = np.full((len(one) + len(other), length), np.nan, dtype=np.float32)
    for start, each in ((0, one), (len(one), other)):
        if each.shape[1]:
            stacked[start : start + len(each)] = each
    return stacked


def _with_vector(catalogue: Catalogue) -> str:
    """Name the first item that holds an embedding."""
    held = np.flatnonzero(~np.isnan(catalogue.embeddings).all(axis=1))
    return str(catalogue.item_ids[held[0]]) if len(held) else "no item"


def top_category(path: str) -> str:
    """Name the first level of the first path: `"Shoes > Running|Sale"` gives `"Shoes"`."""
    return path.split("|", 1)[0].split(">", 1)[0].strip()


def leaf_category(path: str) -> str:
    """Return the whole first path, the finest level known, with tidy separators."""
    return " > ".join(part.strip() for part in path.split("|", 1)[0].split(">"))


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """An advertiser's wish to show one or more items, paid by the click."""

    campaign_id: str
    advertiser_id: str
    item_ids: tuple[str, ...]
    """Its creatives: items of the catalogue that it sponsors."""
    bid_micros: int
    """The most the advertiser pays for one click."""
    daily_budget_micros: int
    start_at_us: int = 0
    end_at_us: int = 2**62
    dayparts: tuple[int, ...] = tuple(range(24))
    """Hours of the day, in the shop's zone, at which it may speak."""
    placements: tuple[str, ...] = ()
    """Placements that it may stand in; empty means all."""


@dataclass(frozen=True, kw_only=True)
class Campaigns:
    """The campaigns, one row each; a row is never reused."""

    rows: tuple[Campaign, ...] = ()
    row_of: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        numbered = {campaign.campaign_id: row for row, campaign in enumerate(self.rows)}
        object.__setattr__(self, "row_of", numbered)

    def __len__(self) -> int:
        return len(self.rows)
