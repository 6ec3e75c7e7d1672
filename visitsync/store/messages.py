"""Messages to offices and members of staff: that something happened, never to whom."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import changes
from visitsync.store.among import among
from visitsync.store.facts import VIEWER
from visitsync.store.tables import fact, message, staff


@silent
class Message(NamedTuple):
    """One message to one reader."""

    id: str
    reader: str
    """``office:ID`` or ``staff:ID``."""
    kind: str
    at: int
    about: str
    read_at: int | None


async def add(connection: AsyncConnection, made: Sequence[Message]) -> None:
    """Add messages."""
    await changes.insert(connection, message, [one._asdict() for one in made])


async def present(connection: AsyncConnection, ids: Collection[str]) -> frozenset[str]:
    """Those of `ids` that are there."""
    rows = await connection.execute(sa.select(message.c.id).where(among(message.c.id, ids)))
    return frozenset(row.id for row in rows)


async def to(
    connection: AsyncConnection, readers: Collection[str], before: str | None, most: int
) -> list[Message]:
    """Messages to these readers, the newest first, those after a message in that order."""
    older: sa.ColumnElement[bool] = sa.true()
    if before is not None:
        at = sa.select(message.c.at).where(message.c.id == before).scalar_subquery()
        older = sa.or_(message.c.at < at, sa.and_(message.c.at == at, message.c.id < before))
    rows = await connection.execute(
        sa.select(message)
        .where(among(message.c.reader, readers), older)
        .order_by(message.c.at.desc(), message.c.id.desc())
        .limit(most)
    )
    return [Message._make(row) for row in rows]


async def read(connection: AsyncConnection, ids: Collection[str], at: int) -> None:
    """Note that these were read for the first time."""
    await changes.run(
        connection,
        sa.update(message)
        .where(among(message.c.id, ids), message.c.read_at.is_(None))
        .values(read_at=at),
    )


async def staff_with_role(connection: AsyncConnection, role: str) -> dict[str, str]:
    """The agencies of the members of staff who have a role now, by id."""
    rows = await connection.execute(
        sa.select(fact.c.id, fact.c.body)
        .join(staff, sa.and_(staff.c.id == fact.c.id, staff.c.version == fact.c.version))
        .where(fact.c.kind == VIEWER, staff.c.ended_at.is_(None))
    )
    bodies = {row.id: msgspec.json.decode(row.body, type=dict[str, Any]) for row in rows}
    return {
        one: str(body.get("agency", ""))
        for one, body in bodies.items()
        if role in body.get("roles", ())
    }
