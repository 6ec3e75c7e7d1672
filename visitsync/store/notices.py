"""The notices that families sign, by version; only ever added to."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import bulk
from visitsync.store.tables import notice


@silent
class Notice(NamedTuple):
    """One version."""

    version: str
    recorded_at: int
    """No two of one instant, so that one of them is the newest."""
    retroactive: bool
    text_ja: str
    text_en: str
    clause_ja: str
    clause_en: str


async def add(connection: AsyncConnection, row: Notice) -> None:
    """Add a version."""
    await bulk.add(connection, notice, [row])


async def known(connection: AsyncConnection) -> list[Notice]:
    """All versions, the newest last."""
    rows = await connection.execute(sa.select(notice).order_by(notice.c.recorded_at))
    return [Notice._make(row) for row in rows]
