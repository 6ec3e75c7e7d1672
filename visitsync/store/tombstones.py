"""Tombstones in the database: of which households there is nothing any more; only added to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import bulk
from visitsync.store.key_tables import data_key, tombstone

RECORDS: Final = "records"
"""All but what the access log says of the household."""
LOG: Final = "log"


@silent
class Tombstone(NamedTuple):
    """Something of a household that was erased."""

    household: str
    what: str
    erasure: str
    erased_at: int
    entries: str | None = None
    """Of the log's key: which entries of the log stood under it; none can come under it later."""


async def known(connection: AsyncConnection) -> list[Tombstone]:
    """All of them, the oldest first."""
    rows = await connection.execute(
        sa.select(tombstone).order_by(tombstone.c.erased_at, tombstone.c.household)
    )
    return [Tombstone._make(row) for row in rows]


async def since(connection: AsyncConnection, at: int) -> list[Tombstone]:
    """Those that were added at an instant or later."""
    rows = await connection.execute(sa.select(tombstone).where(tombstone.c.erased_at >= at))
    return [Tombstone._make(row) for row in rows]


async def of_household(connection: AsyncConnection, household: str) -> dict[str, Tombstone]:
    """Those of one household, by what was erased."""
    rows = await connection.execute(sa.select(tombstone).where(tombstone.c.household == household))
    return {row.what: Tombstone._make(row) for row in rows}


async def add(connection: AsyncConnection, made: Sequence[Tombstone]) -> None:
    """Add them."""
    await bulk.add(connection, tombstone, made)


async def with_keys(connection: AsyncConnection) -> frozenset[tuple[str, str]]:
    """What was erased, as household and what, of which a wrapped key stands here all the same."""
    is_log = sa.and_(data_key.c.program == "", data_key.c.kind == LOG)
    rows = await connection.execute(
        sa.select(tombstone.c.household, tombstone.c.what)
        .join(data_key, data_key.c.household == tombstone.c.household)
        .where(data_key.c.wrapped.is_not(None), (tombstone.c.what == LOG) == is_log)
        .distinct()
    )
    return frozenset((row.household, row.what) for row in rows)
