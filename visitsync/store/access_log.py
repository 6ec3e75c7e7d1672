"""The access log as it stands in the database: one head row, entries that only grow."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import LogBroken
from visitsync.schema.silent import silent
from visitsync.store.clock import Now
from visitsync.store.prepared import Prepared
from visitsync.store.tables import log_entry, log_head, log_year

_PAGE: Final = 5_000


@silent
class Head(NamedTuple):
    """The head of the log, and the database's present instant."""

    shard: str
    size: int
    frontier: bytes
    seal: bytes | None
    """A keyed hash of where the log stands; None until a release that seals it wrote to it."""
    note: str
    """The newest signed checkpoint; empty until there is one."""
    signed: int
    """How many entries the checkpoint covers."""
    unsigned_since: int | None
    """Since when an entry waits to be covered."""
    last_at: int
    """The time of the newest entry; no later one is before it."""
    now: int


@silent
class Row(NamedTuple):
    """One entry as stored."""

    shard: str
    seq: int
    at: int
    leaf: str
    household: str | None
    private: bytes | None
    key_version: int
    """Of the log key that sealed `private`."""


_HEAD: Final = sa.select(
    log_head.c.shard,
    log_head.c.size,
    log_head.c.frontier,
    log_head.c.seal,
    log_head.c.note,
    log_head.c.signed,
    log_head.c.unsigned_since,
    log_head.c.last_at,
    Now(),
)
_LOCKED_HEAD: Final = Prepared(_HEAD.with_for_update())
_INSERT: Final = Prepared(sa.insert(log_entry), many=Row._fields)
_MOVED: Final = tuple(name for name in Head._fields if name != "now")
_ADVANCE: Final = Prepared(sa.update(log_head), many=_MOVED)


async def begin(connection: AsyncConnection, head: Head) -> None:
    """Store the head of a log that has no entry yet."""
    values = {name: getattr(head, name) for name in _MOVED}
    await connection.execute(sa.insert(log_head), {"only": 1, **values})


async def head(connection: AsyncConnection) -> Head:
    """The head as of now.

    Raises:
        LogBroken: there is none.
    """
    return _only((await connection.execute(_HEAD)).all())


async def lock(connection: AsyncConnection) -> Head:
    """Hold the head until the transaction ends: nobody else appends or changes a fact meanwhile.

    It is the first row to lock for whoever changes facts, and the last for a submission.

    Raises:
        LogBroken: there is none.
    """
    return _only(await _LOCKED_HEAD.fetch(connection))


def _only(rows: Sequence[Sequence[Any]]) -> Head:
    if len(rows) != 1:
        raise LogBroken("The access log's head was taken away; put a backup back", where="log_head")
    return Head._make(rows[0])


async def insert(connection: AsyncConnection, rows: Sequence[Row]) -> None:
    """Add entries; whoever calls holds the head."""
    await _INSERT.run_many(connection, [row._asdict() for row in rows])


async def advance(connection: AsyncConnection, new: Head) -> None:
    """Write the head after its new entries; whoever calls holds it."""
    await _ADVANCE.run_many(connection, [{name: getattr(new, name) for name in _MOVED}])


async def cover(connection: AsyncConnection, shard: str, size: int, note: str, now: int) -> None:
    """Keep a signed checkpoint beside the head, unless one that covers more is there already."""
    whole = log_head.c.size == size
    await connection.execute(
        sa.update(log_head)
        .where(log_head.c.shard == shard, log_head.c.signed < size)
        .values(
            note=note,
            signed=size,
            unsigned_since=sa.case((whole, sa.null()), else_=now),
        )
    )


async def close_year(connection: AsyncConnection, shard: str, size: int, note: str) -> None:
    """Keep the last checkpoint of a year that has ended."""
    await connection.execute(sa.insert(log_year), {"shard": shard, "size": size, "note": note})


async def years(connection: AsyncConnection) -> tuple[tuple[str, int, str], ...]:
    """The closed years: shard, size and last checkpoint, in order."""
    rows = await connection.execute(sa.select(log_year).order_by(log_year.c.shard))
    return tuple((row.shard, row.size, row.note) for row in rows)


async def places(connection: AsyncConnection, household: str) -> list[tuple[str, int]]:
    """Where the entries stand whose private part is under a household's log key."""
    found = await connection.execute(
        sa.select(log_entry.c.shard, log_entry.c.seq).where(log_entry.c.household == household)
    )
    return [(row.shard, row.seq) for row in found]


async def rows(connection: AsyncConnection, shard: str, start: int) -> AsyncIterator[Row]:
    """The entries from `start` on with their private parts, in order."""
    found = await connection.execute(
        sa.select(*(log_entry.c[name] for name in Row._fields))
        .where(log_entry.c.shard == shard, log_entry.c.seq >= start)
        .order_by(log_entry.c.seq)
    )
    for row in found:
        yield Row._make(row)


async def entries(
    connection: AsyncConnection, shard: str, size: int, *, start: int = 0
) -> AsyncIterator[tuple[int, int, str]]:
    """Sequence number, time and leaf of the entries `start` up to `size`, in order."""
    columns: tuple[sa.Column[Any], ...] = (log_entry.c.seq, log_entry.c.at, log_entry.c.leaf)
    while start < size:
        rows = await connection.execute(
            sa.select(*columns)
            .where(log_entry.c.shard == shard, log_entry.c.seq >= start, log_entry.c.seq < size)
            .order_by(log_entry.c.seq)
            .limit(_PAGE)
        )
        found = rows.all()
        if not found:
            return
        for row in found:
            yield row.seq, row.at, row.leaf
        start = found[-1].seq + 1


async def pages(connection: AsyncConnection, shard: str, size: int) -> AsyncIterator[Sequence[Row]]:
    """All entries of a shard with their private parts, in order, whatever its head says."""
    columns = [log_entry.c[name] for name in Row._fields]
    last = -1
    while True:
        found = (
            await connection.execute(
                sa.select(*columns)
                .where(log_entry.c.shard == shard, log_entry.c.seq > last)
                .order_by(log_entry.c.seq)
                .limit(size)
            )
        ).all()
        if not found:
            return
        yield [Row._make(row) for row in found]
        last = found[-1].seq


async def shards(connection: AsyncConnection) -> tuple[str, ...]:
    """Every shard that an entry names."""
    rows = await connection.execute(sa.select(log_entry.c.shard).distinct())
    return tuple(row.shard for row in rows)
