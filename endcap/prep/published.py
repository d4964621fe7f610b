"""Ready mappings of public datasets and of other systems' exports, each a file in `mappings/`.

A log is known by its columns, or its mapping is asked for by the stem of the file's name, such as
`ga4`.
"""

from functools import cache
from importlib import resources
from pathlib import PurePath

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from endcap.errors import ConfigError, SchemaError
from endcap.prep.columns import is_there
from endcap.prep.nested import names_of, reach, unfold, value_at
from endcap.prep.tables import Table
from endcap.schema import ShopConfig

SAMPLE = 10_000


class Mapping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one published log is read, or why it cannot be."""

    title: str
    match: tuple[str, ...]
    """Columns that the file must have to be known by them; `a | b` is one of two."""
    exact: bool = False
    """Whether it may have no others."""
    kinds: dict[str, tuple[str, ...]] = {}
    """Columns whose values must all be among these."""
    needs: tuple[str, ...] = ()
    """Columns without which it is not this format, when asked for; `match` where there are none."""
    note: str = ""
    """What a reader of results should know; it stands in the report."""
    refuse: str = ""
    """Why the dataset holds no log of users and items; empty when it does."""
    shop: ShopConfig = msgspec.field(default_factory=ShopConfig)


@cache
def mappings_by_word() -> dict[str, Mapping]:
    """Read every mapping of the package."""
    folder = resources.files("endcap.prep") / "mappings"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return {
        PurePath(file.name).stem: msgspec.toml.decode(file.read_bytes(), type=Mapping)
        for file in files
        if file.name.endswith(".toml")
    }


def find_mapping(table: Table) -> Mapping | None:
    """Find the mapping whose columns a file has."""
    return next((one for one in mappings_by_word().values() if _matches(one, table)), None)


def mapping_named(word: str, table: Table, *, file: str) -> Mapping:
    """Return the mapping that a user asked for by its word.

    Raises:
        ConfigError: there is no such format.
        SchemaError: the file has not the columns of the format.
    """
    mappings = mappings_by_word()
    mapping = mappings.get(word.strip().lower().replace("-", "_"))
    if mapping is None:
        raise ConfigError(f"There is no format {word}; Endcap knows {', '.join(mappings)}.")
    wanted = mapping.needs or mapping.match
    missing = [name for name in wanted if not is_there(name, table.columns)]
    if missing:
        raise SchemaError(
            f"{file} is not {mapping.title}: it has no {', '.join(missing)}, but "
            f"{', '.join(table.columns)}; choose another --format, or leave it out."
        )
    return mapping


def _matches(mapping: Mapping, table: Table) -> bool:
    found = table.columns
    if not all(is_there(name, found) for name in mapping.match):
        return False
    if mapping.exact and set(mapping.match) != set(found):
        return False
    return all(
        set(table.frame[name].drop_nulls().unique().to_list()) <= set(values)
        for name, values in mapping.kinds.items()
    )


def shop_of(mapping: Mapping, table: Table, *, file: str, items: Table | None = None) -> ShopConfig:
    """Return the mapping's configuration, without what neither the log nor the catalogue has.

    Raises:
        SchemaError: the dataset cannot be read as a log; the message says why.
    """
    if mapping.refuse:
        raise SchemaError(f"{file} looks like {mapping.title}, which {mapping.refuse}")
    shop = _with_lists_of(table, mapping.shop)
    sample = Table(frame=table.frame.head(SAMPLE), broken=table.broken)
    found = unfold(sample, shop, file=file, must_reach=False).columns
    log = replace(shop.log, columns=_there(shop.log.columns, found))
    if items is not None:
        names = names_of([*shop.items.columns.values(), *shop.items.attributes], items.columns)
        found = [*found, *reach(items, names).columns]
    kept = replace(shop.items, columns=_there(shop.items.columns, found))
    return replace(shop, log=log, items=kept)


def _with_lists_of(table: Table, shop: ShopConfig) -> ShopConfig:
    """Leave out `explode` and `shown` where the file has no such column."""
    has_lists = (
        shop.log.explode and value_at(table.frame.head(SAMPLE), shop.log.explode) is not None
    )
    return replace(
        shop,
        log=replace(
            shop.log,
            explode=shop.log.explode if has_lists else "",
            shown=shop.log.shown if shop.log.shown in table.columns else "",
        ),
    )


def _there(columns: dict[str, str], found: list[str]) -> dict[str, str]:
    return {name: source for name, source in columns.items()
            if not source or is_there(source, found)}  # fmt: skip
