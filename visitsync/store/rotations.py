"""Rotations of data and index keys that are under way: at most one of each."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store.key_tables import key_rotation


@silent
class Rotation(NamedTuple):
    """One that is not finished."""

    key: str
    """``data`` or ``index``."""
    household: str | None
    """The only one that it is about."""
    began_at: int
    after: str
    """Behind which place it goes on, as JSON."""
    ended_at: int | None
    """Since when nothing more is to be sealed or hashed anew; what is old goes later."""


async def of(connection: AsyncConnection, key: str) -> Rotation | None:
    """The one of data or index keys, if one is under way."""
    rows = await connection.execute(sa.select(key_rotation).where(key_rotation.c.key == key))
    row = rows.first()
    return None if row is None else Rotation._make(row)


async def under_way(connection: AsyncConnection) -> tuple[str, ...]:
    """Of which keys there is one, in order."""
    rows = await connection.execute(sa.select(key_rotation.c.key).order_by(key_rotation.c.key))
    return tuple(rows.scalars())


async def begin(connection: AsyncConnection, one: Rotation) -> None:
    """Note one that begins; the database refuses a second one of the same keys."""
    await connection.execute(sa.insert(key_rotation), one._asdict())


async def move(connection: AsyncConnection, key: str, after: object) -> None:
    """Note how far it has come."""
    await connection.execute(
        sa.update(key_rotation)
        .where(key_rotation.c.key == key)
        .values(after=msgspec.json.encode(after).decode())
    )


async def end(connection: AsyncConnection, key: str, at: int) -> None:
    """Note since when everything stands under newer keys."""
    await connection.execute(
        sa.update(key_rotation).where(key_rotation.c.key == key).values(ended_at=at)
    )


async def again(connection: AsyncConnection, key: str, after: str) -> None:
    """Have it go through all places once more."""
    await connection.execute(
        sa.update(key_rotation).where(key_rotation.c.key == key).values(after=after, ended_at=None)
    )


async def finish(connection: AsyncConnection, key: str) -> None:
    """It is over."""
    await connection.execute(sa.delete(key_rotation).where(key_rotation.c.key == key))
