"""Anchors as they stand in the database: one row for each entry of the log that changed rows."""

from __future__ import annotations

from collections.abc import AsyncIterator

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.store.tables import log_anchor


async def add(connection: AsyncConnection, shard: str, seq: int, body: bytes) -> None:
    """Keep the anchors of an entry."""
    await connection.execute(sa.insert(log_anchor), {"shard": shard, "seq": seq, "body": body})


async def of_shard(connection: AsyncConnection, shard: str) -> AsyncIterator[tuple[int, bytes]]:
    """Places and anchors of a shard's entries, in their order."""
    after = -1
    while True:
        rows = await connection.execute(
            sa.select(log_anchor.c.seq, log_anchor.c.body)
            .where(log_anchor.c.shard == shard, log_anchor.c.seq > after)
            .order_by(log_anchor.c.seq)
            .limit(200)
        )
        found = rows.all()
        if not found:
            return
        for row in found:
            yield row.seq, row.body
        after = found[-1].seq
