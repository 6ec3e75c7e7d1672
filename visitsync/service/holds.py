"""Legal holds: while one stands nothing of a household is erased. One places it, two lift it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from msgspec import Meta

from visitsync.errors import BadParameter, NotAllowed, NotNow, UnknownHousehold
from visitsync.schema.silent import Struct
from visitsync.service.affairs.actors import DECIDERS, NOT_THERE
from visitsync.service.affairs.refusing import refusing
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.erasures import may_know, name_of, refuse_begun
from visitsync.service.ids import as_given, new_id
from visitsync.service.invocations import ASKERS
from visitsync.service.writing import Change, change
from visitsync.store import clock, erasures
from visitsync.store.erasures import Hold


class HoldDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why it must be kept."""

    reason: Annotated[str, Meta(min_length=1, max_length=2000)]
    """Kept in the sealed part of the access log and nowhere else."""


class HoldStanding(Struct, frozen=True, kw_only=True):
    """A hold; while `lifted_at` is None it stands."""

    id: str
    placed_by: str
    placed_at: dt.datetime
    lift_asked_by: str | None
    lifted_at: dt.datetime | None


async def place(context: Context, caller: Caller, household: str, draft: HoldDraft) -> HoldStanding:
    """Place a hold, also while an erasure is announced: it is not executed then.

    Raises:
        UnknownHousehold: no such household, or the caller may not know of it, or is blocked.
        BadParameter: no reason.
        NotNow: it is being erased already.
        NotAllowed: the caller's role places none.
    """
    _must(caller)
    if not draft.reason.strip():
        raise BadParameter("says nothing", where="reason")
    async with refusing(context, caller, "hold", household), change(context, caller) as made:
        await may_know(context, made, caller, household, ASKERS)
        refuse_begun(context, household)
        row = Hold(new_id("l"), household, name_of(caller), made.at)
        await erasures.place(made.connection, row)
        await _log(made, caller, row, "hold_placed", "placed", {"reason": draft.reason})
    return standing_of(row)


async def ask_to_lift(context: Context, caller: Caller, one: str) -> HoldStanding:
    """Ask that a hold be lifted; it stands until somebody else agrees.

    Raises:
        UnknownHousehold: no such hold, or the caller may not know of its household.
        NotNow: it was lifted, or somebody asked already.
        NotAllowed: the caller's role does not ask.
    """
    _must(caller)
    async with refusing(context, caller, "hold", one), change(context, caller) as made:
        row = await _standing(context, made, caller, one, ASKERS)
        if row.lift_asked_by is not None:
            raise NotNow("Somebody asked already", where="asked_already")
        asked = row._replace(lift_asked_by=name_of(caller), lift_asked_at=made.at)
        await erasures.change_hold(
            made.connection, row.id, lift_asked_by=asked.lift_asked_by, lift_asked_at=made.at
        )
        await _log(made, caller, asked, "hold_lifted", "asked", {})
    return standing_of(asked)


async def lift(context: Context, caller: Caller, one: str) -> HoldStanding:
    """Lift a hold that somebody else asked to lift.

    Raises:
        UnknownHousehold: no such hold, or the caller may not know of its household.
        NotNow: it was lifted, or nobody asked.
        NotAllowed: the caller asked, in whatever session, or does not decide.
    """
    _must(caller)
    async with refusing(context, caller, "hold", one), change(context, caller) as made:
        row = await _standing(context, made, caller, one, DECIDERS)
        if row.lift_asked_by is None:
            raise NotNow("Nobody asks to lift it", where="not_asked")
        if row.lift_asked_by == name_of(caller):
            raise NotAllowed("Whoever asks does not decide; somebody else must")
        lifted = row._replace(lifted_by=name_of(caller), lifted_at=made.at)
        await erasures.change_hold(
            made.connection, row.id, lifted_by=lifted.lifted_by, lifted_at=made.at
        )
        told = {"asked_by": row.lift_asked_by}
        await _log(made, caller, lifted, "hold_lifted", "lifted", told)
    return standing_of(lifted)


def standing_of(row: Hold) -> HoldStanding:
    """How one is answered."""
    return HoldStanding(
        id=row.id,
        placed_by=row.placed_by,
        placed_at=clock.instant(row.placed_at),
        lift_asked_by=row.lift_asked_by,
        lifted_at=None if row.lifted_at is None else clock.instant(row.lifted_at),
    )


def _must(caller: Caller) -> None:
    caller.must("operate" if caller.kind == "operator" else "record")


async def _standing(
    context: Context, made: Change, caller: Caller, one: str, roles: tuple[str, ...]
) -> Hold:
    row = await erasures.hold_of(made.connection, as_given(one))
    await may_know(context, made, caller, "" if row is None else row.household, roles)
    if row is None:
        raise UnknownHousehold(NOT_THERE)
    if row.lifted_at is not None:
        raise NotNow("It was lifted", where="ended")
    return row


async def _log(  # noqa: PLR0913, PLR0917 -- who, what, and what it is about
    made: Change, caller: Caller, row: Hold, kind: str, decision: str, private: dict[str, str]
) -> None:
    await made.log(
        caller,
        kind,
        household=row.household,
        private={"household": row.household, **private},
        public={"basis": row.id, "decision": decision},
    )
