"""Ready mappings of public datasets, known by their columns; one TOML file each in `mappings/`."""

from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct

from endcap.errors import SchemaError
from endcap.schema import ShopConfig


class Mapping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one published log is read, or why it cannot be."""

    title: str
    match: tuple[str, ...]
    """Columns that the file must have."""
    exact: bool = False
    """Whether it may have no others."""
    note: str = ""
    """What a reader of results should know; it stands in the report."""
    refuse: str = ""
    """Why the dataset holds no log of users and items; empty when it does."""
    shop: ShopConfig = msgspec.field(default_factory=ShopConfig)


@cache
def all_mappings() -> tuple[Mapping, ...]:
    """Read every mapping of the package."""
    folder = resources.files("endcap.prep") / "mappings"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return tuple(
        msgspec.toml.decode(file.read_bytes(), type=Mapping)
        for file in files
        if file.name.endswith(".toml")
    )


def find_mapping(columns: list[str]) -> Mapping | None:
    """Find the mapping whose columns a file has."""
    found = set(columns)
    for mapping in all_mappings():
        wanted = set(mapping.match)
        if wanted == found or (wanted < found and not mapping.exact):
            return mapping
    return None


def shop_of(mapping: Mapping, *, file: str) -> ShopConfig:
    """Return the mapping's configuration.

    Raises:
        SchemaError: the dataset cannot be read as a log; the message says why.
    """
    if mapping.refuse:
        raise SchemaError(f"{file} looks like {mapping.title}, which {mapping.refuse}")
    return mapping.shop
