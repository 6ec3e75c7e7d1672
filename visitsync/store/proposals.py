"""Consents that wait for a second person; only ever added to.

One is settled once there is a fact of its id: confirmed, or withdrawn before that.
"""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import bulk
from visitsync.store.tables import proposal


@silent
class Proposal(NamedTuple):
    """A consent as it will stand among the facts."""

    directive: str
    household: str
    recorded_at: int
    recorded_by: str
    """Who cannot be the one to confirm it."""
    body: str


async def add(connection: AsyncConnection, row: Proposal) -> None:
    """Add one."""
    await bulk.add(connection, proposal, [row])


async def by_id(connection: AsyncConnection, directive: str) -> Proposal | None:
    """One, settled or not."""
    rows = await connection.execute(sa.select(proposal).where(proposal.c.directive == directive))
    row = rows.first()
    return None if row is None else Proposal._make(row)


async def of_household(connection: AsyncConnection, household: str) -> list[Proposal]:
    """All that a household ever had, the oldest first."""
    rows = await connection.execute(
        sa.select(proposal)
        .where(proposal.c.household == household)
        .order_by(proposal.c.recorded_at, proposal.c.directive)
    )
    return [Proposal._make(row) for row in rows]
