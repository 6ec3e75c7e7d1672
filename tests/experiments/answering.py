"""A process of its own that answers until its input ends: ``answering.py DATA_DIR DATABASE``.

Prints its address once it listens. A line of its input names what a control takes away.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any, Final

import sqlalchemy as sa

from visitsync import logs, settings
from visitsync.errors import VisitsyncError
from visitsync.service.context import Context, open_context
from visitsync.service.logbook import Logbook
from visitsync.signer import state
from visitsync.store import database as doors
from visitsync.store.prepared import driver_of
from visitsync.web.limits import Limits
from visitsync.web.serving import served

PAGES: Final = 40
"""So many are kept beside the embedded database, so that a few looks make it write them back."""


def _checkpoint_often() -> None:
    usual = doors._set_up_sqlite  # noqa: SLF001 -- the embedded database of this process alone

    def set_up(connection: Any, _: object) -> None:
        usual(connection, _)
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA wal_autocheckpoint = {PAGES}")
        cursor.close()

    doors._set_up_sqlite = set_up  # noqa: SLF001


async def unsynced(context: Context) -> None:
    """Neither the database nor the signer waits for the disk."""
    writer = context.database._writer  # noqa: SLF001 -- what the control spoils
    if context.database.name == "sqlite":
        async with writer.connect() as connection:
            await driver_of(connection).execute("PRAGMA synchronous = NORMAL")
    else:
        await context.database.close()
        sa.event.listen(writer.sync_engine, "connect", _set_off)
    signers: Any = state
    kept = {name: getattr(signers.os, name) for name in dir(signers.os)}
    signers.os = SimpleNamespace(**{**kept, "fsync": _nothing})


def _set_off(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute("SET synchronous_commit = off")
    cursor.close()


def _nothing(_: int) -> None:
    """Sync nothing."""


async def unwritten(_: Context) -> None:
    """Take a look for written although writing it failed."""
    logbook: Any = Logbook
    write = logbook._write  # noqa: SLF001 -- what the control spoils

    async def written(log: Any, batch: Any) -> Any:
        try:
            return await write(log, batch)
        except VisitsyncError:
            return asyncio.get_running_loop().time(), frozenset(batch)

    logbook._write = written  # noqa: SLF001


WAYS: Final[Mapping[str, Callable[[Context], Awaitable[None]]]] = {
    one.__name__: one for one in (unsynced, unwritten)
}


async def answer(data_dir: str, url: str) -> None:
    """Serve until the input ends."""
    limits = Limits(requests_per_minute=100_000_000)
    async with (
        open_context(settings.load({}, data_dir=data_dir, database_url=url)) as context,
        served(context, "127.0.0.1", 0, time.time, limits) as address,
    ):
        print(address, flush=True)
        while way := (await asyncio.to_thread(sys.stdin.readline)).strip():
            await WAYS[way](context)
            print(way, flush=True)


if __name__ == "__main__":
    _checkpoint_often()
    logs.set_up()
    asyncio.run(answer(sys.argv[1], sys.argv[2]))
