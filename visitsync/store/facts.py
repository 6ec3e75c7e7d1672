"""The facts that decisions rest on: only ever added to, read together with their epochs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import bulk, changes
from visitsync.store.among import among, among_given
from visitsync.store.clock import Now
from visitsync.store.prepared import Prepared
from visitsync.store.tables import caseload, consent_epoch, fact, log_head, staff, tombstone
from visitsync.store.tombstones import RECORDS

VIEWER: Final = "viewer"


@silent
class Fact(NamedTuple):
    """One version of a fact; `body` is JSON without what the other members say."""

    kind: str
    id: str
    version: int
    recorded_at: int
    household: str | None
    body: str


@silent
class Case(NamedTuple):
    """A household in somebody's caseload, as it stands now."""

    viewer: str
    household: str
    from_at: int
    until_at: int | None


@silent
class Known(NamedTuple):
    """What one statement saw, so all of one instant."""

    now: int
    """Never before the newest entry of the access log."""
    epochs: Mapping[str, int]
    facts: Sequence[Fact]
    """All facts of the households, and the newest fact of each viewer that matters."""
    cases: Sequence[Case]
    erased: frozenset[str] = frozenset()
    """Those of the households that were erased."""


def _statement() -> sa.CompoundSelect[Any]:
    """Epochs, facts, viewers, caseloads, tombstones and the clock, as rows of one shape."""
    none = sa.null()
    of_households = sa.select(caseload.c.viewer).where(
        among_given(caseload.c.household, "households"), caseload.c.to_version.is_(None)
    )
    clock = sa.select(sa.literal("now"), none, Now(), log_head.c.last_at, none, none).select_from(
        log_head
    )
    epochs = sa.select(
        sa.literal("epoch"), consent_epoch.c.scope, consent_epoch.c.value, none, none, none
    ).where(among_given(consent_epoch.c.scope, "scopes"))
    columns = (fact.c.kind, fact.c.id, fact.c.version, fact.c.recorded_at, fact.c.household)
    facts = sa.select(*columns, fact.c.body).where(among_given(fact.c.household, "households"))
    viewers = (
        sa.select(*columns, fact.c.body)
        .join(staff, sa.and_(staff.c.id == fact.c.id, staff.c.version == fact.c.version))
        .where(
            fact.c.kind == VIEWER,
            sa.or_(staff.c.id == sa.bindparam("viewer"), staff.c.id.in_(of_households)),
        )
    )
    cases = sa.select(
        sa.literal("case"),
        caseload.c.viewer,
        caseload.c.from_at,
        caseload.c.until_at,
        caseload.c.household,
        none,
    ).where(among_given(caseload.c.household, "households"), caseload.c.to_version.is_(None))
    erased = sa.select(
        sa.literal("erased"), tombstone.c.household, tombstone.c.erased_at, none, none, none
    ).where(among_given(tombstone.c.household, "households"), tombstone.c.what == RECORDS)
    return sa.union_all(clock, epochs, facts, viewers, cases, erased)


_KNOWN: Final = Prepared(_statement())


async def about(
    connection: AsyncConnection,
    viewer: str,
    households: Collection[str],
    scopes: Collection[str],
) -> Known:
    """All that a decision about `households` for `viewer` needs, as of one instant.

    The epochs of `scopes` come with it, each of them, 0 where it never changed.
    """
    rows = await _KNOWN.fetch(
        connection, viewer=viewer, households=list(households), scopes=list(scopes)
    )
    now = 0
    epochs = dict.fromkeys(scopes, 0)
    facts: list[Fact] = []
    cases: list[Case] = []
    erased: set[str] = set()
    for kind, name, number, at, household, body in rows:
        if kind == "now":
            now = max(number, at)
        elif kind == "epoch":
            epochs[name] = number
        elif kind == "case":
            cases.append(Case(name, household, number, at))
        elif kind == "erased":
            erased.add(name)
        else:
            facts.append(Fact(kind, name, number, at, household, body))
    return Known(now, epochs, facts, cases, frozenset(erased))


async def as_known(
    connection: AsyncConnection, household: str, at: int
) -> tuple[Sequence[Fact], Sequence[Case]]:
    """What was recorded of a household by `at`, and every viewer as they stood then.

    Every version of the household's own facts; of each viewer the newest, with the caseload that
    belongs to that version.
    """
    rows = await connection.execute(
        sa.select(fact)
        .where(
            fact.c.recorded_at <= at,
            sa.or_(fact.c.kind == VIEWER, fact.c.household == household),
        )
        .order_by(fact.c.version)
    )
    found = [Fact(*row) for row in rows]
    viewers = {one.id: one for one in found if one.kind == VIEWER}
    columns = (caseload.c.viewer, caseload.c.household, caseload.c.from_at, caseload.c.until_at)
    entries = await connection.execute(
        sa.select(*columns, caseload.c.from_version, caseload.c.to_version).where(
            caseload.c.household == household
        )
    )
    cases = [
        Case(*entry[:4])
        for entry in entries
        if entry.viewer in viewers
        and entry.from_version <= viewers[entry.viewer].version
        and (entry.to_version is None or viewers[entry.viewer].version < entry.to_version)
    ]
    return [*viewers.values(), *(one for one in found if one.kind != VIEWER)], cases


async def add(connection: AsyncConnection, facts: Sequence[Fact]) -> None:
    """Add versions; whoever calls holds the log's head and raises the epochs."""
    await bulk.add(connection, fact, facts)


async def newest(connection: AsyncConnection, kind: str, ids: Collection[str]) -> dict[str, Fact]:
    """The newest version of each of these facts that exists."""
    rows = await connection.execute(
        sa.select(fact).where(fact.c.kind == kind, among(fact.c.id, ids)).order_by(fact.c.version)
    )
    return {row.id: Fact(*row) for row in rows}


async def all_newest(connection: AsyncConnection, kind: str) -> list[Fact]:
    """The newest version of every fact of a kind."""
    later = fact.alias()
    rows = await connection.execute(
        sa.select(fact).where(
            fact.c.kind == kind,
            ~sa.exists().where(
                later.c.kind == fact.c.kind,
                later.c.id == fact.c.id,
                later.c.version > fact.c.version,
            ),
        )
    )
    return [Fact(*row) for row in rows]


async def newest_at(connection: AsyncConnection, kind: str, at: int) -> list[Fact]:
    """The newest version of every fact of a kind that was recorded by `at`."""
    later = fact.alias()
    rows = await connection.execute(
        sa.select(fact).where(
            fact.c.kind == kind,
            fact.c.recorded_at <= at,
            ~sa.exists().where(
                later.c.kind == fact.c.kind,
                later.c.id == fact.c.id,
                later.c.version > fact.c.version,
                later.c.recorded_at <= at,
            ),
        )
    )
    return [Fact(*row) for row in rows]


async def answering(
    connection: AsyncConnection, households: Collection[str], now: int
) -> Mapping[str, frozenset[str]]:
    """By household, the members of staff who answer for it now."""
    rows = await connection.execute(
        sa.select(caseload.c.household, caseload.c.viewer)
        .join(staff, staff.c.id == caseload.c.viewer)
        .where(
            among(caseload.c.household, households),
            caseload.c.to_version.is_(None),
            caseload.c.from_at <= now,
            sa.or_(caseload.c.until_at.is_(None), caseload.c.until_at > now),
            staff.c.ended_at.is_(None),
        )
    )
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        found[row.household].add(row.viewer)
    return {household: frozenset(viewers) for household, viewers in found.items()}


async def history(connection: AsyncConnection, kind: str, ids: Collection[str]) -> list[Fact]:
    """Every version of these facts, in the order in which they were recorded."""
    rows = await connection.execute(
        sa.select(fact).where(fact.c.kind == kind, among(fact.c.id, ids)).order_by(fact.c.version)
    )
    return [Fact(*row) for row in rows]


async def naming(connection: AsyncConnection, kind: str, text: str) -> frozenset[str]:
    """The facts of a kind of which some version holds a text."""
    rows = await connection.execute(
        sa.select(fact.c.id)
        .where(fact.c.kind == kind, fact.c.body.contains(text, autoescape=True))
        .distinct()
    )
    return frozenset(row.id for row in rows)


async def of_household(connection: AsyncConnection, household: str) -> dict[tuple[str, str], Fact]:
    """The newest version of every fact of a household, by kind and id."""
    rows = await connection.execute(
        sa.select(fact).where(fact.c.household == household).order_by(fact.c.version)
    )
    return {(row.kind, row.id): Fact(*row) for row in rows}


async def protecting(
    connection: AsyncConnection, households: Collection[str]
) -> dict[str, list[Fact]]:
    """By household, the newest version of each of its shields and blocks."""
    rows = await connection.execute(
        sa.select(fact)
        .where(fact.c.kind.in_(("shield", "block")), among(fact.c.household, households))
        .order_by(fact.c.version)
    )
    newest = {(row.kind, row.id): Fact(*row) for row in rows}
    found: dict[str, list[Fact]] = defaultdict(list)
    for one in newest.values():
        found[str(one.household)].append(one)
    return found


async def with_facts(
    connection: AsyncConnection, kind: str, households: Collection[str]
) -> frozenset[str]:
    """Those of `households` that have any fact of a kind."""
    rows = await connection.execute(
        sa.select(fact.c.household)
        .where(fact.c.kind == kind, among(fact.c.household, households))
        .distinct()
    )
    return frozenset(row.household for row in rows)


async def caseloads(
    connection: AsyncConnection, viewers: Collection[str]
) -> Mapping[str, Mapping[str, Case]]:
    """The present caseloads of these viewers by household."""
    rows = await connection.execute(
        sa.select(
            caseload.c.viewer, caseload.c.household, caseload.c.from_at, caseload.c.until_at
        ).where(among(caseload.c.viewer, viewers), caseload.c.to_version.is_(None))
    )
    found: dict[str, dict[str, Case]] = defaultdict(dict)
    for row in rows:
        found[row.viewer][row.household] = Case(*row)
    return found


@silent
class _Entry(NamedTuple):
    viewer: str
    household: str
    from_version: int
    to_version: int | None
    from_at: int
    until_at: int | None


async def begin_cases(connection: AsyncConnection, version: int, cases: Iterable[Case]) -> None:
    """Put entries into a viewer's caseload from `version` on."""
    rows = [
        _Entry(one.viewer, one.household, version, None, one.from_at, one.until_at) for one in cases
    ]
    await bulk.add(connection, caseload, rows)


async def close_cases(
    connection: AsyncConnection, viewer: str, version: int, households: Collection[str]
) -> list[Case]:
    """From `version` on, a viewer's present entries for these households do not stand.

    Returns:
        What they were.
    """
    present = (
        caseload.c.viewer == viewer,
        among(caseload.c.household, households),
        caseload.c.to_version.is_(None),
    )
    rows = await changes.run(
        connection, sa.update(caseload).where(*present).values(to_version=version)
    )
    return [Case._make(row[name] for name in Case._fields) for row in rows]
