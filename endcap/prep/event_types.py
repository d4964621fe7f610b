"""Name a log's kinds of event as we do: by the shop's own words for them, then by common ones."""

from collections.abc import Mapping

import polars as pl

from endcap.errors import ConfigError
from endcap.schema import Action, ShopConfig

COMMON = {
    "pageview": "view",
    "page_view": "view",
    "pv": "view",
    "detail": "view",
    "detail_page_view": "view",
    "product_view": "view",
    "view_item": "view",
    "impressions": "impression",
    "show": "impression",
    "exposure": "impression",
    "clicks": "click",
    "select_item": "click",
    "cart": "add_to_cart",
    "addtocart": "add_to_cart",
    "add_to_basket": "add_to_cart",
    "remove_cart": "remove_from_cart",
    "removefromcart": "remove_from_cart",
    "fav": "favorite",
    "favourite": "favorite",
    "wishlist": "favorite",
    "add_to_wishlist": "favorite",
    "buy": "purchase",
    "bought": "purchase",
    "order": "purchase",
    "transaction": "purchase",
    "purchase_complete": "purchase",
    "return": "refund",
    "rate": "rating",
    "dislike": "not_interested",
}
"""Other people's words for our kinds, tidied."""

IGNORE = "ignore"
"""Declared for a kind, it says that its rows are no events."""


def tidy(event_type: str) -> str:
    """Write a kind in small letters with underscores, as ours are."""
    return event_type.strip().lower().replace("-", "_").replace(" ", "_")


def translate(event_type: str, declared: Mapping[str, str]) -> str:
    """Name one kind; a declared key that ends in `*` stands for all that begin so.

    A value such as `impression+click` says that one row tells two events.
    """
    if event_type in declared:
        return declared[event_type]
    stems = [key for key in declared if key.endswith("*") and event_type.startswith(key[:-1])]
    if stems:
        return declared[max(stems, key=len)]
    return COMMON.get(tidy(event_type), tidy(event_type))


def read_event_types(values: pl.Series, declared: Mapping[str, str]) -> pl.Series:
    """Translate a column of kinds; each distinct one is looked at once."""
    kinds = values.unique().drop_nulls()
    named = pl.Series([translate(kind, declared) for kind in kinds], dtype=pl.String)
    return values.replace_strict(kinds, named, default=None, return_dtype=pl.String)


def check_declared(declared: Mapping[str, str]) -> None:
    """Refuse a declaration that maps a kind to none.

    Raises:
        ConfigError: a value is empty, or one of its parts is.
    """
    for key, value in declared.items():
        if not all(part.strip() for part in value.split("+")):
            raise ConfigError(
                f"event_types.{key} in shop.toml must name an event type such as click, "
                f"got {value!r}."
            )


def action_codes(event_types: pl.Expr, shop: ShopConfig) -> pl.Expr:
    """Number the kinds as `ShopConfig.action_of` does; what is not ours is the shop's own."""
    known = {action.name.lower(): int(action) for action in Action if action is not Action.PADDING}
    known |= {own: shop.action_of(own) for own in shop.own_types}
    return event_types.replace_strict(
        list(known), list(known.values()), default=int(Action.OWN), return_dtype=pl.UInt8
    )
