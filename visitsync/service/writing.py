"""One change of facts, directory or tokens: the head held first, its own entry last."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.service import entries
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.keyring import LOG, held
from visitsync.store import data_keys, epochs
from visitsync.store.access_log import Head


class Change:
    """A transaction that holds the log's head, and the entry it will write."""

    def __init__(self, context: Context, connection: AsyncConnection, head: Head) -> None:
        self.context = context
        self.connection = connection
        self.head = head
        self.at = max(head.now, head.last_at)
        """The instant of the change: never before anything that is logged."""

    async def log(
        self,
        caller: Caller,
        kind: str,
        *,
        household: str | None = None,
        private: Mapping[str, Any],
        public: Mapping[str, Any],
    ) -> None:
        """Write the entry. Nothing is durable before the transaction ends."""
        keyring = self.context.keyring
        rows = await data_keys.of_households(self.connection, ["", household or ""])
        keys = keyring.opened(rows)
        draft = entries.draft(
            keyring,
            caller,
            kind,
            held(keys, (household or "", "", LOG)),
            household=household,
            private=dict(private),
            public=dict(public),
        )
        await self.context.log.append(self.connection, self.head, [draft])


@asynccontextmanager
async def change(context: Context, caller: Caller) -> AsyncIterator[Change]:
    """A transaction in which `caller` changes what decisions rest on.

    Raises:
        NotSignedIn: the caller's token has ended meanwhile.
        DatabaseUnavailable: nothing was changed.
        LogBroken: the log's head is not what was signed; nothing was changed.
    """
    async with context.database.writing() as connection:
        head = await context.log.hold(connection)
        scope = epochs.of_token(caller.token or "")
        caller.still((await epochs.read(connection, [scope]))[scope], head.now)
        yield Change(context, connection, head)
