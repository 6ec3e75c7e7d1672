"""Households, the registrations in them, the links between the two, and what waits for a person."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import bulk, changes
from visitsync.store.among import among, among_given
from visitsync.store.prepared import Prepared
from visitsync.store.tables import (
    apart,
    household,
    index_term,
    intake,
    link,
    registration,
    review,
)


@silent
class Registration(NamedTuple):
    """An office's registration; the profile is sealed."""

    id: str
    office: str
    program: str
    household: str
    created_at: int
    edition: int
    profile: bytes
    key_version: int


@silent
class Edition(NamedTuple):
    """A profile as it is stored, sealed, and the version of the data key that it is under."""

    edition: int
    profile: bytes
    key_version: int


@silent
class Link(NamedTuple):
    """Since when a registration belongs to a household, and who said so."""

    id: str
    registration: str
    household: str
    from_at: int
    until_at: int | None
    verdict: str
    decided_by: str
    rules: str
    evidence: str


@silent
class Review(NamedTuple):
    """A question for a person."""

    registration: str
    opened_at: int
    closed_at: int | None
    candidates: str
    evidence: str
    rules: str


@silent
class Term(NamedTuple):
    """A blind index term of a registration."""

    token: str
    registration: str
    epoch: int


_HOLDERS: Final = Prepared(
    sa.select(index_term.c.token, registration.c.household)
    .join(registration, registration.c.id == index_term.c.registration)
    .where(among_given(index_term.c.token, "tokens"))
)
_MEMBERS: Final = Prepared(
    sa.select(*(registration.c[name] for name in Registration._fields))
    .where(among_given(registration.c.household, "households"))
    .order_by(registration.c.created_at, registration.c.id)
)


async def hold_intake(connection: AsyncConnection) -> None:
    """Wait until nobody else places registrations, and keep others waiting until the end."""
    await connection.execute(sa.update(intake).values(version=intake.c.version + 1))


async def exists(connection: AsyncConnection, one: str) -> bool:
    """Whether there is such a household."""
    found = await connection.execute(sa.select(household.c.id).where(household.c.id == one))
    return found.first() is not None


async def add(connection: AsyncConnection, ids: Collection[str], at: int) -> None:
    """Add households."""
    await changes.insert(connection, household, [{"id": one, "created_at": at} for one in ids])


async def registrations(
    connection: AsyncConnection, ids: Collection[str]
) -> dict[str, Registration]:
    """Those of these registrations that are known."""
    rows = await connection.execute(sa.select(registration).where(among(registration.c.id, ids)))
    return {row.id: Registration._make(row) for row in rows}


async def count_registrations(connection: AsyncConnection) -> int:
    """How many registrations there are."""
    rows = await connection.execute(sa.select(sa.func.count()).select_from(registration))
    return int(rows.scalar_one())


async def members(
    connection: AsyncConnection, households: Collection[str]
) -> dict[str, list[Registration]]:
    """The registrations of each of these households."""
    found: dict[str, list[Registration]] = {one: [] for one in households}
    for row in await _MEMBERS.fetch(connection, households=list(households)):
        one = Registration._make(row)
        found[one.household].append(one)
    return found


async def homes(connection: AsyncConnection, ids: Collection[str]) -> dict[str, str]:
    """The households of those of these registrations that are known."""
    rows = await connection.execute(
        sa.select(registration.c.id, registration.c.household).where(among(registration.c.id, ids))
    )
    return {row.id: row.household for row in rows}


async def of_office(connection: AsyncConnection, office: str) -> frozenset[str]:
    """Every household that a registration of an office is or was linked to."""
    rows = await connection.execute(
        sa.select(link.c.household)
        .join(registration, registration.c.id == link.c.registration)
        .where(registration.c.office == office)
        .distinct()
    )
    return frozenset(row.household for row in rows)


async def add_registrations(
    connection: AsyncConnection, rows: Sequence[Registration], links: Sequence[Link]
) -> None:
    """Add registrations with the links that place them."""
    await bulk.add(connection, registration, rows)
    await bulk.add(connection, link, links)


async def set_profiles(connection: AsyncConnection, profiles: Mapping[str, Edition]) -> None:
    """Store newer editions of profiles, sealed."""
    for one, made in profiles.items():
        await changes.run(
            connection,
            sa.update(registration).where(registration.c.id == one).values(**made._asdict()),
        )


async def relink(connection: AsyncConnection, moved: Link, profile: Edition) -> None:
    """End a registration's present link and begin another one."""
    await changes.run(
        connection,
        sa.update(link)
        .where(link.c.registration == moved.registration, link.c.until_at.is_(None))
        .values(until_at=moved.from_at),
    )
    await changes.insert(connection, link, [moved._asdict()])
    await changes.run(
        connection,
        sa.update(registration)
        .where(registration.c.id == moved.registration)
        .values(household=moved.household, **profile._asdict()),
    )


async def links_of(connection: AsyncConnection, one: str) -> list[Link]:
    """Every link a registration ever had, the newest first."""
    rows = await connection.execute(
        sa.select(link).where(link.c.registration == one).order_by(link.c.from_at.desc())
    )
    return [Link._make(row) for row in rows]


async def verdicts(connection: AsyncConnection) -> dict[str, int]:
    """How many registrations stand where they stand by which verdict."""
    rows = await connection.execute(
        sa.select(link.c.verdict, sa.func.count())
        .where(link.c.until_at.is_(None))
        .group_by(link.c.verdict)
    )
    return {row.verdict: row[1] for row in rows}


async def open_reviews(connection: AsyncConnection, rows: Sequence[Review]) -> None:
    """Put questions to the review desk."""
    await bulk.add(connection, review, rows)


async def waiting(connection: AsyncConnection) -> list[Review]:
    """The questions that nobody has answered, the oldest first."""
    rows = await connection.execute(
        sa.select(review).where(review.c.closed_at.is_(None)).order_by(review.c.opened_at)
    )
    return [Review._make(row) for row in rows]


async def in_doubt(connection: AsyncConnection) -> list[tuple[str, str]]:
    """Of each registration that waits for a person, its present household and its candidates."""
    rows = await connection.execute(
        sa.select(registration.c.household, review.c.candidates)
        .join(registration, registration.c.id == review.c.registration)
        .where(review.c.closed_at.is_(None))
    )
    return [(row.household, row.candidates) for row in rows]


async def moves(connection: AsyncConnection) -> list[tuple[str, str]]:
    """Of each registration that was moved, the household it was taken out of and the next one."""
    before = link.alias()
    rows = await connection.execute(
        sa.select(before.c.household.label("whole"), link.c.household).join(
            before,
            sa.and_(
                before.c.registration == link.c.registration, before.c.until_at == link.c.from_at
            ),
        )
    )
    return [(row.whole, row.household) for row in rows]


async def close_review(connection: AsyncConnection, one: str, at: int) -> None:
    """A person has answered the question about a registration."""
    await changes.run(
        connection,
        sa.update(review)
        .where(review.c.registration == one, review.c.closed_at.is_(None))
        .values(closed_at=at),
    )


async def set_apart(
    connection: AsyncConnection, pairs: Collection[tuple[str, str]], decided_by: str, at: int
) -> None:
    """Note that a person said "not the same" of these registrations."""
    known = await kept_apart(connection, [one for one, _ in pairs])
    rows = [
        {"one": one, "other": other, "decided_by": decided_by, "decided_at": at}
        for one, other in pairs
        if (one, other) not in known
    ]
    await changes.insert(connection, apart, rows)


async def kept_apart(
    connection: AsyncConnection, ids: Collection[str]
) -> frozenset[tuple[str, str]]:
    """Pairs with one of these registrations of which a person said "not the same"."""
    rows = await connection.execute(
        sa.select(apart.c.one, apart.c.other).where(
            sa.or_(among(apart.c.one, ids), among(apart.c.other, ids))
        )
    )
    return frozenset((row.one, row.other) for row in rows)


async def add_terms(connection: AsyncConnection, terms: Collection[Term]) -> None:
    """Add blind index terms, none of them there yet."""
    await bulk.add(connection, index_term, sorted(terms))


async def terms_of(connection: AsyncConnection, ids: Collection[str]) -> frozenset[Term]:
    """The terms of these registrations."""
    rows = await connection.execute(
        sa.select(*(index_term.c[name] for name in Term._fields)).where(
            among(index_term.c.registration, ids)
        )
    )
    return frozenset(Term._make(row) for row in rows)


async def holders(connection: AsyncConnection, tokens: Collection[str]) -> dict[str, set[str]]:
    """By token, the households with a registration that has it."""
    found: dict[str, set[str]] = {}
    for token, home in await _HOLDERS.fetch(connection, tokens=list(tokens)):
        found.setdefault(token, set()).add(home)
    return found
