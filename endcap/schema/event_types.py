"""Other people's words for kinds of event: a file's row and a live event are named alike."""

from collections.abc import Mapping

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
