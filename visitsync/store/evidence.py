"""What families signed, sealed; only ever added to."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import bulk
from visitsync.store.tables import evidence


@silent
class Evidence(NamedTuple):
    """The evidence of one directive."""

    directive: str
    household: str
    recorded_at: int
    kind: str
    """``paper`` or ``electronic``."""
    sealed: bytes
    key_version: int


async def add(connection: AsyncConnection, row: Evidence) -> None:
    """Add it, once for a directive."""
    await bulk.add(connection, evidence, [row])


async def of_directive(connection: AsyncConnection, directive: str) -> Evidence | None:
    """The evidence of a directive; None where none was handed in."""
    rows = await connection.execute(sa.select(evidence).where(evidence.c.directive == directive))
    found = rows.one_or_none()
    return None if found is None else Evidence._make(found)


async def kinds(connection: AsyncConnection, household: str) -> dict[str, str]:
    """By directive of a household, the kind of its evidence."""
    rows = await connection.execute(
        sa.select(evidence.c.directive, evidence.c.kind).where(evidence.c.household == household)
    )
    return {row.directive: row.kind for row in rows}
