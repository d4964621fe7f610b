"""What the made-up shop sells: integer facts from hashes, appeal on top, words that follow both."""

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from endcap.schema import MICROS, Catalogue
from endcap.simulate.config import DAY_US, WorldConfig
from endcap.simulate.noise import I64, U64, Stream, below, derive, keys_of, normal
from endcap.simulate.words import BRANDS, CONSUMABLE_TOPS, GRADES, LEAVES, STYLES, TOPS

F32 = NDArray[np.float32]
NUM_LATENT = 4
_LEVELS_PERMILLE = np.array([500, 640, 800, 1000, 1250, 1560, 1950], dtype=np.int64)
_LEAF_PRICE = np.array([leaf.price for leaf in LEAVES], dtype=np.int64) * MICROS
_LEAF_TOP = np.array([leaf.top for leaf in LEAVES], dtype=np.int64)
_CONSUMABLE = np.isin(_LEAF_TOP, CONSUMABLE_TOPS)
LOWEST_PRICE, HIGHEST_PRICE = 5 * MICROS, 200 * MICROS


@dataclass(frozen=True, kw_only=True)
class Goods:
    """The items by column, one row each, in order of arrival."""

    leaf: I64
    top: I64
    brand: I64
    style: I64
    seller: I64
    level: I64
    """Price against the median of the leaf: 0 cheapest to 6 dearest."""
    price_micros: I64
    """The list price, without promotions."""
    unit_cost_micros: I64
    first_stock: I64
    created_at_us: I64
    is_consumable: NDArray[np.bool_]
    relative_price: F32
    """Logarithm of the list price against the leaf's median."""
    appeal: F32
    """What everybody sees in it: its own quality, its brand's and its category's (log-odds)."""
    latent: F32
    """[V, 4] a taste direction that no column tells."""

    def __len__(self) -> int:
        return len(self.leaf)

    def extended(self, more: Self) -> Self:
        """Append rows; those that were there keep their numbers."""
        parts = {
            field.name: np.concatenate([getattr(self, field.name), getattr(more, field.name)])
            for field in fields(self)
        }
        return replace(self, **parts)


def make_goods(config: WorldConfig, rows: I64, created_at_us: I64 | None = None) -> Goods:
    """Make the items of these rows; an item depends on its row and the seed alone."""
    keys = keys_of(config.seed, Stream.ITEM, rows)
    leaf = below(derive(keys, 1), len(LEAVES))
    top = _LEAF_TOP[leaf]
    level = (below(derive(keys, 2), 4) + below(derive(keys, 3), 4)).astype(np.int64)
    price = _price_of(leaf, level)
    cost_permille = 560 + below(derive(keys, 4), 240)
    brand = _brand_of(keys, top)
    age_us = below(derive(keys, 5), 180) * DAY_US
    return Goods(
        leaf=leaf,
        top=top,
        brand=brand,
        style=below(derive(keys, 6), len(STYLES)),
        seller=below(derive(keys, 7), 12),
        level=level,
        price_micros=price,
        unit_cost_micros=price * cost_permille // 1000,
        first_stock=10 + below(derive(keys, 8), 120),
        created_at_us=config.start_us - age_us if created_at_us is None else created_at_us,
        is_consumable=_CONSUMABLE[leaf],
        relative_price=np.log(price / _LEAF_PRICE[leaf]).astype(np.float32),
        appeal=_appeal_of(config, keys, leaf, brand),
        latent=normal(derive(keys[:, None], np.arange(20, 20 + NUM_LATENT))).astype(np.float32),
    )


def _price_of(leaf: I64, level: I64) -> I64:
    """Price by median and level, within 5 to 200, ending in .90."""
    whole = _LEAF_PRICE[leaf] * _LEVELS_PERMILLE[level] // (1000 * MICROS)
    price: I64 = np.clip(whole * MICROS - MICROS // 10, LOWEST_PRICE, HIGHEST_PRICE)
    return price


def _brand_of(keys: U64, top: I64) -> I64:
    """Pick one of the six brands of a top category: three at home, three visiting."""
    pick = below(derive(keys, 9), 6)
    visiting = (top + 3) % len(TOPS)
    return (np.where(pick < 3, top, visiting) + len(TOPS) * (pick % 3)) % len(BRANDS)


def _appeal_of(config: WorldConfig, keys: U64, leaf: I64, brand: I64) -> F32:
    own = normal(derive(keys, 10))
    of_brand = normal(keys_of(config.seed, Stream.RELATION, 1, np.arange(len(BRANDS))))
    of_leaf = normal(keys_of(config.seed, Stream.RELATION, 2, np.arange(len(LEAVES))))
    total = own + 0.5 * of_brand[brand] + 0.5 * of_leaf[leaf]
    return (config.quality_strength * total).astype(np.float32)


def price_today(config: WorldConfig, goods: Goods, day: int) -> I64:
    """Return the prices of a day; a promotion takes a fifth off for three days."""
    if not config.promotions:
        return goods.price_micros.copy()
    keys = keys_of(config.seed, Stream.PROMOTION, np.arange(len(goods)), day // 3)
    reduced = goods.price_micros * 4 // 5 // 100_000 * 100_000
    cheaper = np.maximum(reduced, goods.unit_cost_micros)
    return np.where(below(keys, 1000) < 40, cheaper, goods.price_micros)


def catalogue_of(goods: Goods, price_micros: I64, stock: I64) -> Catalogue:
    """Write the items as the shop's catalogue: same rows, with words."""
    count = len(goods)
    titles = [_title(goods, row) for row in range(count)]
    attributes, relations = np.empty(count, dtype=object), np.empty(count, dtype=object)
    relations[:] = [()] * count
    attributes[:] = [(f"style={STYLES[style][0].lower()}",) for style in goods.style]
    return Catalogue(
        item_ids=_texts([f"i{row:05d}" for row in range(count)]),
        titles=_texts(titles),
        descriptions=_texts([_description(goods, row) for row in range(count)]),
        categories=_texts([LEAVES[leaf].path for leaf in goods.leaf]),
        brands=_texts([BRANDS[brand] for brand in goods.brand]),
        seller_ids=_texts([f"s{seller:02d}" for seller in goods.seller]),
        attributes=attributes,
        price_micros=price_micros.copy(),
        unit_cost_micros=goods.unit_cost_micros.copy(),
        stock=stock.copy(),
        available=np.ones(count, dtype=np.bool_),
        created_at_us=goods.created_at_us.copy(),
        embeddings=np.zeros((count, 0), dtype=np.float32),
        relations=relations,
    )


def _texts(values: list[str]) -> NDArray[np.object_]:
    texts = np.empty(len(values), dtype=object)
    texts[:] = values
    return texts


def _title(goods: Goods, row: int) -> str:
    leaf, style = LEAVES[goods.leaf[row]], STYLES[goods.style[row]]
    grade = GRADES[min(int(goods.level[row]) // 2, len(GRADES) - 1)]
    brand = BRANDS[goods.brand[row]]
    english = f"{brand} {style[0]} {leaf.noun} {grade[0]}"
    return f"{english} {style[1]}{leaf.noun_zh} {grade[1]}"


def _description(goods: Goods, row: int) -> str:
    leaf, style = LEAVES[goods.leaf[row]], STYLES[goods.style[row]]
    return (
        f"{leaf.noun} by {BRANDS[goods.brand[row]]} in a {style[0].lower()} style. "
        f"{style[1]}风格的{leaf.noun_zh}。"
    )


def goes_with(config: WorldConfig) -> I64:
    """Return which two leaf categories go with each leaf, int64 [leaves, 2]; never itself."""
    leaves = np.arange(len(LEAVES))
    keys = keys_of(config.seed, Stream.RELATION, 3, leaves)
    first = (leaves + 1 + below(keys, len(LEAVES) // 2 - 1)) % len(LEAVES)
    second = (first + 1 + below(derive(keys, 1), len(LEAVES) // 2 - 1)) % len(LEAVES)
    return np.stack([first, second], axis=1)
