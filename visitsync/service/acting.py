"""Who acts in a household's affairs: their roles and what they answer for, as of one instant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import NotAllowed, UnknownHousehold
from visitsync.service.caller import Caller
from visitsync.store import facts, households
from visitsync.store.facts import VIEWER, Case, Known

_SUPERVISOR: Final = "supervisor"


class Actor(msgspec.Struct, frozen=True, kw_only=True):
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

    def must_be_responsible(self) -> None:
        """Go on only for who answers for the household, or stands over somebody who does.

        Raises:
            UnknownHousehold: otherwise; the same answer as for a household that there is not.
        """
        if not (self.answers_for or self.stands_over):
            raise UnknownHousehold("No such household, or none for you")

    def must_be(self, *roles: str) -> None:
        """Go on only with one of these roles.

        Raises:
            NotAllowed: without any.
        """
        if self.roles.isdisjoint(roles):
            raise NotAllowed("This is for another role")


async def acting(connection: AsyncConnection, caller: Caller, household: str) -> Actor:
    """`caller` beside `household`, as the connection's transaction sees them.

    Raises:
        NotAllowed: the caller is no member of staff.
        UnknownHousehold: there is no such household.
    """
    if caller.kind != "staff":
        raise NotAllowed("Only members of staff act in a household's affairs, by their own name")
    if not await households.exists(connection, household):
        raise UnknownHousehold("No such household, or none for you")
    return actor_of(await facts.about(connection, caller.id, [household], ()), caller, household)


def actor_of(known: Known, caller: Caller, household: str) -> Actor:
    """The same, of facts that were read already."""
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
        stands_over=_SUPERVISOR in mine.get("roles", ())
        and any(_same_agency(viewers.get(one, {}), mine) for one in responsible),
    )


def _is_open(case: Case, household: str, now: int) -> bool:
    begun = case.household == household and case.from_at <= now
    return begun and (case.until_at is None or now < case.until_at)


def _same_agency(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return "agency" in one and one["agency"] == other.get("agency")
