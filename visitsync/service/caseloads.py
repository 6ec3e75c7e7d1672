"""Caseloads that name households by their registrations, before and after those are known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

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


async def extend(connection: AsyncConnection, added: Mapping[str, set[str]], at: int) -> None:
    """A new version of each viewer, with further households in the caseload."""
    people = [person for person, found in added.items() if found]
    newest = await facts.newest(connection, VIEWER, people)
    scopes: set[str] = set()
    for person in people:
        version = newest[person].version + 1
        await facts.add(connection, [newest[person]._replace(version=version, recorded_at=at)])
        await directory.set_version(connection, person, version)
        await facts.begin_cases(
            connection,
            version,
            [Case(person, household, at, None) for household in sorted(added[person])],
        )
        scopes |= {epochs.of_viewer(person)}
        scopes |= {epochs.of_household(household) for household in added[person]}
    await epochs.bump(connection, scopes)


def viewer_body(
    *, agency: str, offices: list[str], role: str, sections: list[str], council_member: bool
) -> str:
    """What a viewer fact says, apart from its caseload."""
    return msgspec.json.encode(
        {
            "agency": agency,
            "council_member": council_member,
            "offices": offices,
            "roles": [role],
            "sections": sections,
        },
        order="sorted",
    ).decode()
