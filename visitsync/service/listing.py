"""Listing what opens a household by law: for who may know of it, logged before it is answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from visitsync.errors import BadParameter, UnknownHousehold
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service.affairs import knowing
from visitsync.service.affairs.actors import NOT_THERE, Beside, beside
from visitsync.service.affairs.refusing import refusing
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.writing import Change, change


@asynccontextmanager
async def listing(
    context: Context, caller: Caller, household: str, purpose: str, roles: tuple[str, ...]
) -> AsyncIterator[tuple[Change, Beside]]:
    """A transaction in which somebody reads a list about a household; `log` ends it.

    Raises:
        UnknownHousehold: no such household, or the caller may not know of it, or is blocked, or
            their role has not this purpose.
        BadParameter: an unknown purpose.
        NotAllowed: the caller has none of `roles`.
    """
    caller.must("record")
    if purpose not in VOCABULARY.purposes:
        raise BadParameter("is no purpose of the vocabulary", where="purpose")
    async with refusing(context, caller, "list", household), change(context, caller) as made:
        found = await beside(context, made.connection, caller, household, roles)
        await knowing.must_know_unblocked(made.connection, found)
        if not any(purpose in VOCABULARY.purposes_of_role[one] for one in found.actor.roles):
            raise UnknownHousehold(NOT_THERE)
        yield made, found


async def log(  # noqa: PLR0913, PLR0917 -- who lists what of whom, and why
    made: Change,
    caller: Caller,
    asked: str,
    household: str,
    purpose: str,
    listed: Collection[str],
) -> None:
    """Write the entry; under the general key, since it is no look at the household's records."""
    await made.log(
        caller,
        "list_read",
        private={"asked": asked, "household": household, "listed": sorted(listed)},
        public={"decision": "shown", "purpose": purpose, "records": len(listed)},
    )
