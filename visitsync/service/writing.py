"""One change of facts, directory or tokens: the head held first, its own entry last."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.service import entries
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.keyring import LOG, held
from visitsync.service.logbook import Turn
from visitsync.store import data_keys, epochs, households
from visitsync.store.access_log import Head, Row


@silent
class About(NamedTuple):
    """What one entry says beside who and what kind of change."""

    household: str | None
    private: Mapping[str, Any]
    public: Mapping[str, Any]


class Change:
    """A transaction that holds the log's head, and the entries it will write, all at once."""

    def __init__(self, context: Context, turn: Turn, head: Head) -> None:
        self.context = context
        self.turn = turn
        self.connection = turn.connection
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
    ) -> Row:
        """Write the entry. Nothing is durable before the transaction ends."""
        return await self.log_each(caller, kind, [About(household, private, public)])

    async def log_each(self, caller: Caller, kind: str, told: Sequence[About]) -> Row:
        """Write the entries of one change, at least one; answers the last."""
        keyring = self.context.keyring
        homes = ["", *(one.household for one in told if one.household is not None)]
        keys = keyring.opened(await data_keys.of_households(self.connection, homes))
        drafts = [
            entries.draft(
                keyring,
                caller,
                kind,
                held(keys, (one.household or "", "", LOG)),
                household=one.household,
                private=dict(one.private),
                public=dict(one.public),
            )
            for one in told
        ]
        return (await self.turn.append(drafts))[-1]


@asynccontextmanager
async def change(
    context: Context, caller: Caller, *, placing: bool = False
) -> AsyncIterator[Change]:
    """A transaction in which `caller` changes what decisions rest on.

    Args:
        context: of the installation.
        caller: who.
        placing: whether registrations move; nobody else places any meanwhile.

    Raises:
        NotSignedIn: the caller's token has ended meanwhile.
        DatabaseUnavailable: nothing was changed.
        LogBroken: the log's head is not what was signed; nothing was changed.
    """
    async with context.log.writing() as turn:
        if placing:
            await households.hold_intake(turn.connection)
        head = await turn.hold()
        await still_signed_in(turn.connection, caller, max(head.now, head.last_at))
        yield Change(context, turn, head)


async def still_signed_in(connection: AsyncConnection, caller: Caller, now: int) -> None:
    """Go on only if the caller's token has not ended; to be asked while the head is held.

    Raises:
        NotSignedIn: it has.
    """
    if caller.token is not None:
        scope = epochs.of_token(caller.token)
        caller.still((await epochs.read(connection, [scope]))[scope], now)
