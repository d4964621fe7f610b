"""Name a log's kinds of event as we do: by the shop's own words for them, then by common ones."""

from collections.abc import Mapping

import polars as pl

from endcap.errors import ConfigError
from endcap.schema import Action, ShopConfig, translate


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
