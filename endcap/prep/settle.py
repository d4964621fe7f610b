"""Settle how a log is read: as it is told, as the file beside it says, as is known, or a guess."""

from pathlib import Path

from endcap.errors import ConfigError
from endcap.prep.guess import guess_from_table
from endcap.prep.published import find_mapping, mapping_named, shop_of
from endcap.prep.sources import Sources
from endcap.prep.tables import Table
from endcap.schema import ShopConfig, load_shop

Shop = ShopConfig | str | Path | None


def check_format(format: str | None, shop: Shop, sources: Sources) -> None:
    """Refuse a format where something else says already how the log is written.

    Raises:
        ConfigError: it is given beside a configuration.
    """
    if format is None:
        return
    if shop is not None:
        raise ConfigError("--format and --shop both say how the log is written; give one of them.")
    if sources.shop is not None:
        raise ConfigError(
            f"{sources.shop} says already how the log is written; leave --format out, or move "
            f"that file away."
        )


def settle(
    shop: Shop,
    format: str | None,
    sources: Sources,
    table: Table,
    *,
    file: str,
    listed: Table | None,
) -> tuple[ShopConfig, tuple[str, ...]]:
    """Return the configuration of a log, and what a reader should know of a ready mapping.

    Args:
        listed: the catalogue's file.

    Raises:
        ConfigError, SchemaError, FileError: it cannot be read so.
    """
    if format is not None:
        asked = mapping_named(format, table, file=file)
        told = f"Read as {asked.title}. {asked.note}"
        return shop_of(asked, table, file=file, items=listed), (told,)
    if isinstance(shop, ShopConfig):
        return shop, ()
    given = shop if shop is not None else sources.shop
    if given is not None:
        return load_shop(Path(given)), ()
    known = find_mapping(table)
    notes = (f"This looks like {known.title}. {known.note}",) if known else ()
    return guess_from_table(table, file=file, items=listed), notes
