"""What a model's log leaves to a new store, and whether an old one fits the model."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec
from sqlalchemy import Connection, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from endcap.errors import StoreError
from endcap.features import Counters
from endcap.schema import Campaigns, Catalogue, Histories
from endcap.store.tables import meta, shopper

CHUNK = 5_000
"""Shoppers that are written at once."""

Report = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Start:
    """A log's end: where a new store begins."""

    user_ids: list[str]
    histories: Histories
    counters: Counters
    catalogue: Catalogue
    campaigns: Campaigns
    placements: list[str]
    """Names by their number in `EVENT.placement`."""

    @property
    def rows(self) -> str:
        """Name what the numbers of items and campaigns in a history mean."""
        ids = [self.catalogue.item_ids.tolist(), [c.campaign_id for c in self.campaigns.rows]]
        return sha256(msgspec.json.encode(ids)).hexdigest()


class Meta(msgspec.Struct, kw_only=True):
    """What a store holds once."""

    rows: str
    secret: bytes
    placements: list[str]
    event: int = 0
    """The number of the last event that is part of histories, counters and stock."""
    decision: int = 0
    """The number of the last record whose page is part of them."""


def read_meta(connection: Connection) -> Meta | None:
    """Return what the store holds once; None when it is new."""
    line = connection.scalar(select(meta.c.value).where(meta.c.name == "store"))
    return None if line is None else msgspec.json.decode(line, type=Meta)


def write_meta(connection: Connection, told: Meta) -> None:
    """Write it."""
    value = msgspec.json.encode(told)
    put = upsert(meta).values(name="store", value=value)
    connection.execute(put.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def begin(connection: Connection, start: Start, report: Report) -> Meta:
    """Write the log's shoppers into a new store; all of them, or none."""
    count = len(start.user_ids)
    for first in range(0, count, CHUNK):
        rows = [
            {
                "user_id": start.user_ids[row],
                "subject": secrets.token_hex(12),
                "events": start.histories.of(row).tobytes(),
            }
            for row in range(first, min(first + CHUNK, count))
        ]
        connection.execute(insert(shopper), rows)
        report("storing the log's shoppers", min(first + CHUNK, count), count)
    told = Meta(rows=start.rows, secret=secrets.token_bytes(32), placements=start.placements)
    write_meta(connection, told)
    return told


def check_fits(path: Path, told: Meta, start: Start) -> None:
    """Refuse a model whose items, campaigns or placements have other numbers.

    Raises:
        StoreError: they have.
    """
    what = None
    if told.rows != start.rows:
        what = "items and campaigns"
    elif told.placements[: len(start.placements)] != start.placements:
        what = "placements"
    if what is not None:
        raise StoreError(
            f"The model does not fit the store {path}: its {what} are not those that the store "
            f"was begun with. Serve the model that it was begun with, or name a new file."
        )
