"""What witnesses cosigned: of each witness and year the newest head."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.store import changes
from visitsync.store.clock import Now
from visitsync.store.tables import witnessed


async def keep(connection: AsyncConnection, witness: str, shard: str, size: int, note: str) -> None:
    """Keep a cosigned head, unless one of more entries is there; the head row is held."""
    own = (witnessed.c.witness == witness) & (witnessed.c.shard == shard)
    there = (await connection.execute(sa.select(witnessed.c.size).where(own))).scalar()
    if there is None:
        values = {"witness": witness, "shard": shard, "size": size, "note": note}
        await changes.run(connection, sa.insert(witnessed).values(at=Now(), **values))
    elif there < size:
        values = {"size": size, "note": note}
        await changes.run(connection, sa.update(witnessed).where(own).values(at=Now(), **values))


async def of_year(connection: AsyncConnection, shard: str, size: int) -> tuple[str, ...]:
    """The cosigned heads of a year up to a size, in the order of their witnesses."""
    rows = await connection.execute(
        sa.select(witnessed.c.note)
        .where(witnessed.c.shard == shard, witnessed.c.size <= size)
        .order_by(witnessed.c.witness)
    )
    return tuple(rows.scalars())
