"""Refusing settings of the database under which a committed log entry can be lost."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import SettingsError

OLDEST_POSTGRESQL: Final = 150_000
_SQLITE_FULL: Final = 2
_MUST_BE_ON: Final = ("fsync", "full_page_writes", "synchronous_commit")


async def refuse_lies(connection: AsyncConnection) -> None:
    """Check how durable a commit is on this connection.

    Raises:
        SettingsError: names the setting to mend.
    """
    if connection.dialect.name == "sqlite":
        await _check_sqlite(connection)
    else:
        await _check_postgresql(connection)


async def _check_sqlite(connection: AsyncConnection) -> None:
    mode = (await connection.exec_driver_sql("PRAGMA journal_mode")).scalar_one()
    if mode != "wal":
        raise SettingsError(
            "The embedded database must keep a write-ahead log; its file system does not allow it",
            where="journal_mode",
        )
    level = (await connection.exec_driver_sql("PRAGMA synchronous")).scalar_one()
    if level < _SQLITE_FULL:
        raise SettingsError("A commit could be lost; it must be FULL", where="synchronous")


async def _check_postgresql(connection: AsyncConnection) -> None:
    settings = sa.table("pg_settings", sa.column("name"), sa.column("setting"))
    names = (*_MUST_BE_ON, "server_version_num")
    rows = await connection.execute(
        sa.select(settings.c.name, settings.c.setting).where(settings.c.name.in_(names))
    )
    found = {row.name: row.setting for row in rows}
    if int(found.get("server_version_num", 0)) < OLDEST_POSTGRESQL:
        raise SettingsError("PostgreSQL must be of version 15 or newer", where="server_version")
    for name in _MUST_BE_ON:
        if found.get(name) == "off":
            raise SettingsError(
                "A power cut could take a log entry back; switch it on in postgresql.conf",
                where=name,
            )
