"""Members of staff as viewers: new versions of their facts, their caseloads, and their end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import BadParameter, DirectoryError, NotNow
from visitsync.schema.directory import Directive, Staff
from visitsync.schema.silent import silent
from visitsync.service import authority, caseloads, consents, notices
from visitsync.store import clock, directory, epochs, facts, households, tokens
from visitsync.store.facts import VIEWER, Fact

Claim: TypeAlias = tuple[str, str, str]
"""Member of staff, label of a household, registration."""

_NOBODY: Final = caseloads.viewer_body(
    agency="-", offices=[], roles=[], sections=[], council_member=False
)
"""What is left of somebody who no longer works here: no role, so no purpose and nothing to see."""


@silent
class Sealed(NamedTuple):
    """Somebody's entry in the directory, sealed, and under which version of the key."""

    sealed: bytes
    key_version: int


async def put(
    connection: AsyncConnection, people: Sequence[Staff], sealed: Mapping[str, Sealed], at: int
) -> None:
    """Store members of staff, with a new version of the viewer where decisions may change."""
    known = await facts.newest(connection, VIEWER, [one.id for one in people])
    made: list[Fact] = []
    rows = []
    for person in people:
        body = _body(person)
        before = known.get(person.id)
        version = 1 if before is None else before.version
        if before is None or before.body != body:
            version = version if before is None else version + 1
            made.append(Fact(VIEWER, person.id, version, at, None, body))
        rows.append(
            {"id": person.id, "version": version, "ended_at": None, **sealed[person.id]._asdict()}
        )
    await facts.add(connection, made)
    await directory.put(connection, "staff", rows)
    await _bump(connection, [one.id for one in made])


async def end(
    connection: AsyncConnection, people: Collection[str], offices: Collection[str], at: int
) -> None:
    """Members of staff and offices that are no more: nothing to see, no token."""
    known = await facts.newest(connection, VIEWER, people)
    made = [
        Fact(VIEWER, one, before.version + 1, at, None, _NOBODY) for one, before in known.items()
    ]
    await facts.add(connection, made)
    for fact in made:
        await directory.set_version(connection, fact.id, fact.version)
    await _bump(connection, [one.id for one in made])
    revoked = await tokens.revoke_of(connection, [*people, *offices], at)
    await epochs.bump(connection, {epochs.of_token(one) for one in revoked})


async def claim(
    connection: AsyncConnection,
    before: frozenset[Claim],
    wanted: frozenset[Claim],
    at: int,
) -> None:
    """Bring caseloads to the claims that are wanted, as far as the registrations are known."""
    if before == wanted:
        return
    await directory.set_claims(connection, wanted - before, before - wanted)
    homes = await households.homes(connection, {one for _, _, one in before | wanted})
    added = _of_people(wanted, homes)
    gone = {
        person: found - added.get(person, set())
        for person, found in _of_people(before - wanted, homes).items()
    }
    there = await facts.caseloads(connection, added.keys() | gone.keys())
    await caseloads.extend(
        connection,
        {person: found - _open(there.get(person, {})) for person, found in added.items()},
        at,
    )
    for person, found in gone.items():
        await caseloads.shorten(connection, person, found & _open(there.get(person, {})), at)


def _of_people(claims: Iterable[Claim], homes: Mapping[str, str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for person, _, registration in claims:
        if registration in homes:
            found[person].add(homes[registration])
    return found


def _open(cases: Mapping[str, facts.Case]) -> set[str]:
    return {household for household, case in cases.items() if case.until_at is None}


async def directives(
    connection: AsyncConnection,
    wanted: Sequence[Directive],
    homes: Mapping[str, frozenset[str]],
    at: int,
) -> list[tuple[str, str]]:
    """Record the directives of the directory's file that are not recorded yet, or say other things.

    Returns:
        Their ids, each with ``added`` or ``changed``.

    Raises:
        DirectoryError: one could not be read by the rules, names no notice that there is, or is a
            consent where a second person must confirm each.
    """
    told = []
    made = []
    second_person = await directory.asks_for_second_person(connection)
    for one in wanted:
        for household in sorted(homes.get(one.household, ())):
            name = f"{one.id}.{household}"
            known = (await facts.newest(connection, consents.KIND, [name])).get(name)
            if known is not None and consents.is_withdrawn(known):
                continue  # the family withdrew it; a file that was written before cannot undo that
            first = at if known is None else consents.recorded_first(known)
            body = consents.body_of_file(one, first)
            if known is None or known.body != body:
                await _refuse_unfit(connection, one, household, at, second_person=second_person)
                version = 1 if known is None else known.version + 1
                made.append(Fact(consents.KIND, name, version, at, household, body))
                told.append((name, "added" if known is None else "changed"))
    await facts.add(connection, made)
    await epochs.bump(connection, {epochs.of_household(str(one.household)) for one in made})
    return told


async def _refuse_unfit(
    connection: AsyncConnection, one: Directive, household: str, at: int, *, second_person: bool
) -> None:
    where = f"directive {one.id}"
    if second_person and one.effect == "permit":
        raise DirectoryError(
            "A second person confirms each consent here, so case workers record it", where=where
        )
    body = consents.body(one, at)
    try:
        consents.refuse_unreadable(body, household, at)
        await notices.refuse_unsigned(connection, body)
        known = (await facts.of_household(connection, household)).values()
        authority.refuse_lost(known, body, one.grantor, clock.day_in_japan(at))
    except (BadParameter, NotNow) as error:
        raise DirectoryError(str(error), where=where) from None


async def _bump(connection: AsyncConnection, people: Collection[str]) -> None:
    """A viewer's role counts for others too: for supervisors of those with the household."""
    there = await facts.caseloads(connection, people)
    scopes = {epochs.of_viewer(one) for one in people}
    scopes |= {epochs.of_household(household) for found in there.values() for household in found}
    await epochs.bump(connection, scopes)


def _body(person: Staff) -> str:
    return caseloads.viewer_body(
        agency=person.agency,
        offices=[] if person.office is None else [person.office],
        roles=[person.role],
        sections=list(person.programs),
        council_member=person.council_member,
    )
