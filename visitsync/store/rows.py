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


async def of_households(
    connection: AsyncConnection, table: sa.Table, households: Sequence[str]
) -> AsyncIterator[Sequence[Mapping[Any, Any]]]:
    """The rows of a table that belong to these households."""
    for start in range(0, len(households), _AT_ONCE):
        some = households[start : start + _AT_ONCE]
        wanted = sa.select(table).where(among(table.c.household, some))
        yield (await connection.execute(wanted)).mappings().all()


async def count(connection: AsyncConnection, table: sa.Table) -> int:
    """How many rows it has."""
    found = await connection.execute(sa.select(sa.func.count()).select_from(table))
    return int(found.scalar_one())
