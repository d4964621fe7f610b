"""The tables of a store; the migrations beside them make the same."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
"""What there is once: the secret, what the rows mean, how far the other tables have come."""

shopper = Table(
    "shopper",
    metadata,
    Column("shopper", Integer, primary_key=True),
    Column("user_id", String, nullable=False, unique=True),
    Column("subject", String, nullable=False, unique=True),
    Column("events", LargeBinary, nullable=False),
)
"""A person, their random key and their history as `EVENT` rows. Only here stands who it is."""

journal = Table(
    "journal",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("key", String, nullable=False, unique=True),
    Column("subject", String, nullable=False, index=True),
    Column("timestamp_us", BigInteger, nullable=False),
    Column("event", LargeBinary, nullable=False),
)
"""Every event that was acknowledged, as it came but for the person: JSON of a `ShopEvent`."""

decision = Table(
    "decision",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("decision_id", String, nullable=False, unique=True),
    Column("subject", String, nullable=False, index=True),
    Column("at_us", BigInteger, nullable=False),
    Column("record", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

counter = Table(
    "counter",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("day", Integer, nullable=False),
    Column("counts", LargeBinary, nullable=False),
)
"""What happened to an item, as of a day: settled counts, then that day's, float32."""

item = Table(
    "item",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("stock", BigInteger, nullable=False),
    Column("columns", LargeBinary),
)
"""Items that differ from the model's catalogue: what is left, and the columns of those put."""


api_key = Table(
    "api_key",
    metadata,
    Column("key_id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("scopes", String, nullable=False),
    Column("digest", LargeBinary, nullable=False),
)
"""Who may call; of a key only what it hashes to."""


def sql_of(statement: ClauseElement) -> str:
    """Write a statement out once, for the paths on which its making would cost more than its work.

    Its values are given in order, one tuple per row.
    """
    return str(statement.compile(dialect=sqlite.dialect()))
