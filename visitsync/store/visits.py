"""Visit reports: one row for each revision, sealed; by household, day and office in clear."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.store import bulk
from visitsync.store.among import among, among_given
from visitsync.store.prepared import Prepared
from visitsync.store.tables import visit


class Row(NamedTuple):
    """One revision of one report, in the order of the table's columns."""

    id: str
    revision: int
    household: str
    registration: str
    office: str
    program: str
    day: int
    state: str
    elsewhere: bool
    recorded_at: int
    submission: str
    content: bytes
    sealed: bytes


class Held(NamedTuple):
    """What tells a revision that stands here already from a new one."""

    id: str
    revision: int
    registration: str
    content: bytes


class Stored(NamedTuple):
    """What a timeline needs of one revision."""

    id: str
    revision: int
    household: str
    registration: str
    office: str
    program: str
    day: int
    state: str
    recorded_at: int
    sealed: bytes


_STORED: Final = tuple(visit.c[name] for name in Stored._fields)


_HELD: Final = Prepared(
    sa.select(*(visit.c[name] for name in Held._fields)).where(among_given(visit.c.id, "ids"))
)
_OF_HOUSEHOLDS: Final = Prepared(
    sa.select(*_STORED)
    .where(among_given(visit.c.household, "households"), visit.c.elsewhere.is_(False))
    .order_by(visit.c.household, visit.c.id, visit.c.revision)
)


async def of_households(connection: AsyncConnection, households: Collection[str]) -> list[Stored]:
    """All revisions of these households' reports, by household, id and revision."""
    rows = await _OF_HOUSEHOLDS.fetch(connection, households=list(households))
    return [Stored._make(row) for row in rows]


async def held(connection: AsyncConnection, ids: Collection[str]) -> list[Held]:
    """Every revision that stands here of these reports."""
    return [Held._make(row) for row in await _HELD.fetch(connection, ids=list(ids))]


async def of_office(
    connection: AsyncConnection, office: str, reports: Collection[str]
) -> dict[str, Stored]:
    """The newest revision of those of these reports that an office made, by report."""
    rows = await connection.execute(
        sa.select(*_STORED)
        .where(among(visit.c.id, reports), visit.c.office == office)
        .order_by(visit.c.revision)
    )
    return {row.id: Stored._make(row) for row in rows}


async def add(connection: AsyncConnection, rows: Sequence[Row]) -> None:
    """Add revisions."""
    await bulk.add(connection, visit, rows)


async def set_elsewhere(connection: AsyncConnection, homes: Mapping[str, str]) -> None:
    """Take revisions out of sight that stand under another registration than the newest one.

    `homes` gives, by report, the registration of its newest revision.
    """
    for report, registration in homes.items():
        await connection.execute(
            sa.update(visit)
            .where(visit.c.id == report)
            .values(elsewhere=visit.c.registration != registration)
        )


async def of_registration(connection: AsyncConnection, registration: str) -> list[Stored]:
    """All revisions under a registration, those out of sight too."""
    rows = await connection.execute(sa.select(*_STORED).where(visit.c.registration == registration))
    return [Stored._make(row) for row in rows]


async def move(
    connection: AsyncConnection, household: str, sealed: Mapping[tuple[str, int], bytes]
) -> None:
    """Put revisions, sealed anew for it, under another household."""
    statement = (
        sa.update(visit)
        .where(visit.c.id == sa.bindparam("of_id"), visit.c.revision == sa.bindparam("of_revision"))
        .values(household=household, sealed=sa.bindparam("anew"))
    )
    rows = [
        {"of_id": report, "of_revision": revision, "anew": anew}
        for (report, revision), anew in sealed.items()
    ]
    if rows:
        await connection.execute(statement, rows)
