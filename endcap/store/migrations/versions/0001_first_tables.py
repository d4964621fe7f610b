"""Make the first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "meta",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "shopper",
        sa.Column("shopper", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.String, nullable=False, unique=True),
        sa.Column("subject", sa.String, nullable=False, unique=True),
        sa.Column("events", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "journal",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("key", sa.String, nullable=False, unique=True),
        sa.Column("subject", sa.String, nullable=False, index=True),
        sa.Column("timestamp_us", sa.BigInteger, nullable=False),
        sa.Column("event", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "decision",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("decision_id", sa.String, nullable=False, unique=True),
        sa.Column("subject", sa.String, nullable=False, index=True),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "counter",
        sa.Column("row", sa.Integer, primary_key=True),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("counts", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "item",
        sa.Column("row", sa.Integer, primary_key=True),
        sa.Column("stock", sa.BigInteger, nullable=False),
        sa.Column("columns", sa.LargeBinary),
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("item", "counter", "decision", "journal", "shopper", "meta"):
        op.drop_table(name)
