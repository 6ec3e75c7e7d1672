"""Whole tables, page by page, in the order of their keys: for copying and checking all there is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.store.among import among

_PAGE: Final = 1_000
_AT_ONCE: Final = 200


async def pages(
    connection: AsyncConnection, table: sa.Table, size: int = _PAGE
) -> AsyncIterator[Sequence[Mapping[Any, Any]]]:
    """All rows of a table; only a page of them is held at a time."""
    keys = list(table.primary_key)
    last: tuple[Any, ...] | None = None
    while True:
        wanted = sa.select(table).order_by(*keys).limit(size)
        if last is not None:
            wanted = wanted.where(sa.tuple_(*keys) > sa.tuple_(*last))
        found = (await connection.execute(wanted)).mappings().all()
        if found:
            yield found
        if len(found) < size:
            return
        last = tuple(found[-1][one.name] for one in keys)


async def of_keys(
    connection: AsyncConnection, table: sa.Table, keys: Sequence[tuple[Any, ...]]
) -> AsyncIterator[Sequence[Mapping[Any, Any]]]:
    """Those rows of a table that have one of these keys and are there."""
    columns = list(table.primary_key)
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        wanted = sa.select(table).where(sa.tuple_(*columns).in_(some))
        yield (await connection.execute(wanted)).mappings().all()


async def later(
    connection: AsyncConnection, table: sa.Table, since: tuple[str, int], until: str
) -> AsyncIterator[Sequence[Mapping[Any, Any]]]:
    """The rows of a table of the log from a place on, up to the shard `until`."""
    shard, seq = since
    shards = sa.select(table.c.shard).where(table.c.shard >= shard, table.c.shard <= until)
    for (name,) in (await connection.execute(shards.distinct().order_by(table.c.shard))).all():
        start = seq if name == shard else 0
        while True:
            wanted = (
                sa.select(table)
                .where(table.c.shard == name, table.c.seq >= start)
                .order_by(table.c.seq)
                .limit(_PAGE)
            )
            found = (await connection.execute(wanted)).mappings().all()
            if found:
                yield found
            if len(found) < _PAGE:
                break
            start = found[-1]["seq"] + 1


async def of_values(
    connection: AsyncConnection, column: sa.Column[str], values: Sequence[str]
) -> AsyncIterator[Sequence[Mapping[Any, Any]]]:
    """The rows of a column's table that have one of these values there."""
    for start in range(0, len(values), _AT_ONCE):
        some = values[start : start + _AT_ONCE]
        wanted = sa.select(column.table).where(among(column, some))
        yield (await connection.execute(wanted)).mappings().all()


async def count(connection: AsyncConnection, table: sa.Table) -> int:
    """How many rows it has."""
    found = await connection.execute(sa.select(sa.func.count()).select_from(table))
    return int(found.scalar_one())
