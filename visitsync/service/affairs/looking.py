"""Looking at a household's affairs as who may decide for it, logged before it is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from visitsync.errors import CallerError, DatabaseUnavailable, NotNow, UnknownHousehold
from visitsync.service import entries
from visitsync.service.affairs.actors import NOT_THERE, Actor, beside_of
from visitsync.service.affairs.deciding import must_decide_for
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.gathering import Gathered, gather_one
from visitsync.service.ids import is_household
from visitsync.service.keyring import LOG, held
from visitsync.service.timelines import TRIES
from visitsync.store import epochs

T = TypeVar("T")


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
        NotNow: from `work`; logged, too.
        DatabaseUnavailable: it could not be logged, so it is not answered.
    """
    household = household if is_household(household) else "unknown"
    for _ in range(TRIES):
        gathered = await gather_one(context, caller, household, None)
        beside = beside_of(gathered, caller, household)
        found: T | None = None
        refusal: CallerError = UnknownHousehold(NOT_THERE)
        try:
            must_decide_for(beside)
            found = await work(gathered, beside.actor)
        except (UnknownHousehold, NotNow) as error:
            refusal = error
        key = gathered.keys.get((household, "", LOG))
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
                raise refusal
            return found
    raise DatabaseUnavailable("The facts kept changing; ask again")
