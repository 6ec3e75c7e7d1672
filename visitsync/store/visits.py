"""Visit reports: one row for each revision, sealed; by household, day and office in clear."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import bulk, changes
from visitsync.store.among import among, among_given
from visitsync.store.prepared import Prepared
from visitsync.store.tables import visit


@silent
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
    key_version: int


@silent
class Held(NamedTuple):
    """What tells a revision that stands here already from a new one."""

    id: str
    revision: int
    registration: str
    content: bytes


@silent
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
    key_version: int


@silent
class Sealed(NamedTuple):
    """A revision sealed anew, and the version of the data key that it is under."""

    sealed: bytes
    key_version: int


@silent
class Within(NamedTuple):
    """Of which households which visits are read.

    No visit may be in two of the three parts.
    """

    whole: Sequence[str] = ()
    own: Sequence[str] = ()
    """Of these, what `offices` reported."""
    offices: Sequence[str] = ()
    commissioned: Sequence[str] = ()
    """Of these, what `paid` reported of `programs`."""
    paid: Sequence[str] = ()
    programs: Sequence[str] = ()


_STORED: Final = tuple(visit.c[name] for name in Stored._fields)


_HELD: Final = Prepared(
    sa.select(*(visit.c[name] for name in Held._fields)).where(among_given(visit.c.id, "ids"))
)


def _within(households: str, *more: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(*_STORED).where(
        among_given(visit.c.household, households), *more, visit.c.elsewhere.is_(False)
    )


# One arm for each, and no OR, so that every arm finds its rows by household.
_WITHIN: Final = Prepared(
    sa.union_all(
        _within("whole"),
        _within("own", among_given(visit.c.office, "offices")),
        _within(
            "commissioned",
            among_given(visit.c.office, "paid"),
            among_given(visit.c.program, "programs"),
        ),
    ).order_by("household", "id", "revision")
)


async def within(connection: AsyncConnection, wanted: Within) -> list[Stored]:
    """All revisions of these reports, by household, id and revision."""
    lists = {name: list(value) for name, value in wanted._asdict().items()}
    return [Stored._make(row) for row in await _WITHIN.fetch(connection, **lists)]


async def of_households(connection: AsyncConnection, households: Collection[str]) -> list[Stored]:
    """All revisions of these households' reports, by household, id and revision."""
    return await within(connection, Within(whole=list(households)))


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
        await changes.run(
            connection,
            sa.update(visit)
            .where(visit.c.id == report)
            .values(elsewhere=visit.c.registration != registration),
        )


async def of_registration(connection: AsyncConnection, registration: str) -> list[Stored]:
    """All revisions under a registration, those out of sight too."""
    rows = await connection.execute(sa.select(*_STORED).where(visit.c.registration == registration))
    return [Stored._make(row) for row in rows]


async def move(
    connection: AsyncConnection, household: str, sealed: Mapping[tuple[str, int], Sealed]
) -> None:
    """Put revisions, sealed anew for it, under another household."""
    for (report, revision), anew in sealed.items():
        await changes.run(
            connection,
            sa.update(visit)
            .where(visit.c.id == report, visit.c.revision == revision)
            .values(household=household, sealed=anew.sealed, key_version=anew.key_version),
        )
