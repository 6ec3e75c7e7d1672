"""Asking for a household to be erased, and deciding it: two people, and a period of announcement.

Nothing is erased here: what was decided waits until its day, can be withdrawn until then, and is
executed by `executing`. Why it was asked for stands in the log under the household's own key, and
goes with it; the ground stays.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final

from msgspec import Meta

from visitsync.errors import BadParameter, NotAllowed, NotNow, UnknownHousehold
from visitsync.schema.silent import Struct
from visitsync.service import messages
from visitsync.service.affairs import knowing
from visitsync.service.affairs.actors import DECIDERS, NOT_THERE, beside
from visitsync.service.affairs.refusing import refusing
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.ids import as_given, new_id
from visitsync.service.invocations import ASKERS
from visitsync.service.retention_rules import rules_of
from visitsync.service.writing import Change, change
from visitsync.signer import Tombstones
from visitsync.store import clock, erasures, facts, households
from visitsync.store.erasures import Erasure

_DAY: Final = 86_400_000_000
LAPSES: Final = 30 * _DAY
"""Microseconds after which what nobody decided is asked for anew."""


class ErasureDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On what ground, and why."""

    ground: str
    """A code of the rules of retention."""
    reason: Annotated[str, Meta(min_length=1, max_length=2000)]
    """Kept in the sealed part of the access log, and destroyed with the household's key."""


class ErasureStanding(Struct, frozen=True, kw_only=True):
    """Where an erasure stands."""

    id: str
    ground: str
    asked_by: str
    asked_at: dt.datetime
    decided_by: str | None
    due_at: dt.datetime | None
    """Before this nothing is erased; None: it waits for a second person."""
    outcome: str | None
    """``erased``, ``withdrawn``, ``lapsed`` or ``not_due``; None: it has not ended."""


async def ask(
    context: Context, caller: Caller, household: str, draft: ErasureDraft
) -> ErasureStanding:
    """Ask for a household to be erased; nothing happens by asking.

    Raises:
        UnknownHousehold: no such household, or the caller may not know of it, or is blocked.
        BadParameter: an unknown ground, or no reason.
        NotNow: somebody asked already.
        NotAllowed: the caller's role does not ask.
    """
    _must(caller)
    if draft.ground not in rules_of(context).grounds:
        raise BadParameter("is no ground of the rules of retention", where="ground")
    if not draft.reason.strip():
        raise BadParameter("says nothing", where="reason")
    async with refusing(context, caller, "erasure", household), change(context, caller) as made:
        agency = await may_know(context, made, caller, household, ASKERS)
        row = await add(made, caller, household, draft.ground)
        await messages.tell_officers(made, agency, "erasure_asked", row.id)
        await _log(made, caller, row, "asked", {"reason": draft.reason})
    return standing_of(row)


async def add(made: Change, caller: Caller, household: str, ground: str) -> Erasure:
    """Add a request, in place of one that lapsed.

    Raises:
        NotNow: one stands already.
    """
    for one in await erasures.of_household(made.connection, household):
        if one.ended_at is None:
            if not has_lapsed(one, made.at):
                raise NotNow("Somebody asked already", where="asked_already")
            await erasures.update(made.connection, one.id, ended_at=made.at, outcome="lapsed")
    row = Erasure(new_id("e"), household, ground, name_of(caller), made.at)
    await erasures.add(made.connection, row)
    return row


async def decide(context: Context, caller: Caller, one: str) -> ErasureStanding:
    """Decide what somebody else asked for; from now on it is announced.

    Raises:
        UnknownHousehold: no such erasure, or the caller may not know of its household.
        NotNow: it was decided, has ended or lapsed, or a hold stands.
        NotAllowed: the caller asked, in whatever session, or does not decide.
    """
    _must(caller)
    async with refusing(context, caller, "erasure", one), change(context, caller) as made:
        row = await known(context, made, caller, one, DECIDERS)
        if row.decided_at is not None:
            raise NotNow("It was decided already", where="approved")
        if row.asked_by == name_of(caller):
            raise NotAllowed("Whoever asks does not decide; somebody else must")
        if has_lapsed(row, made.at):
            raise NotNow("It was asked for too long ago", where="lapsed")
        if await erasures.standing_holds(made.connection, [row.household]):
            raise NotNow("A hold stands; it must be lifted first", where="held")
        ground = rules_of(context).grounds.get(row.ground)
        if ground is None:
            raise NotNow("Its ground is no longer one of the rules", where="ground")
        decided = row._replace(
            decided_by=name_of(caller),
            decided_at=made.at,
            due_at=made.at + ground.announce_days * _DAY,
        )
        await erasures.update(
            made.connection,
            row.id,
            decided_by=decided.decided_by,
            decided_at=decided.decided_at,
            due_at=decided.due_at,
        )
        await _announce(made, decided)
        await _log(made, caller, decided, "announced", {"asked_by": row.asked_by})
    return standing_of(decided)


async def withdraw(context: Context, caller: Caller, one: str) -> ErasureStanding:
    """Take back what was asked for or decided, until it is executed; one person may.

    Raises:
        UnknownHousehold: no such erasure, or the caller may not know of its household.
        NotNow: it has ended, or is being executed.
        NotAllowed: the caller's role does not.
    """
    _must(caller)
    async with refusing(context, caller, "erasure", one), change(context, caller) as made:
        row = await known(context, made, caller, one, ASKERS)
        refuse_begun(context, row.household)
        ended = row._replace(ended_at=made.at, outcome="withdrawn")
        await erasures.update(made.connection, row.id, ended_at=made.at, outcome="withdrawn")
        await _log(made, caller, ended, "withdrawn", {})
    return standing_of(ended)


# ── who, and of what ──────────────────────────────────────────────────────────────────────────────
def name_of(caller: Caller) -> str:
    """By what somebody is the same person, in whatever session."""
    return f"{caller.kind}:{caller.id}"


def _must(caller: Caller) -> None:
    caller.must("operate" if caller.kind == "operator" else "record")


async def may_know(
    context: Context, made: Change, caller: Caller, household: str, roles: tuple[str, ...]
) -> str:
    """Go on only for an operator, or for staff who may know of the household; their agency.

    Raises:
        UnknownHousehold: there is none, or none for them.
        NotAllowed: theirs is another role.
    """
    if caller.kind == "operator":
        if not await households.exists(made.connection, as_given(household)):
            raise UnknownHousehold(NOT_THERE)
        return ""
    found = await beside(context, made.connection, caller, household, roles)
    await knowing.must_know_unblocked(made.connection, found)
    return found.actor.agency


async def known(
    context: Context, made: Change, caller: Caller, one: str, roles: tuple[str, ...]
) -> Erasure:
    """An erasure that has not ended.

    Raises:
        UnknownHousehold: no such erasure, or none for the caller.
        NotNow: it has ended.
        NotAllowed: theirs is another role.
    """
    row = await erasures.of_id(made.connection, as_given(one))
    await may_know(context, made, caller, "" if row is None else row.household, roles)
    if row is None:
        raise UnknownHousehold(NOT_THERE)
    if row.ended_at is not None:
        raise NotNow("It has ended", where="ended")
    return row


def has_lapsed(row: Erasure, now: int) -> bool:
    """Whether nobody decided it in time."""
    return row.decided_at is None and now - row.asked_at > LAPSES


def refuse_begun(context: Context, household: str) -> None:
    """Go on only while no tombstone of the household stands outside the database.

    It is written just before the erasure commits. Where that failed, it is done the next time.

    Raises:
        NotNow: it has begun.
    """
    written = Tombstones(context.settings.tombstone_file).read()
    if any(one.household == household for one in written):
        raise NotNow("It is being erased already", where="begun")


def standing_of(row: Erasure) -> ErasureStanding:
    """How one is answered."""
    return ErasureStanding(
        id=row.id,
        ground=row.ground,
        asked_by=row.asked_by,
        asked_at=clock.instant(row.asked_at),
        decided_by=row.decided_by,
        due_at=None if row.due_at is None else clock.instant(row.due_at),
        outcome=row.outcome,
    )


async def _announce(made: Change, row: Erasure) -> None:
    await messages.tell_officers(made, "", "erasure_announced", row.id)
    answering = await facts.answering(made.connection, [row.household], made.at)
    readers = {f"staff:{one}" for one in answering.get(row.household, ())}
    await messages.tell(made, readers, "erasure_announced", row.id)


async def _log(
    made: Change, caller: Caller, row: Erasure, decision: str, private: dict[str, str]
) -> None:
    await made.log(
        caller,
        "erasure",
        household=row.household,
        private={"household": row.household, **private},
        public={"basis": f"{row.id} {row.ground}", "decision": decision},
    )
