"""The two doors of the database: what they promise when it is well, and when it is not."""

from __future__ import annotations

import asyncio
import sqlite3
import threading

import pytest
import sqlalchemy as sa
from build import applied

from visitsync.errors import CommitUnknown, DatabaseUnavailable
from visitsync.service.context import Context, open_context, open_database
from visitsync.settings import Settings, load
from visitsync.store import clock
from visitsync.store.tables import agency

PLANTED = "試験 花子"


async def names(context: Context) -> list[str]:
    async with context.database.reading() as connection:
        rows = await connection.execute(sa.select(agency.c.id).order_by(agency.c.id))
        return [row.id for row in rows]


async def test_a_transaction_is_kept_whole_or_not_at_all(context: Context) -> None:
    row = {"id": "a", "name": "x", "kind": "npo", "ended_at": None}
    async with context.database.writing() as connection:
        await connection.execute(sa.insert(agency), row)
    with pytest.raises(RuntimeError):  # noqa: PT012 -- the transaction is what is tested
        async with context.database.writing() as connection:
            await connection.execute(sa.insert(agency), row | {"id": "b"})
            raise RuntimeError

    assert await names(context) == ["a"]


async def test_a_drivers_words_are_never_passed_on(context: Context) -> None:
    """PostgreSQL repeats the values of a row that breaks a constraint."""
    row = {"id": PLANTED, "name": PLANTED, "kind": "npo", "ended_at": None}
    with pytest.raises(DatabaseUnavailable) as caught:  # noqa: PT012 -- the second insert fails
        async with context.database.writing() as connection:
            await connection.execute(sa.insert(agency), row)
            await connection.execute(sa.insert(agency), row)

    assert PLANTED not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert await names(context) == []


async def test_after_an_error_the_next_transaction_is_well(context: Context) -> None:
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable):
            async with context.database.writing() as connection:
                await connection.execute(sa.text("SELECT 1 FROM nowhere"))
        with pytest.raises(DatabaseUnavailable):
            async with context.database.reading() as connection:
                await connection.execute(sa.text("SELECT 1 FROM nowhere"))
    async with context.database.writing() as connection:
        assert await clock.now(connection)


async def test_a_locked_database_is_unavailable_and_loses_nothing(settings: Settings) -> None:
    impatient = load(
        {},
        data_dir=settings.data_dir,
        database_url=settings.database_url,
        database_wait_seconds=0.3,
    )
    async with open_context(impatient) as context:
        other = open_database(settings)
        async with other.writing() as connection:
            await connection.execute(sa.text("UPDATE log_head SET size = size"))
            with pytest.raises(DatabaseUnavailable):
                await applied(context)
        await other.close()
        assert await names(context) == []
        await applied(context)
        assert await names(context) == ["city", "npo"]


async def test_a_full_database_is_unavailable_and_loses_nothing(
    context: Context, engine: str
) -> None:
    if engine != "sqlite":
        pytest.skip("a full disk cannot be made for one database of a shared PostgreSQL")
    async with context.database.writing() as connection:
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 1}")
    await applied(context)
    before = await names(context)

    row = {"id": "z", "name": "x" * 100_000, "kind": "npo", "ended_at": None}
    with pytest.raises(DatabaseUnavailable):
        async with context.database.writing() as connection:
            await connection.execute(sa.insert(agency), row)

    assert await names(context) == before
    async with context.database.writing() as connection:
        await connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        await connection.execute(sa.insert(agency), row)
    assert await names(context) == [*before, "z"]


async def test_an_unknown_commit_is_said_to_be_unknown(context: Context, engine: str) -> None:
    if engine != "postgresql":
        pytest.skip("the embedded database is in this process and cannot go away")
    with pytest.raises(CommitUnknown):  # noqa: PT012 -- the commit is what fails
        async with context.database.writing() as connection:
            own = (await connection.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one()
            async with context.database.reading() as other:
                await other.execute(sa.text(f"SELECT pg_terminate_backend({own}, 5000)"))
    async with context.database.writing() as connection:
        assert await clock.now(connection)


async def test_a_server_that_was_restarted_costs_one_request(context: Context, engine: str) -> None:
    if engine != "postgresql":
        pytest.skip("the embedded database is in this process and cannot go away")

    async def asked() -> int:
        async with context.database.writing() as connection:
            await connection.execute(sa.text("SELECT pg_sleep(0.1)"))
            return await clock.now(connection)

    await asyncio.gather(*(asked() for _ in range(4)))
    everybody = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    kill = f"SELECT pg_terminate_backend(pid, 5000) FROM ({everybody}) AS a WHERE pid != {{}}"  # noqa: S608
    async with context.database.reading() as connection:
        own = (await connection.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one()
        await connection.execute(sa.text(kill.format(own)))

    with pytest.raises(DatabaseUnavailable):
        await asked()
    for _ in range(4):
        assert await asked()


async def test_a_database_that_is_not_there_is_unavailable(settings: Settings, engine: str) -> None:
    if engine == "sqlite":
        where = load({}, data_dir=settings.data_dir / "none")
    else:
        where = load({}, database_url="postgresql://nobody@127.0.0.1:1/none")
    database = open_database(where)
    with pytest.raises(DatabaseUnavailable):
        async with database.reading() as connection:
            await clock.now(connection)
    await database.close()
    # The driver's thread still tells the loop that it could not connect.
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, 5)


def test_sqlite_knows_which_commits_certainly_failed() -> None:
    """The codes are compared by number; a rename in the driver would make them unknown."""
    assert (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL) == (5, 13)
