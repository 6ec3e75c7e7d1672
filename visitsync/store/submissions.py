"""What was handed in when, with its sealed report, so that a repeated one gets the same answer."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import changes
from visitsync.store.tables import submission


@silent
class Submission(NamedTuple):
    """One stored submission."""

    id: str
    office: str
    recorded_at: int
    key: bytes | None
    request: bytes | None
    report: bytes
    key_version: int


async def by_key(connection: AsyncConnection, office: str, key: bytes) -> Submission | None:
    """The submission that an office made under an idempotency key."""
    found = await connection.execute(
        sa.select(submission).where(submission.c.office == office, submission.c.key == key)
    )
    row = found.first()
    return None if row is None else Submission._make(row)


async def add(connection: AsyncConnection, made: Submission) -> None:
    """Store a submission."""
    await changes.insert(connection, submission, [made._asdict()])
