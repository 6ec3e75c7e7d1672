"""Caseloads that name households by their registrations, before and after those are known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.store import directory, epochs, facts
from visitsync.store.facts import VIEWER, Case


async def fulfil(connection: AsyncConnection, homes: Mapping[str, str], at: int) -> None:
    """Put households into the caseloads that named their registrations beforehand.

    Args:
        connection: in a transaction that holds the log's head.
        homes: by new registration, its household.
        at: the instant from which the entries hold.
    """
    wanted: dict[str, set[str]] = defaultdict(set)
    for person, registration in await directory.claimants(connection, homes):
        wanted[person].add(homes[registration])
    if not wanted:
        return
    there = await facts.caseloads(connection, wanted)
    await extend(
        connection,
        {person: found - there.get(person, {}).keys() for person, found in wanted.items()},
        at,
    )


async def extend(
    connection: AsyncConnection, added: Mapping[str, Collection[str]], at: int
) -> None:
    """A new version of each viewer, with further households in the caseload from `at` on."""
    for person, households in sorted(added.items()):
        if households:
            version = await _next_version(connection, person, at)
            cases = [Case(person, household, at, None) for household in sorted(households)]
            await facts.close_cases(connection, person, version, households)
            await facts.begin_cases(connection, version, cases)
            await _bump(connection, person, households)


async def shorten(
    connection: AsyncConnection, person: str, households: Collection[str], at: int
) -> None:
    """A new version of a viewer, with these households in the caseload up to `at`."""
    if not households:
        return
    version = await _next_version(connection, person, at)
    before = await facts.close_cases(connection, person, version, households)
    await facts.begin_cases(connection, version, [one._replace(until_at=at) for one in before])
    await _bump(connection, person, households)


async def _next_version(connection: AsyncConnection, person: str, at: int) -> int:
    newest = (await facts.newest(connection, VIEWER, [person]))[person]
    version = newest.version + 1
    await facts.add(connection, [newest._replace(version=version, recorded_at=at)])
    await directory.set_version(connection, person, version)
    return version


async def _bump(connection: AsyncConnection, person: str, households: Collection[str]) -> None:
    # A supervisor's rights hang on the caseloads of others, so the households move too.
    scopes = {epochs.of_household(household) for household in households}
    await epochs.bump(connection, scopes | {epochs.of_viewer(person)})


def viewer_body(
    *,
    agency: str,
    offices: Sequence[str],
    roles: Sequence[str],
    sections: Sequence[str],
    council_member: bool,
) -> str:
    """What a viewer fact says, apart from its caseload."""
    return msgspec.json.encode(
        {
            "agency": agency,
            "council_member": council_member,
            "offices": offices,
            "roles": roles,
            "sections": sections,
        },
        order="sorted",
    ).decode()
