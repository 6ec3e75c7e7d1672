"""Agencies, offices, staff and layouts as they are known now; what ended keeps its row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import changes
from visitsync.store.among import among
from visitsync.store.tables import agency, claim, layout, municipality, office, staff


@silent
class Rows(NamedTuple):
    """The directory as stored."""

    municipality: Mapping[str, Any] | None
    agencies: Sequence[Mapping[str, Any]]
    offices: Sequence[Mapping[str, Any]]
    staff: Sequence[Mapping[str, Any]]
    """With ``sealed``, which holds the name."""


async def read(connection: AsyncConnection, *, with_ended: bool = False) -> Rows:
    """All of it; those who ended only where they are asked for."""
    cities = await connection.execute(sa.select(municipality))
    city = cities.mappings().first()
    found = []
    for table in (agency, office, staff):
        rows = await connection.execute(
            sa.select(table)
            .where(sa.true() if with_ended else table.c.ended_at.is_(None))
            .order_by(table.c.id)
        )
        found.append([dict(row) for row in rows.mappings()])
    return Rows(None if city is None else dict(city), *found)


async def asks_for_second_person(connection: AsyncConnection) -> bool:
    """Whether the municipality wants consents confirmed by a second person."""
    rows = await connection.execute(sa.select(municipality.c.second_person))
    return rows.scalar() is True


async def agency_names(connection: AsyncConnection) -> dict[str, str]:
    """What every agency is called, by id; those that ended too."""
    rows = await connection.execute(sa.select(agency.c.id, agency.c.name))
    return {row.id: row.name for row in rows}


async def lock_offices(connection: AsyncConnection) -> None:
    """Hold all offices: no submission ends meanwhile. To be taken before the log's head."""
    await connection.execute(sa.select(office.c.id).order_by(office.c.id).with_for_update())


async def lock_office(connection: AsyncConnection, one: str) -> Mapping[str, Any] | None:
    """Hold an office that has not ended, so that its submissions come one after the other."""
    rows = await connection.execute(
        sa.select(office).where(office.c.id == one, office.c.ended_at.is_(None)).with_for_update()
    )
    row = rows.mappings().first()
    return None if row is None else dict(row)


async def put(connection: AsyncConnection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert or replace rows of ``municipality``, ``agency``, ``office``, ``staff``, ``layout``."""
    if not rows:
        return
    target = sa.inspect(municipality).metadata.tables[table]
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(target)
    keys = {column.name for column in target.primary_key}
    replaced = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    for row in rows:
        await changes.run(
            connection,
            statement.values(**row).on_conflict_do_update(
                index_elements=sorted(keys), set_=replaced
            ),
        )


async def end(connection: AsyncConnection, table: str, ids: Collection[str], at: int) -> None:
    """Note that agencies, offices or staff are no more."""
    target = sa.inspect(municipality).metadata.tables[table]
    await changes.run(
        connection, sa.update(target).where(among(target.c.id, ids)).values(ended_at=at)
    )


async def set_version(connection: AsyncConnection, person: str, version: int) -> None:
    """Note the newest version of a member of staff's viewer fact."""
    await changes.run(
        connection, sa.update(staff).where(staff.c.id == person).values(version=version)
    )


async def versions(connection: AsyncConnection, people: Collection[str]) -> dict[str, int]:
    """The newest versions of viewer facts."""
    rows = await connection.execute(
        sa.select(staff.c.id, staff.c.version).where(among(staff.c.id, people))
    )
    return {row.id: row.version for row in rows}


async def claims(connection: AsyncConnection) -> frozenset[tuple[str, str, str]]:
    """All claims: staff, label of the household, registration."""
    rows = await connection.execute(sa.select(claim))
    return frozenset((row.staff, row.label, row.registration) for row in rows)


async def claimants(
    connection: AsyncConnection, registrations: Collection[str]
) -> list[tuple[str, str]]:
    """Whose caseload names these registrations: pairs of staff and registration."""
    rows = await connection.execute(
        sa.select(claim.c.staff, claim.c.registration)
        .where(among(claim.c.registration, registrations))
        .distinct()
    )
    return [(row.staff, row.registration) for row in rows]


async def set_claims(
    connection: AsyncConnection,
    added: Collection[tuple[str, str, str]],
    removed: Collection[tuple[str, str, str]],
) -> None:
    """Add and remove claims."""
    for person, label, one in removed:
        await changes.delete(
            connection,
            sa.delete(claim).where(
                claim.c.staff == person, claim.c.label == label, claim.c.registration == one
            ),
        )
    await changes.insert(
        connection,
        claim,
        [
            {"staff": person, "label": label, "registration": one}
            for person, label, one in sorted(added)
        ],
    )


async def layouts(connection: AsyncConnection) -> dict[tuple[str, str], str]:
    """The TOML texts of layouts by office and name."""
    rows = await connection.execute(sa.select(layout).order_by(layout.c.office, layout.c.name))
    return {(row.office, row.name): row.body for row in rows}


async def remove_layouts(connection: AsyncConnection, gone: Collection[tuple[str, str]]) -> None:
    """Remove layouts."""
    for owner, name in gone:
        await changes.delete(
            connection, sa.delete(layout).where(layout.c.office == owner, layout.c.name == name)
        )
