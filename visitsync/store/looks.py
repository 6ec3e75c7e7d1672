"""The access log read backwards: entries about given households or with given words, in order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store.access_log import Row
from visitsync.store.among import among
from visitsync.store.tables import log_entry

_COLUMNS: Final[tuple[sa.Column[Any], ...]] = tuple(log_entry.c[name] for name in Row._fields)


@silent
class Place(NamedTuple):
    """A place in the log; places sort in the order of time."""

    shard: str
    seq: int


@silent
class Part(NamedTuple):
    """A part of a year's log."""

    shard: str
    seqs: range


async def first_at(connection: AsyncConnection, shard: str, size: int, at: int) -> int:
    """The first entry of a year that is not before `at`; `size` where all are.

    Times never decrease along the log, so the primary key alone finds it, by halves.
    """
    number = sa.BigInteger()
    halves = sa.select(
        sa.literal(0, number).label("low"), sa.literal(size, number).label("high")
    ).cte("halves", recursive=True)
    middle = (halves.c.low + halves.c.high) // 2
    time = (
        sa.select(log_entry.c.at)
        .where(log_entry.c.shard == shard, log_entry.c.seq == middle)
        .correlate(halves)
        .scalar_subquery()
    )
    halves = halves.union_all(
        sa.select(
            sa.case((time < at, middle + 1), else_=halves.c.low),
            sa.case((time < at, halves.c.high), else_=middle),
        ).where(halves.c.low < halves.c.high)
    )
    found = await connection.execute(sa.select(halves.c.low).where(halves.c.low == halves.c.high))
    return int(found.scalar_one())


async def last_at(connection: AsyncConnection, household: str) -> int | None:
    """When the newest entry about a household was written; None where there is none."""
    found = await connection.execute(
        sa.select(log_entry.c.at)
        .where(log_entry.c.household == household)
        .order_by(log_entry.c.shard.desc(), log_entry.c.seq.desc())
        .limit(1)
    )
    return found.scalar_one_or_none()


async def about(
    connection: AsyncConnection, part: Part, households: Collection[str], limit: int
) -> list[Row]:
    """The first `limit` entries of a part of the log about any of these households."""
    # Materialized: a database that saw the limit would bet on reading the log itself from the
    # start, and lose the bet where the households' entries stand at its end.
    found = (
        sa.select(log_entry.c.seq)
        .where(
            log_entry.c.shard == part.shard,
            log_entry.c.seq >= part.seqs.start,
            log_entry.c.seq < part.seqs.stop,
            among(log_entry.c.household, households),
        )
        .cte("found")
        .prefix_with("MATERIALIZED")
    )
    first = sa.select(found.c.seq).order_by(found.c.seq).limit(limit)
    rows = await connection.execute(
        sa.select(*_COLUMNS)
        .where(log_entry.c.shard == part.shard, log_entry.c.seq.in_(first))
        .order_by(log_entry.c.seq)
    )
    return [Row._make(row) for row in rows]


async def saying(
    connection: AsyncConnection, part: Part, words: Sequence[Collection[str]], limit: int
) -> list[Row]:
    """The first `limit` entries of a part of the log whose leaf holds one of each of `words`.

    Words that a leaf can only begin with are looked for there. No index helps; whoever calls bounds
    the part. A leaf may hold the words and mean another thing where a database does not heed
    capitals, so each is to be looked at again.
    """
    rows = await connection.execute(
        sa.select(*_COLUMNS)
        .where(
            log_entry.c.shard == part.shard,
            log_entry.c.seq >= part.seqs.start,
            log_entry.c.seq < part.seqs.stop,
            *(sa.or_(sa.false(), *map(_holds, any_of)) for any_of in words),
        )
        .order_by(log_entry.c.seq)
        .limit(limit)
    )
    return [Row._make(row) for row in rows]


def _holds(words: str) -> sa.ColumnElement[bool]:
    leaf = log_entry.c.leaf
    if words.startswith("{"):
        return leaf.startswith(words, autoescape=True)
    return leaf.contains(words, autoescape=True)
