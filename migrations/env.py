"""Runs the migrations on the connection that `visitsync.store.schema` hands over."""

from __future__ import annotations

from alembic import context

from visitsync.store.tables import METADATA

connection = context.config.attributes["connection"]
if connection.dialect.name == "postgresql":
    # A migration that cannot get its lock must fail, not queue up every reader behind it.
    connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
    connection.exec_driver_sql("SET LOCAL statement_timeout = '10min'")
if not connection.in_transaction():
    # Else alembic would end the transaction on SQLite after each migration, and a later one that
    # fails would leave the earlier ones done. Whoever hands the connection over ends it.
    connection.begin()
context.configure(connection=connection, target_metadata=METADATA, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
