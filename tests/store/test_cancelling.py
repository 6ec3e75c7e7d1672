"""Whoever is cut off, at whatever await, leaves the database free, whole and with all connections.

A request is cut off by its time limit and when the service stops. What was raised is kept until the
end of a test, as a handler or a log may keep it: its frames hold what the driver had open.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import threading
import types
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, closing
from typing import Any, Final

import msgspec
import pytest
import sqlalchemy as sa

from visitsync.service.context import open_database
from visitsync.settings import Settings
from visitsync.store.database import Database
from visitsync.store.prepared import Prepared
from visitsync.store.tables import agency

AT_ONCE: Final = 6.0
"""Seconds. Whoever waits for a lock waits for ten; less tells how busy the machine is."""
MANY: Final = 150
SEED: Final = 20261125
FIRST, SECOND = "first", "second"
NAMED: Final = sa.select(agency.c.id, agency.c.name)
COUNTED: Final = Prepared(sa.select(sa.func.count()).select_from(agency))
IN_TRANSACTIONS: Final = sa.text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
)
Work = Callable[[Database, str], Awaitable[None]]


async def write(database: Database, name: str) -> None:
    """Two halves of one whole, with all ways that the store has to write and to read."""
    async with database.writing() as connection:
        await connection.execute(sa.insert(agency), a_row(FIRST, name))
        await connection.execute(NAMED)
        await COUNTED.fetch(connection)
        await connection.execute(sa.insert(agency), a_row(SECOND, name))
        await connection.execute(NAMED)


async def read(database: Database, _: str) -> None:
    async with database.reading() as connection:
        await connection.execute(NAMED)
        await COUNTED.fetch(connection)
        await connection.execute(NAMED)


def a_row(half: str, name: str) -> dict[str, str | None]:
    return {"id": f"{half}-{name}", "name": name, "kind": "npo", "ended_at": None}


@types.coroutine
def cut_off(work: Awaitable[None], *at: int) -> Generator[Any, Any, int]:
    """Do some work and cancel the task that does it at these of its awaits; answers how many."""
    steps = work.__await__()
    go_on: Callable[[Any], Any] = steps.send
    given: Any = None
    waits = 0
    while True:
        try:
            awaited = go_on(given)
        except StopIteration:
            return waits
        waits += 1
        if waits in at and (task := asyncio.current_task()) is not None:
            task.cancel()
        try:
            given, go_on = (yield awaited), steps.send
        except BaseException as error:  # noqa: BLE001 -- whatever it is, it is the work's
            given, go_on = error, steps.throw


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    opened = open_database(settings)
    yield opened
    await opened.close()


@pytest.fixture
def kept() -> list[BaseException]:
    """What was raised."""
    return []


async def until_cut_off(work: Awaitable[None], kept: list[BaseException], *at: int) -> bool:
    """Whether it was cut off, and not done before."""
    try:
        await asyncio.create_task(_as_coroutine(cut_off(work, *at)))
    except asyncio.CancelledError as error:
        kept.append(error)
        return True
    return False


async def _as_coroutine(work: Awaitable[int]) -> int:
    return await work


async def as_if_nothing_had_been(database: Database, settings: Settings, label: str) -> None:
    """Fail unless the next write is done at once, and all is whole."""
    async with asyncio.timeout(AT_ONCE):
        await write(database, f"after-{label}")
        async with AsyncExitStack() as every:
            for _ in range(writers(settings)):
                await every.enter_async_context(database.writing())
            for _ in range(4):
                await every.enter_async_context(database.reading())
        async with database.reading() as connection:
            rows = (await connection.execute(NAMED)).all()
            if settings.embedded is None:
                assert (await connection.execute(IN_TRANSACTIONS)).scalar_one() == 0
    assert {one.name for one in rows if one.id.startswith(FIRST)} == {
        one.name for one in rows if one.id.startswith(SECOND)
    }
    workers = [one for one in threading.enumerate() if "_connection_worker" in one.name]
    assert len(workers) <= 1 + 4


def writers(settings: Settings) -> int:
    return 1 if settings.embedded is not None else settings.database_connections // 2


def the_file_is_free(settings: Settings) -> None:
    """Fail unless another process could write without any waiting."""
    if settings.embedded is not None:
        with closing(sqlite3.connect(settings.embedded, timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")


@pytest.mark.parametrize("work", [write, read])
async def test_cut_off_once_at_each_await(
    database: Database, settings: Settings, kept: list[BaseException], work: Work
) -> None:
    await write(database, "before")
    at = 1
    while await until_cut_off(work(database, f"{at}"), kept, at):
        the_file_is_free(settings)
        await as_if_nothing_had_been(database, settings, f"{at}")
        at += 1
    assert at > 4


@pytest.mark.parametrize("work", [write, read])
@pytest.mark.parametrize("later", [1, 2, 3])
async def test_cut_off_again_while_it_is_being_undone(
    database: Database, settings: Settings, kept: list[BaseException], work: Work, later: int
) -> None:
    await write(database, "before")
    at = 1
    while await until_cut_off(work(database, f"{at}"), kept, at, at + later):
        await as_if_nothing_had_been(database, settings, f"{at}")
        at += 1
    assert at > 4


@pytest.mark.parametrize("work", [write, read])
async def test_cut_off_at_each_await_of_the_first_of_all(
    settings: Settings, kept: list[BaseException], work: Work
) -> None:
    """Connecting and setting a connection up are awaits, too."""
    at, goes_on = 1, True
    while goes_on:
        database = open_database(settings)
        try:
            goes_on = await until_cut_off(work(database, f"{at}"), kept, at)
            the_file_is_free(settings)
            await as_if_nothing_had_been(database, settings, f"{at}")
        finally:
            await database.close()
        at += 1
    assert at > 9


async def test_cut_off_at_any_moment_among_others(
    database: Database, settings: Settings, kept: list[BaseException]
) -> None:
    """By the clock, as by a time limit, while others write and read."""
    moments = random.Random(SEED)  # noqa: S311 -- moments, not secrets

    async def one(work: Work, name: str) -> None:
        try:
            async with asyncio.timeout(moments.uniform(0, 0.02)):
                await work(database, name)
        except TimeoutError as error:
            kept.append(error)

    for turn in range(MANY // 3):
        async with asyncio.TaskGroup() as group:
            for number, work in enumerate((write, read, write)):
                group.create_task(one(work, f"{turn}-{number}"))
        the_file_is_free(settings)
        await as_if_nothing_had_been(database, settings, f"{turn}")
    assert len(kept) > MANY // 10


async def test_who_is_cut_off_costs_the_others_no_connection(
    database: Database, settings: Settings, kept: list[BaseException]
) -> None:
    """The idle ones stay: each that were closed would cost one more request."""
    if settings.embedded is not None:
        pytest.skip("the embedded database's connections are closed one by one anyway")

    async def servers() -> set[int]:
        async with AsyncExitStack() as every:
            several = [await every.enter_async_context(database.reading()) for _ in range(4)]
            own = sa.text("SELECT pg_backend_pid()")
            return {(await one.execute(own)).scalar_one() for one in several}

    await write(database, "before")
    before, at = await servers(), 1
    while await until_cut_off(write(database, f"{at}"), kept, at):
        at += 1
    assert await servers() == before


async def test_a_server_that_does_not_answer_holds_nobody(
    settings: Settings, kept: list[BaseException]
) -> None:
    if settings.embedded is not None:
        pytest.skip("the embedded database is in this process")
    database = open_database(msgspec.structs.replace(settings, database_wait_seconds=0.3))

    async def asked() -> None:
        async with database.writing() as connection:
            await connection.execute(sa.insert(agency), a_row(FIRST, "half"))
            os.kill(server, signal.SIGSTOP)
            await COUNTED.fetch(connection)

    async with database.writing() as connection:
        server = (await connection.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one()
    answers_again = asyncio.get_running_loop().call_later(10, os.kill, server, signal.SIGCONT)
    try:
        async with asyncio.timeout(0.1):
            await asked()
    except TimeoutError as error:
        kept.append(error)
    assert kept
    assert answers_again.when() > asyncio.get_running_loop().time()
    answers_again.cancel()
    os.kill(server, signal.SIGCONT)
    await as_if_nothing_had_been(database, settings, "it")
    await database.close()
