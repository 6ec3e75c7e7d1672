"""The instant of a backup: what was committed when the log had one head, and that head signed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.service.context import Context
from visitsync.store import access_log
from visitsync.store.access_log import Head


@silent
class Cut(NamedTuple):
    """What a backup reads."""

    connection: AsyncConnection
    """Sees this instant for as long as it lasts; nobody waits for it."""
    head: Head
    note: str
    """The checkpoint of exactly this head."""


@asynccontextmanager
async def cut(context: Context) -> AsyncIterator[Cut]:
    """An instant to read from. Writers wait while it is begun, and only then.

    Raises:
        DatabaseUnavailable, LogBroken, SignerError: there is none.
    """
    await context.log.signing.cover()
    async with AsyncExitStack() as stack:
        async with context.database.writing() as holding:
            head = await access_log.lock(holding)
            context.log.is_written(head)
            connection = await stack.enter_async_context(context.database.snapshot())
            note = await context.log.signing.sign(holding, head)
        yield Cut(connection, head, note)
