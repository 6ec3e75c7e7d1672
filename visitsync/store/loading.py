"""Putting rows back as a backup holds them; nothing of it is a change that the log must tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.store.prepared import driver_of
from visitsync.store.tables import APPEND_ONLY

_AT_ONCE: Final = 200


async def add(
    connection: AsyncConnection,
    table: sa.Table,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
) -> None:
    """Add rows to a table that has none of them."""
    driver = driver_of(connection)
    if connection.dialect.name == "postgresql":
        await driver.copy_records_to_table(
            str(table.name), records=[tuple(one) for one in rows], columns=list(columns)
        )
        return
    names = ", ".join(f'"{one}"' for one in columns)
    places = ", ".join("?" for _ in columns)
    statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({places})'  # noqa: S608 -- our names
    await driver.executemany(statement, rows)


async def put(
    connection: AsyncConnection,
    table: sa.Table,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
) -> None:
    """Add rows, or put them in the place of what they were."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    replaced = {name: statement.excluded[name] for name in columns if name not in keys}
    if table.name in APPEND_ONLY or not replaced:
        made = statement.on_conflict_do_nothing()
    else:
        made = statement.on_conflict_do_update(index_elements=keys, set_=replaced)
    if rows:
        await connection.execute(made, [dict(zip(columns, one, strict=True)) for one in rows])


async def remove(
    connection: AsyncConnection, table: sa.Table, keys: Sequence[Sequence[Any]]
) -> None:
    """Take rows away."""
    columns = list(table.primary_key)
    for start in range(0, len(keys), _AT_ONCE):
        some = [tuple(one) for one in keys[start : start + _AT_ONCE]]
        await connection.execute(sa.delete(table).where(sa.tuple_(*columns).in_(some)))
