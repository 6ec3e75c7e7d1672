"""Who acts in a household's affairs: their roles and what they answer for, as of one instant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.consent import Scenario, is_blocked, read_scenario
from visitsync.consent.facts import Viewer
from visitsync.errors import NotAllowed
from visitsync.schema.silent import Struct, silent
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.gathering import Gathered, scenario
from visitsync.service.ids import as_given
from visitsync.store import epochs, facts
from visitsync.store.facts import VIEWER, Case, Known

OFFICER: Final = "protection_officer"
SUPERVISOR: Final = "supervisor"
PROTECTOR: Final = "child_protection_worker"
DECIDERS: Final = (SUPERVISOR, OFFICER)
"""Who may be the second person."""
FIRST: Final = ("program_office", "case_worker", PROTECTOR, *DECIDERS)
"""Who may protect a family they know."""
NOT_THERE: Final = "No such household, or none for you"
"""What is said of a household that there is not, and of one that is not theirs."""
_PURPOSE: Final = "protection"
"""Blocks and roles ask for no purpose, but a question has one."""


class Actor(Struct, frozen=True, kw_only=True):
    """A member of staff beside one household."""

    id: str
    agency: str
    offices: frozenset[str]
    """Program offices of whose staff they are."""
    roles: frozenset[str]
    council_member: bool
    answers_for: bool
    """Whether the household is in their caseload now."""
    stands_over: bool
    """Whether they are a supervisor in the agency of somebody who answers for it."""

    def must_be(self, *roles: str) -> None:
        """Go on only with one of these roles.

        Raises:
            NotAllowed: without any.
        """
        if self.roles.isdisjoint(roles):
            raise NotAllowed("This is for another role")


@silent
class Beside(NamedTuple):
    """Somebody beside a household, with the rules' own reading of what is recorded of it."""

    household: str
    """Whether or not there is one."""
    actor: Actor
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
        return is_blocked(self.scenario)


async def beside(
    context: Context,
    connection: AsyncConnection,
    caller: Caller,
    household: str,
    roles: tuple[str, ...],
) -> Beside:
    """`caller` beside `household`, whether or not there is one: ask `knowing` next.

    Raises:
        NotAllowed: no member of staff, or none of `roles`; said before any household is looked at.
    """
    found = await anybody_beside(context, connection, caller, household)
    found.actor.must_be(*roles)
    return found


async def anybody_beside(
    context: Context, connection: AsyncConnection, caller: Caller, household: str
) -> Beside:
    """The same, whatever their role: ask `deciding` next.

    Raises:
        NotAllowed: no member of staff.
    """
    household = as_given(household)
    known = await facts.about(connection, caller.id, [household], [epochs.DIRECTORY])
    offices = await context.registry.offices(connection, known.epochs[epochs.DIRECTORY])
    return beside_of(Gathered(known, offices, (), {}), caller, household)


def beside_of(gathered: Gathered, caller: Caller, household: str) -> Beside:
    """The same, of facts that were read already.

    Raises:
        NotAllowed: no member of staff.
    """
    if caller.kind != "staff":
        raise NotAllowed("Only members of staff act in a household's affairs, by their own name")
    actor = _actor(gathered.known, caller, household)
    read = read_scenario(scenario(gathered, caller.id, _PURPOSE, household), {})
    return Beside(household, actor, read, read.viewers.get(caller.id))


def _actor(known: Known, caller: Caller, household: str) -> Actor:
    viewers = {
        one.id: msgspec.json.decode(one.body, type=dict[str, Any])
        for one in known.facts
        if one.kind == VIEWER
    }
    mine = viewers.get(caller.id, {})
    responsible = {one.viewer for one in known.cases if _is_open(one, household, known.now)}
    return Actor(
        id=caller.id,
        agency=str(mine.get("agency", "")),
        offices=frozenset(mine.get("offices", ())),
        roles=frozenset(mine.get("roles", ())),
        council_member=mine.get("council_member") is True,
        answers_for=caller.id in responsible,
        stands_over=SUPERVISOR in mine.get("roles", ())
        and any(_same_agency(viewers.get(one, {}), mine) for one in responsible),
    )


def _is_open(case: Case, household: str, now: int) -> bool:
    begun = case.household == household and case.from_at <= now
    return begun and (case.until_at is None or now < case.until_at)


def _same_agency(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return "agency" in one and one["agency"] == other.get("agency")
