"""Who comes to the made-up shop: tastes, habits, devices, and how tastes drift."""

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from endcap.schema import Device
from endcap.simulate.config import WorldConfig
from endcap.simulate.goods import F32, NUM_LATENT
from endcap.simulate.noise import I64, U64, Stream, below, choice, derive, keys_of, normal
from endcap.simulate.words import BRANDS, LEAVES, STYLES, TOPS

HOUR_WEIGHTS = np.array(
    [8, 4, 2, 2, 2, 4, 10, 20, 30, 36, 40, 42, 48, 44, 40, 40, 42, 48, 58, 72, 84, 78, 52, 24],
    dtype=np.int64,
)
"""Visits by hour of the day, in whole parts: low at night, a hill at noon, the peak at 20:00."""

_LEAF_TOP = np.array([leaf.top for leaf in LEAVES], dtype=np.int64)
_LEAF_LIKED = np.array([3 + 5 * (n % 3) for n in range(len(LEAVES))], dtype=np.int64)
NUM_FAVOURITES = 4


@dataclass(frozen=True, kw_only=True)
class Shoppers:
    """The shoppers by column. Tables of taste are log-odds of a click."""

    device: I64
    favourite_hour: I64
    visit_permille: I64
    """How often they come, against the mean: 1000 is average."""
    is_known: NDArray[np.bool_]
    """Known by an account; others are visitors with an id that may change."""
    favourites: I64
    """[S, 4] leaf categories they like, the dearest first."""
    favourite_brands: I64
    """[S, 3]"""
    styles: I64
    """[S, 2] the style they like, and the one they dislike."""
    price_wish: F32
    """The relative price they look for (log of price against the leaf's median)."""
    price_sensitivity: F32
    """How fast a high price keeps them from buying."""
    latent: F32
    """[S, 4]"""
    leaf_taste: F32
    """[S, leaves]"""
    brand_taste: F32
    """[S, brands]"""
    style_taste: F32
    """[S, styles]"""

    def __len__(self) -> int:
        return len(self.device)

    def extended(self, more: Self) -> Self:
        """Append rows; those that were there keep their numbers."""
        parts = {
            field.name: np.concatenate([getattr(self, field.name), getattr(more, field.name)])
            for field in fields(self)
        }
        return replace(self, **parts)


def make_shoppers(config: WorldConfig, rows: I64) -> Shoppers:
    """Make the shoppers of these rows; a shopper depends on its row and the seed alone."""
    keys = keys_of(config.seed, Stream.SHOPPER, rows)
    strength = config.taste_strength if config.tastes else 0.0
    favourites = _favourites(keys)
    brands = _favourite_brands(keys, favourites)
    liked = below(derive(keys, 1), len(STYLES))
    disliked = (liked + 1 + below(derive(keys, 2), len(STYLES) - 1)) % len(STYLES)
    styles = np.stack([liked, disliked], axis=1)
    latent = normal(derive(keys[:, None], np.arange(20, 20 + NUM_LATENT)))
    return Shoppers(
        device=np.where(below(derive(keys, 3), 100) < 60, Device.MOBILE, Device.DESKTOP),
        favourite_hour=_hour(config, derive(keys, 4)),
        visit_permille=_visit_permille(keys),
        is_known=(below(derive(keys, 6), 100) < 85) | (not config.anonymous),
        favourites=favourites,
        favourite_brands=brands,
        styles=styles,
        price_wish=(strength * 0.35 * normal(derive(keys, 7))).astype(np.float32),
        price_sensitivity=np.exp(strength * 0.3 * normal(derive(keys, 8))).astype(np.float32),
        latent=(strength * 0.08 * latent).astype(np.float32),
        leaf_taste=leaf_taste_of(favourites, strength),
        brand_taste=_brand_taste(brands, strength),
        style_taste=_style_taste(styles, strength),
    )


def _visit_permille(keys: U64) -> I64:
    """Few come often, many come seldom; the mean is 1000."""
    return np.array([280, 560, 1010, 1630, 2600], dtype=np.int64)[
        choice(derive(keys, 5), np.array([25, 25, 25, 15, 12]))
    ]


def _hour(config: WorldConfig, keys: U64) -> I64:
    return choice(keys, HOUR_WEIGHTS) if config.daily_cycle else below(keys, 24)


def _favourites(keys: U64) -> I64:
    """Two leaves of one top category, one of (mostly) the related one, and one from anywhere."""
    first = choice(derive(keys, 9), _LEAF_LIKED)
    per_top = len(LEAVES) // len(TOPS)
    beside = first // per_top * per_top + (first + 1 + below(derive(keys, 10), per_top - 1)) % (
        per_top
    )
    related = (first // per_top + 3) % len(TOPS) * per_top + below(derive(keys, 11), per_top)
    usual = below(derive(keys, 16), 10) < 7
    third = np.where(usual, related, choice(derive(keys, 17), _LEAF_LIKED))
    fourth = choice(derive(keys, 12), _LEAF_LIKED)
    return np.stack([first, beside, third, fourth], axis=1)


def _favourite_brands(keys: U64, favourites: I64) -> I64:
    """Two brands at home in the top category they like best, and one from anywhere."""
    top = _LEAF_TOP[favourites[:, 0]]
    first = below(derive(keys, 13), 3)
    second = (first + 1 + below(derive(keys, 14), 2)) % 3
    return np.stack(
        [
            top + len(TOPS) * first,
            top + len(TOPS) * second,
            below(derive(keys, 15), len(BRANDS)),
        ],
        axis=1,
    )


def leaf_taste_of(favourites: I64, strength: float) -> F32:
    """Return the taste for every leaf, float32 [S, leaves], from the favourites."""
    rows = np.arange(len(favourites))[:, None]
    likes_top = np.zeros((len(favourites), len(TOPS)), dtype=np.bool_)
    likes_top[rows, _LEAF_TOP[favourites[:, :3]]] = True
    taste = np.where(likes_top[:, _LEAF_TOP], 0.9, -1.0)
    for place, liking in reversed(list(enumerate((2.2, 1.9, 1.9, 1.2)))):
        taste[rows[:, 0], favourites[:, place]] = liking
    return (strength * taste).astype(np.float32)


def _brand_taste(brands: I64, strength: float) -> F32:
    taste = np.full((len(brands), len(BRANDS)), -0.1)
    np.put_along_axis(taste, brands, 0.6, axis=1)
    return (strength * taste).astype(np.float32)


def _style_taste(styles: I64, strength: float) -> F32:
    taste = np.zeros((len(styles), len(STYLES)))
    np.put_along_axis(taste, styles, np.array([[0.6, -0.6]]), axis=1)
    return (strength * taste).astype(np.float32)


def drifted(config: WorldConfig, shoppers: Shoppers, day: int) -> Shoppers:
    """Return the shoppers of the next day: of a hundred, two have a new favourite category."""
    if not config.drift:
        return shoppers
    keys = keys_of(config.seed, Stream.DRIFT, np.arange(len(shoppers)), day)
    moved = np.flatnonzero(below(keys, 1000) < 20)
    favourites = shoppers.favourites.copy()
    place = below(derive(keys[moved], 1), NUM_FAVOURITES)
    favourites[moved, place] = choice(derive(keys[moved], 2), _LEAF_LIKED)
    leaf_taste = shoppers.leaf_taste.copy()
    strength = config.taste_strength if config.tastes else 0.0
    leaf_taste[moved] = leaf_taste_of(favourites[moved], strength)
    return replace(shoppers, favourites=favourites, leaf_taste=leaf_taste)
