"""Wrapped data keys, by household, program and what they are for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.store import bulk
from visitsync.store.among import among_given
from visitsync.store.prepared import Prepared
from visitsync.store.tables import data_key

ACTIVE: Final = "active"
DESTROYED: Final = "destroyed"
"""Its wrapped bytes are gone; the row stays, so that it is never made anew."""


class Key(NamedTuple):
    """One wrapped key."""

    household: str
    program: str
    kind: str
    epoch: int
    state: str
    wrapped: bytes | None


_OF_HOUSEHOLDS: Final = Prepared(
    sa.select(*(data_key.c[name] for name in Key._fields)).where(
        among_given(data_key.c.household, "households")
    )
)
_OF_LOGS: Final = Prepared(
    sa.select(*(data_key.c[name] for name in Key._fields)).where(
        among_given(data_key.c.household, "households"),
        data_key.c.program == "",
        data_key.c.kind == "log",
    )
)


async def of_households(connection: AsyncConnection, households: Collection[str]) -> list[Key]:
    """All keys of these households."""
    rows = await _OF_HOUSEHOLDS.fetch(connection, households=list(households))
    return [Key._make(row) for row in rows]


async def of_logs(connection: AsyncConnection, households: Collection[str]) -> list[Key]:
    """The keys that seal what the access log says of these households."""
    rows = await _OF_LOGS.fetch(connection, households=list(households))
    return [Key._make(row) for row in rows]


async def add(connection: AsyncConnection, keys: Sequence[Key]) -> None:
    """Add new keys."""
    await bulk.add(connection, data_key, keys)


async def counts(connection: AsyncConnection) -> dict[int, int]:
    """How many active keys each master key epoch wraps."""
    rows = await connection.execute(
        sa.select(data_key.c.epoch, sa.func.count())
        .where(data_key.c.state == ACTIVE)
        .group_by(data_key.c.epoch)
    )
    return {row[0]: row[1] for row in rows}
