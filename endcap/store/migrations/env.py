"""Alembic runs this: the connection is the caller's, and so is the transaction."""

from alembic import context

from endcap.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
