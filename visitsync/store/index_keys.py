"""The epochs of the blind index, which the database names; the keys are in the key file.

The database itself refuses a term under an epoch that is not here, and to take an epoch away while
a term is left under it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import changes
from visitsync.store.among import among
from visitsync.store.key_tables import index_key
from visitsync.store.prepared import Prepared
from visitsync.store.tables import index_term


@silent
class Epoch(NamedTuple):
    """One epoch."""

    epoch: int
    key_id: str
    token_bits: int
    added_at: int


_KNOWN: Final = Prepared(
    sa.select(*(index_key.c[name] for name in Epoch._fields)).order_by(index_key.c.epoch)
)


async def known(connection: AsyncConnection) -> tuple[Epoch, ...]:
    """All of them, the oldest first; new terms stand under the last."""
    return tuple(Epoch._make(row) for row in await _KNOWN.fetch(connection))


async def add(connection: AsyncConnection, one: Epoch) -> None:
    """Let terms stand under it."""
    await changes.insert(connection, index_key, [one._asdict()])


async def end(connection: AsyncConnection, before: int) -> None:
    """Let no term stand under older epochs; the database refuses while one does."""
    await changes.delete(connection, sa.delete(index_key).where(index_key.c.epoch < before))


async def name(connection: AsyncConnection, epoch: int, key_id: str) -> None:
    """Note the id of a key of which the database knew none."""
    await changes.run(
        connection,
        sa.update(index_key)
        .where(index_key.c.epoch == epoch, index_key.c.key_id == "")
        .values(key_id=key_id),
    )


async def counts(connection: AsyncConnection) -> dict[int, int]:
    """How many terms stand under each epoch."""
    rows = await connection.execute(
        sa.select(index_term.c.epoch, sa.func.count()).group_by(index_term.c.epoch)
    )
    return {row[0]: row[1] for row in rows}


async def older(connection: AsyncConnection, epoch: int, after: str, most: int) -> list[str]:
    """Registrations beyond `after` with terms under epochs before `epoch`, in order."""
    found = (
        sa.select(index_term.c.registration)
        .where(index_term.c.epoch < epoch, index_term.c.registration > after)
        .distinct()
        .order_by(index_term.c.registration)
        .limit(most)
    )
    return list((await connection.execute(found)).scalars())


async def drop_older(connection: AsyncConnection, epoch: int, registrations: list[str]) -> int:
    """Take the terms of these registrations under older epochs away; answers how many."""
    gone = await connection.execute(
        sa.delete(index_term).where(
            index_term.c.epoch < epoch, among(index_term.c.registration, registrations)
        )
    )
    return int(gone.rowcount)
