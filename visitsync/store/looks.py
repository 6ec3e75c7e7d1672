"""The access log read backwards: the entries about given households, in the order of the log."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.store.access_log import Row
from visitsync.store.among import among
from visitsync.store.tables import log_entry

_COLUMNS: Final[tuple[sa.Column[Any], ...]] = tuple(log_entry.c[name] for name in Row._fields)


class Place(NamedTuple):
    """A place in the log; places sort in the order of time."""

    shard: str
    seq: int


async def first_at(connection: AsyncConnection, shard: str, size: int, at: int) -> int:
    """The first entry of a year that is not before `at`; `size` where all are.

    Times never decrease along the log, so the primary key alone finds it in a few steps.
    """
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        found = await connection.execute(
            sa.select(log_entry.c.at).where(log_entry.c.shard == shard, log_entry.c.seq == middle)
        )
        if found.scalar_one() < at:
            low = middle + 1
        else:
            high = middle
    return low


async def about(
    connection: AsyncConnection, shard: str, span: range, households: Collection[str], limit: int
) -> list[Row]:
    """The first entries of a span of a year's log about any of these households."""
    rows = await connection.execute(
        sa.select(*_COLUMNS)
        .where(
            log_entry.c.shard == shard,
            log_entry.c.seq >= span.start,
            log_entry.c.seq < span.stop,
            among(log_entry.c.household, households),
        )
        .order_by(log_entry.c.seq)
        .limit(limit)
    )
    return [Row._make(row) for row in rows]


async def last_at(connection: AsyncConnection, household: str) -> int | None:
    """When the newest entry about a household was written; None where there is none."""
    found = await connection.execute(
        sa.select(log_entry.c.at)
        .where(log_entry.c.household == household)
        .order_by(log_entry.c.shard.desc(), log_entry.c.seq.desc())
        .limit(1)
    )
    return found.scalar_one_or_none()


async def of_household(
    connection: AsyncConnection, household: str, since: Place, period: range, limit: int
) -> list[Row]:
    """The first entries about a household from a place on, in a period of stored times."""
    rows = await connection.execute(
        sa.select(*_COLUMNS)
        .where(
            log_entry.c.household == household,
            log_entry.c.at >= period.start,
            log_entry.c.at < period.stop,
            sa.or_(
                log_entry.c.shard > since.shard,
                sa.and_(log_entry.c.shard == since.shard, log_entry.c.seq >= since.seq),
            ),
        )
        .order_by(log_entry.c.shard, log_entry.c.seq)
        .limit(limit)
    )
    return [Row._make(row) for row in rows]
