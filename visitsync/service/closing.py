"""Ending a shield or block: one person asks, another one decides. No date ends it."""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal, TypeAlias

from visitsync.errors import NotAllowed, NotNow
from visitsync.schema.silent import Struct
from visitsync.service import blocks, measures
from visitsync.service.affairs.actors import DECIDERS, FIRST
from visitsync.service.affairs.refusing import refusing
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.measures import BLOCK, SHIELD, RecordedMeasure
from visitsync.service.writing import Change, change
from visitsync.store import clock, protection
from visitsync.store.facts import Fact
from visitsync.store.protection import Closing

Kind: TypeAlias = Literal["shield", "block"]

_LAPSES: Final = 7 * 86_400_000_000
"""Microseconds: what was true when somebody asked may not be so a week later."""
_ASKERS: Final = {SHIELD: FIRST, BLOCK: blocks.RECORDERS}


class ClosingAsked(Struct, frozen=True, kw_only=True):
    """A request that waits for a second person."""

    id: str
    """Of the shield or block."""
    lapses_at: dt.datetime


async def ask(context: Context, caller: Caller, kind: Kind, one: str) -> ClosingAsked:
    """Ask that a shield or block be ended; it goes on until somebody else decides.

    Raises:
        UnknownHousehold: no such thing, or the caller may not know of its household.
        NotNow: it is closed, or somebody asked already.
        NotAllowed: the caller's role does not ask.
    """
    caller.must("record")
    async with refusing(context, caller, f"close {kind}", one), change(context, caller) as made:
        fact, _ = await _open(context, made, caller, kind, one, _ASKERS[kind])
        if await _asked(made, kind, one) is not None:
            raise NotNow("Somebody asked already", where="asked_already")
        await protection.ask_to_close(made.connection, Closing(kind, one, caller.id, made.at))
        await made.log(
            caller,
            "closing_requested",
            household=fact.household,
            private={"household": fact.household},
            public={"basis": f"{one}@{fact.version}", "decision": "asked"},
        )
    return ClosingAsked(id=one, lapses_at=clock.instant(made.at + _LAPSES))


async def approve(context: Context, caller: Caller, kind: Kind, one: str) -> RecordedMeasure:
    """End a shield or block that somebody else asked to end.

    Raises:
        UnknownHousehold: no such thing, or the caller may not know of its household.
        NotNow: it is closed, or nobody asked within a week.
        NotAllowed: the caller asked themselves, or is neither supervisor nor protection officer.
    """
    caller.must("record")
    async with refusing(context, caller, f"close {kind}", one), change(context, caller) as made:
        fact, body = await _open(context, made, caller, kind, one, DECIDERS)
        asked = await _asked(made, kind, one)
        if asked is None:
            raise NotNow("Nobody asks to close it", where="not_asked")
        if asked.asked_by == caller.id:
            raise NotAllowed("Whoever asks does not decide; somebody else must")
        body["closed_at"] = clock.written(made.at)
        closed = await measures.add(made, measures.later(fact), body)
        await protection.withdraw_closing(made.connection, kind, one)
        await made.log(
            caller,
            f"{kind}_closed",
            household=fact.household,
            private={"household": fact.household, "asked_by": asked.asked_by},
            public={"basis": f"{one}@{closed.version}", "decision": "closed"},
        )
    return measures.recorded(closed)


async def _open(  # noqa: PLR0913, PLR0917 -- who, where, what
    context: Context, made: Change, caller: Caller, kind: Kind, one: str, roles: tuple[str, ...]
) -> tuple[Fact, measures.Body]:
    fact, body = await measures.known(context, made, caller, (kind, one), roles)
    if body["closed_at"] is not None:
        raise NotNow("It is closed", where="closed")
    return fact, body


async def _asked(made: Change, kind: Kind, one: str) -> Closing | None:
    """The request that has not lapsed."""
    found = await protection.asked_to_close(made.connection, kind, one)
    return None if found is None or made.at - found.asked_at > _LAPSES else found
