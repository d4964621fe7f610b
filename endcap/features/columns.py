"""The columns of the catalogue that a candidate's context reads, and the scales fitted for them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from endcap.features.items import amounts_of, codes
from endcap.features.ngrams import title_words
from endcap.schema import Catalogue, leaf_category, top_category


class TasteStrengths(Struct, frozen=True, kw_only=True):
    """Expected clicks by which a shopper's taste is held to the level above.

    Learned from training days (`features.tastes.learn_strengths`); these stand in without a log of
    what was shown.
    """

    shopper: float = 8.0
    top: float = 3.0
    leaf: float = 16.0
    brand: float = 6.0
    word: float = 32.0


class DwellScales(Struct, frozen=True, kw_only=True):
    """What is usual where a log tells how long what was shown held the shopper."""

    mean: float
    """Of log(1 + seconds), over shown slots."""
    scale: float
    click_rate: float


class NumberScales(Struct, frozen=True, kw_only=True):
    """An amount that items have beside their price, and how training items spread in it."""

    name: str
    mean: float
    """Of its logarithms."""
    scale: float


class ContextScales(Struct, frozen=True, kw_only=True):
    """What training days tell of how to read a context."""

    price_mean: float = 0.0
    """Of log prices in micros."""
    price_scale: float = 1.0
    tastes: TasteStrengths = TasteStrengths()
    number: NumberScales | None = None
    """Of the first of the shop's `items.numbers`; None where it names none."""
    dwell: DwellScales | None = None
    """None where the log does not tell the dwell of what was shown."""


@dataclass(frozen=True, kw_only=True)
class ItemColumns:
    """The columns of the catalogue that a context reads, by item row."""

    leaf: NDArray[np.int64]
    """Codes that agree or differ; -1 unknown."""
    top: NDArray[np.int64]
    brand: NDArray[np.int64]
    words: NDArray[np.int64]
    """[V, 8] numbers of the title's words; 0 is none."""
    log_price: NDArray[np.float32]
    """Standardised; 0 where unknown."""
    has_price: NDArray[np.bool_]
    number: NDArray[np.float32]
    """[V, 2] the log amount, standardised, and whether it is unknown; 0 without one."""
    created_at_us: NDArray[np.int64]
    scales: ContextScales

    @cached_property
    def groups(self) -> "ItemGroups":
        """Number the groups that tastes are counted in, 0 for what is unknown."""
        top, leaf = self.top + 1, self.leaf + 1
        top_of_leaf = np.zeros(int(leaf.max(initial=0)) + 1, dtype=np.int64)
        top_of_leaf[leaf] = top
        return ItemGroups(
            top=top,
            leaf=leaf,
            brand=self.brand + 1,
            num_tops=int(top.max(initial=0)) + 1,
            num_brands=int(self.brand.max(initial=-1)) + 2,
            num_words=int(self.words.max(initial=0)) + 1,
            top_of_leaf=top_of_leaf,
        )

    @staticmethod
    def of(catalogue: Catalogue, scales: ContextScales) -> "ItemColumns":
        """Read the columns; the scales were fitted on training days."""
        has_price = catalogue.price_micros > 0
        log_price = np.zeros(catalogue.num_items, dtype=np.float32)
        logs = np.log(np.maximum(catalogue.price_micros, 1))
        log_price[has_price] = ((logs - scales.price_mean) / scales.price_scale)[has_price]
        return ItemColumns(
            leaf=codes([leaf_category(str(path)) for path in catalogue.categories]),
            top=codes([top_category(str(path)) for path in catalogue.categories]),
            brand=codes([str(brand) for brand in catalogue.brands]),
            words=title_words([str(title) for title in catalogue.titles]),
            log_price=log_price,
            has_price=has_price,
            number=_number(catalogue, scales.number),
            created_at_us=catalogue.created_at_us,
            scales=scales,
        )


@dataclass(frozen=True, kw_only=True)
class ItemGroups:
    """Groups of items, from 1 by item row; 0 is unknown."""

    top: NDArray[np.int64]
    leaf: NDArray[np.int64]
    brand: NDArray[np.int64]
    num_tops: int
    num_brands: int
    num_words: int
    top_of_leaf: NDArray[np.int64]


def price_scale_of(catalogue: Catalogue, in_training: NDArray[np.bool_]) -> tuple[float, float]:
    """Return mean and standard deviation of the log prices of the items that training met."""
    prices = catalogue.price_micros[in_training & (catalogue.price_micros > 0)]
    if len(prices) == 0:
        return 0.0, 1.0
    logs = np.log(prices)
    return float(logs.mean()), max(float(logs.std()), 1e-3)


def number_scales_of(
    catalogue: Catalogue, in_training: NDArray[np.bool_], name: str
) -> NumberScales:
    """Return mean and standard deviation of an amount's logarithms, over training items."""
    rows = np.flatnonzero(in_training)
    told = [amounts_of(catalogue, int(row)).get(name) for row in rows]
    logs = np.array([amount for amount in told if amount is not None] or [0.0])
    return NumberScales(name=name, mean=float(logs.mean()), scale=max(float(logs.std()), 1e-3))


def _number(catalogue: Catalogue, scales: NumberScales | None) -> NDArray[np.float32]:
    found = np.zeros((catalogue.num_items, 2), dtype=np.float32)
    if scales is None:
        return found
    for row in range(catalogue.num_items):
        amount = amounts_of(catalogue, row).get(scales.name)
        if amount is None:
            found[row, 1] = 1.0
        else:
            found[row, 0] = (amount - scales.mean) / scales.scale
    return found
