"""Requests to invoke a law: they wait for a second person and permit nothing; only ever added to.

One is settled once there is a fact of its id.
"""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import changes
from visitsync.store.access_log import Row
from visitsync.store.tables import invocation_request, log_entry


@silent
class Request(NamedTuple):
    """A request; its id is that of the invocation that it may become."""

    id: str
    household: str
    asked_at: int
    asked_by: str
    """Who cannot be the one to approve it."""
    body: str
    """Basis, recipients, categories and end, as JSON."""


async def add(connection: AsyncConnection, made: Request) -> None:
    """Add one."""
    await changes.insert(connection, invocation_request, [made._asdict()])


async def of_id(connection: AsyncConnection, one: str) -> Request | None:
    """The request with this id, settled or not."""
    rows = await connection.execute(
        sa.select(invocation_request).where(invocation_request.c.id == one)
    )
    row = rows.first()
    return None if row is None else Request._make(row)


async def of_household(connection: AsyncConnection, household: str) -> list[Request]:
    """All that were ever made for a household, the oldest first."""
    rows = await connection.execute(
        sa.select(invocation_request)
        .where(invocation_request.c.household == household)
        .order_by(invocation_request.c.asked_at, invocation_request.c.id)
    )
    return [Request._make(row) for row in rows]


async def log_entries(connection: AsyncConnection, household: str) -> list[Row]:
    """The log's entries about requests for a household."""
    rows = await connection.execute(
        sa.select(*(log_entry.c[name] for name in Row._fields)).where(
            log_entry.c.household == household,
            log_entry.c.leaf.like('%"kind":"invocation_requested"%'),
        )
    )
    return [Row._make(row) for row in rows]
