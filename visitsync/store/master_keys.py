"""Under which master keys data keys may stand: epochs and short ids, never the keys.

The database itself refuses a data key under an epoch that is not here, and to take an epoch away
while a data key is left under it, whoever is adding one meanwhile.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import changes
from visitsync.store.clock import Now
from visitsync.store.key_tables import master_key
from visitsync.store.prepared import Prepared


@silent
class Master(NamedTuple):
    """One epoch."""

    epoch: int
    key_id: str
    added_at: int


_NEWEST: Final = Prepared(sa.select(sa.func.max(master_key.c.epoch), Now()))


async def known(connection: AsyncConnection) -> tuple[Master, ...]:
    """All of them, the oldest first."""
    columns = (master_key.c[name] for name in Master._fields)
    rows = await connection.execute(sa.select(*columns).order_by(master_key.c.epoch))
    return tuple(Master._make(row) for row in rows)


async def newest(connection: AsyncConnection) -> int:
    """The epoch under which new data keys are to stand."""
    return (await newest_now(connection))[0]


async def newest_now(connection: AsyncConnection) -> tuple[int, int]:
    """The same, with the present instant."""
    ((epoch, now),) = await _NEWEST.fetch(connection)
    return int(epoch), int(now)


async def add(connection: AsyncConnection, one: Master) -> None:
    """Let data keys stand under it."""
    await changes.insert(connection, master_key, [one._asdict()])


async def end(connection: AsyncConnection, epoch: int) -> None:
    """Let no data key stand under it any more; the database refuses while one does."""
    await changes.delete(connection, sa.delete(master_key).where(master_key.c.epoch == epoch))
