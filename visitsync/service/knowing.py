"""Who may know of a household when its protection is at stake, and who never may.

A shield or block is recorded by people who know the family already; for everybody else there is no
such household. Whoever a block names as a person gets that same answer, whatever their role.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.consent import Scenario, read_scenario
from visitsync.consent.facts import Viewer
from visitsync.errors import NotAllowed, UnknownHousehold
from visitsync.service.acting import Actor, actor_of
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.gathering import Gathered, scenario
from visitsync.service.ids import as_given, is_household
from visitsync.store import clock, epochs, facts, households, protection
from visitsync.store.facts import Known

OFFICER: Final = "protection_officer"
SUPERVISOR: Final = "supervisor"
PROTECTOR: Final = "child_protection_worker"
DECIDERS: Final = (SUPERVISOR, OFFICER)
"""Who may be the second person."""
FIRST: Final = ("program_office", "case_worker", PROTECTOR, *DECIDERS)
"""Who may protect a family they know."""
_PURPOSE: Final = "protection"


class Beside(NamedTuple):
    """Somebody beside a household, with the rules' own reading of what is recorded of it."""

    actor: Actor
    known: Known
    scenario: Scenario
    viewer: Viewer | None
    """As the rules see them: without offices whose contract has ended."""

    def is_hidden_from(self) -> bool:
        """Whether a block in force names them as a person; one that cannot be read names all."""
        blocks = self.scenario.blocks
        question = self.scenario.question
        return (
            question is None
            or bool(blocks.unreadable)
            or any(
                one.in_force(question.now) and f"viewer:{self.actor.id}" in one.who
                for one in blocks.facts()
            )
        )

    def is_blocked(self) -> bool:
        """Whether a block in force names them in any way, by their office or agency too."""
        question = self.scenario.question
        names = frozenset[str]() if self.viewer is None else self.viewer.names()
        return (
            question is None
            or self.is_hidden_from()
            or any(
                one.in_force(question.now) and not names.isdisjoint(one.who)
                for one in self.scenario.blocks.facts()
            )
        )


async def beside(
    context: Context,
    connection: AsyncConnection,
    caller: Caller,
    household: str,
    roles: tuple[str, ...],
) -> Beside:
    """`caller` beside `household`, whether or not there is one: ask `must_know` next.

    Raises:
        NotAllowed: no member of staff, or none of `roles`; said before any household is looked at.
    """
    if caller.kind != "staff":
        raise NotAllowed("Only members of staff act in a household's affairs, by their own name")
    household = as_given(household)
    known = await facts.about(connection, caller.id, [household], [epochs.DIRECTORY])
    actor = actor_of(known, caller, household)
    actor.must_be(*roles)
    offices = await context.registry.offices(connection, known.epochs[epochs.DIRECTORY])
    read = read_scenario(scenario(Gathered(known, offices, (), {}), caller.id, _PURPOSE, household))
    return Beside(actor, known, read, read.viewers.get(caller.id))


async def must_exist(connection: AsyncConnection, found: Beside, household: str) -> None:
    """Go on only where there is such a household and it is not hidden from them.

    Raises:
        UnknownHousehold: otherwise; one answer for both.
    """
    there = is_household(household) and await households.exists(connection, household)
    if not there or found.is_hidden_from():
        raise UnknownHousehold("No such household, or none for you")


async def must_know(connection: AsyncConnection, found: Beside, household: str) -> None:
    """Go on only for who may know of the household already.

    They answer for it or stand over somebody who does, sit in its council case, work for an office
    that holds its records, or protect families by their role: the council's coordinating desk
    (要対協調整機関) and the protection officer.

    Raises:
        UnknownHousehold: otherwise; the same answer as for none.
    """
    await must_exist(connection, found, household)
    actor = found.actor
    if not (
        actor.answers_for
        or actor.stands_over
        or not actor.roles.isdisjoint({PROTECTOR, OFFICER})
        or _sits_in_council(found)
        or await _holds_records(connection, found, household)
    ):
        raise UnknownHousehold("No such household, or none for you")


def _sits_in_council(found: Beside) -> bool:
    question, viewer = found.scenario.question, found.viewer
    return (
        question is not None
        and viewer is not None
        and viewer.council_member
        and any(
            case.is_open(question.now) and not viewer.names().isdisjoint(case.members)
            for case in found.scenario.council_cases.permitting()
        )
    )


async def _holds_records(connection: AsyncConnection, found: Beside, household: str) -> bool:
    own = () if found.viewer is None else found.viewer.offices
    members = await households.members(connection, [household])
    return any(one.office in own for one in members[household])


async def hidden_from(connection: AsyncConnection, viewer: str) -> frozenset[str]:
    """The households that are hidden from somebody by name, for leaving them out of lists."""
    newest = {one.id: one for one in await protection.every(connection, "block")}
    now = await clock.now(connection)
    found = set()
    for one in newest.values():
        body = msgspec.json.decode(one.body, type=dict[str, Any])
        closed = body.get("closed_at") is not None
        begun = clock.stored(dt.datetime.fromisoformat(body["from"])) <= now
        if begun and not closed and f"viewer:{viewer}" in body["who"]:
            found.add(str(one.household))
    return frozenset(found)
