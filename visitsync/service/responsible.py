"""Who may decide for a household: one check for every operation about its directives.

Somebody with the role for it who answers for the household or stands over who does, and whom no
block names. Whoever else asks is told what they would be told of a household that there is not, and
that they asked stands in the access log.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.consent import is_blocked, read_scenario
from visitsync.errors import DatabaseUnavailable, NotAllowed, UnknownHousehold
from visitsync.service import denials, entries
from visitsync.service.acting import Actor, actor_of
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.gathering import Gathered, gather, scenario
from visitsync.service.ids import is_household
from visitsync.service.keyring import LOG, held
from visitsync.service.timelines import TRIES
from visitsync.store import epochs, facts

T = TypeVar("T")

NOT_THERE: Final = "No such household, or none for you"
_ROLES: Final = ("case_worker", "supervisor", "child_protection_worker", "protection_officer")
_ANY_PURPOSE: Final = "care_coordination"
"""Blocks ask for no purpose, but a question has one."""


async def must_decide_for(
    context: Context, connection: AsyncConnection, caller: Caller, household: str
) -> Actor:
    """Go on only if `caller` may decide for `household`, as the connection's transaction sees it.

    Raises:
        NotAllowed: the caller is no member of staff, or has another role.
        UnknownHousehold: it is not theirs, or there is none.
    """
    known = await facts.about(connection, caller.id, [household], {epochs.DIRECTORY})
    offices = await context.registry.offices(connection, known.epochs[epochs.DIRECTORY])
    return deciding(Gathered(known, offices, (), {}), caller, household)


def deciding(gathered: Gathered, caller: Caller, household: str) -> Actor:
    """The same, of facts that were read already.

    Raises:
        NotAllowed, UnknownHousehold: as `must_decide_for`.
    """
    if caller.kind != "staff":
        raise NotAllowed("Only members of staff decide for a household, by their own name")
    actor = actor_of(gathered.known, caller, household)
    actor.must_be_responsible()
    if is_blocked(read_scenario(scenario(gathered, actor.id, _ANY_PURPOSE, household), {})):
        raise UnknownHousehold(NOT_THERE)
    actor.must_be(*_ROLES)
    return actor


@asynccontextmanager
async def refusals_logged(
    context: Context, caller: Caller, asked: str, household: str | None
) -> AsyncIterator[None]:
    """Log it where what is done within is answered like an unknown household.

    The transaction within is undone; the entry of the refusal has its own.

    Args:
        context: of the installation.
        caller: who asks.
        asked: what for, in a few words of ours.
        household: about which, as they said it.
    """
    try:
        yield
    except UnknownHousehold:
        known = household if is_household(household or "") else None
        await denials.record(context, caller, asked, household=known)
        raise


async def look(  # noqa: PLR0913 -- who looks at what, what for, and how it is logged
    context: Context,
    caller: Caller,
    household: str,
    work: Callable[[Gathered, Actor], Awaitable[T | None]],
    *,
    kind: str,
    purpose: str | None = None,
    private: Mapping[str, Any],
) -> T:
    """What `work` finds, for who may decide for the household; logged before it is answered.

    Args:
        context: of the installation.
        caller: who looks.
        household: at which.
        work: is given what is known of the household; None is answered like an unknown one.
        kind: of the entry.
        purpose: where one was stated.
        private: what further stands in the entry's sealed part.

    Raises:
        NotAllowed: the caller has not the role, or is no member of staff.
        UnknownHousehold: it is not theirs, or there is none.
        DatabaseUnavailable: it could not be logged, so it is not answered.
    """
    household = household if is_household(household) else "unknown"
    for _ in range(TRIES):
        gathered = await gather(context, caller, [household])
        try:
            actor = deciding(gathered, caller, household)
        except UnknownHousehold:
            found = None
        else:
            found = await work(gathered, actor)
        key = gathered.keys.get((household, "", LOG)) if gathered.visits else None
        draft = entries.draft(
            context.keyring,
            caller,
            "denied" if found is None else kind,
            held(gathered.keys, ("", "", LOG)) if key is None else key,
            household=None if key is None else household,
            private={**private, "household": household},
            public={
                "decision": "refused" if found is None else "shown",
                "epoch": gathered.known.epochs[epochs.of_household(household)],
                "purpose": purpose,
                "rule": entries.RULES,
            },
        )
        if await context.log.look(draft, gathered.known.epochs):
            if found is None:
                raise UnknownHousehold(NOT_THERE)
            return found
    raise DatabaseUnavailable("The facts kept changing; ask again")
