"""Break-glass accesses: asked, granted, reviewed. What a grant opens stands among the facts."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import changes
from visitsync.store.access_log import Row
from visitsync.store.among import among
from visitsync.store.tables import emergency, log_entry


@silent
class Emergency(NamedTuple):
    """One access; its id is that of the grant."""

    id: str
    household: str
    viewer: str
    agency: str
    office: str | None
    reason: str
    categories: str
    """Separated by spaces."""
    hours: int
    asked_at: int
    approved_by: str | None = None
    granted_at: int | None = None
    due_at: int | None = None
    outcome: str | None = None
    reviewed_by: str | None = None
    reviewed_at: int | None = None
    escalated_at: int | None = None

    def is_overdue(self, now: int) -> bool:
        """Whether its review should have been done."""
        return self.outcome is None and self.due_at is not None and self.due_at < now


async def add(connection: AsyncConnection, made: Emergency) -> None:
    """Add one."""
    await changes.insert(connection, emergency, [made._asdict()])


async def of_id(connection: AsyncConnection, one: str) -> Emergency | None:
    """The access with this id."""
    row = (await connection.execute(sa.select(emergency).where(emergency.c.id == one))).first()
    return None if row is None else Emergency._make(row)


async def update(connection: AsyncConnection, one: str, **values: Any) -> None:  # noqa: ANN401 -- columns
    """Change columns of one."""
    await changes.run(
        connection, sa.update(emergency).where(emergency.c.id == one).values(**values)
    )


async def asked_since(connection: AsyncConnection, viewer: str, since: int) -> int:
    """How many somebody asked for since then, granted or not."""
    found = await connection.execute(
        sa.select(sa.func.count()).where(emergency.c.viewer == viewer, emergency.c.asked_at > since)
    )
    return int(found.scalar_one())


async def open_ones(connection: AsyncConnection) -> list[Emergency]:
    """Those that are not reviewed, the oldest first."""
    rows = await connection.execute(
        sa.select(emergency)
        .where(emergency.c.outcome.is_(None))
        .order_by(emergency.c.asked_at, emergency.c.id)
    )
    return [Emergency._make(row) for row in rows]


async def every(connection: AsyncConnection) -> list[Emergency]:
    """All of them, for counting."""
    rows = await connection.execute(sa.select(emergency))
    return [Emergency._make(row) for row in rows]


async def log_entries(connection: AsyncConnection, households: Collection[str]) -> list[Row]:
    """The log's entries about break-glass accesses to these households."""
    rows = await connection.execute(
        sa.select(*(log_entry.c[name] for name in Row._fields)).where(
            among(log_entry.c.household, households),
            log_entry.c.leaf.like('%"kind":"break_glass"%'),
        )
    )
    return [Row._make(row) for row in rows]
