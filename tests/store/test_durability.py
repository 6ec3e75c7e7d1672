"""Settings under which a committed entry could be lost stop the start."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from visitsync.errors import SettingsError
from visitsync.service.context import Context
from visitsync.store import durability


async def test_the_settings_of_the_tests_are_durable(context: Context) -> None:
    async with context.database.reading() as connection:
        await durability.refuse_lies(connection)


async def test_settings_that_lie_are_refused(context: Context, engine: str) -> None:
    statement, mended = (
        ("PRAGMA synchronous = NORMAL", "PRAGMA synchronous = FULL")
        if engine == "sqlite"
        else ("SET synchronous_commit = off", "RESET synchronous_commit")
    )
    async with context.database.reading() as connection:
        await connection.execute(sa.text(statement))
        with pytest.raises(SettingsError) as caught:
            await durability.refuse_lies(connection)
        await connection.execute(sa.text(mended))

    assert caught.value.where in {"synchronous", "synchronous_commit"}


async def test_every_connection_of_the_embedded_database_syncs_fully(
    context: Context, engine: str
) -> None:
    if engine != "sqlite":
        pytest.skip("PostgreSQL's settings are the server's")
    for door in (context.database.reading, context.database.writing):
        async with door() as connection:
            found = (await connection.exec_driver_sql("PRAGMA synchronous")).scalar_one()
            assert found == 2
            foreign = (await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar_one()
            assert foreign == 1
