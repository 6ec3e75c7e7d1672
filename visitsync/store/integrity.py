"""Whether tables agree with each other, and the database with itself."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.store.tables import (
    index_term,
    intake,
    link,
    log_head,
    registration,
    submission,
    visit,
)

_MOST: Final = 100


async def contradictions(connection: AsyncConnection) -> list[str]:
    """Rows that another table contradicts, by table and key; the first of them."""
    found: list[str] = []
    of_link = sa.exists().where(
        link.c.registration == registration.c.id,
        link.c.household == registration.c.household,
        link.c.until_at.is_(None),
    )
    of_visit = sa.exists().where(
        registration.c.id == visit.c.registration, registration.c.household == visit.c.household
    )
    handed_in = sa.exists().where(submission.c.id == visit.c.submission)
    of_term = sa.exists().where(registration.c.id == index_term.c.registration)
    for table, holds in (
        (registration, of_link),
        (visit, sa.and_(sa.or_(visit.c.elsewhere, of_visit), handed_in)),
        (index_term, of_term),
    ):
        rows = await connection.execute(
            sa.select(*table.primary_key).where(sa.not_(holds)).limit(_MOST)
        )
        found += [f"{table.name} {'/'.join(map(str, row))}" for row in rows]
    for one in (log_head, intake):
        keys = (await connection.execute(sa.select(one.c.only))).scalars().all()
        found += [] if list(keys) == [1] else [str(one.name)]
    return found


async def is_sound(connection: AsyncConnection) -> bool:
    """Whether the embedded database's pages and indexes agree; PostgreSQL has its own checksums."""
    if connection.dialect.name != "sqlite":
        return True
    said = (await connection.exec_driver_sql("PRAGMA integrity_check(1)")).scalar_one()
    return str(said) == "ok"
