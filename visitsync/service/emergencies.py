"""Break-glass (C6): seeing a household in an emergency, for hours, told at once, reviewed after.

Nobody needs to know the family already; so the reason is coded and written down, the caller proves
anew who they are, the offices that hold the records and the protection officers are told in the
same transaction, and somebody else reviews it within 72 hours. What a shield hides stays hidden:
a grant opens `contact` only where its shield says so (C7), and none is made so here.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final, Literal

from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import (
    BadParameter,
    NotAllowed,
    NotNow,
    NotProven,
    TooManyRequests,
    UnknownHousehold,
    VisitsyncError,
)
from visitsync.schema.protection import REASONS
from visitsync.schema.silent import Struct
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service import measures, messages, tokens
from visitsync.service.affairs import knowing
from visitsync.service.affairs.actors import DECIDERS, NOT_THERE, OFFICER, Beside, beside
from visitsync.service.affairs.refusing import refusing
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.ids import as_given, new_id
from visitsync.service.measures import GRANT
from visitsync.service.writing import Change, change
from visitsync.store import clock, emergencies
from visitsync.store.emergencies import Emergency
from visitsync.store.facts import Fact

MOST_A_DAY: Final = 5
"""How many one viewer may ask for within 24 hours."""
_HOUR: Final = 3_600_000_000
_DAY: Final = 24 * _HOUR
_REVIEW: Final = 72 * _HOUR
_LAPSES: Final = _HOUR
"""An emergency that nobody approved within the hour is asked for anew."""
_PURPOSE: Final = "protection"
_ROLES: Final = tuple(
    role for role, purposes in VOCABULARY.purposes_of_role.items() if _PURPOSE in purposes
)


class EmergencyDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why, what, how long, and proof of who asks."""

    reason: str
    """A code of ``protection.toml``."""
    text: Annotated[str, Meta(min_length=1, max_length=2000)]
    """What happened; kept in the sealed part of the access log and nowhere else."""
    categories: tuple[str, ...]
    hours: Annotated[int, Meta(ge=1, le=4)] = 1
    proof: Annotated[str, Meta(min_length=1, max_length=512)]
    """The secret of the caller's token, given anew; so it is always fresh. Never stored."""


class EmergencyAccess(Struct, frozen=True, kw_only=True):
    """What became of it."""

    id: str
    status: Literal["granted", "waiting"]
    """``waiting``: a review is overdue, so a second person must approve within the hour."""
    until: dt.datetime | None
    review_due: dt.datetime | None


async def ask(
    context: Context, caller: Caller, household: str, draft: EmergencyDraft
) -> EmergencyAccess:
    """Ask for emergency access; granted at once unless a review of the caller's is overdue.

    Raises:
        BadParameter: an unknown reason or category.
        NotProven: the proof is not the secret of the token with which the caller came.
        UnknownHousehold: no such household, or the caller is blocked from it.
        TooManyRequests: the day's number is used up; the protection officers are told.
        NotAllowed: no role of the caller's has the purpose of protection.
    """
    caller.must("read")
    _refuse_malformed(draft)
    async with refusing(context, caller, "break-glass", household):
        async with change(context, caller) as made:
            # Somebody at an unlocked screen, or with a stolen session, does not have the secret.
            if not await tokens.proves(made.connection, caller, draft.proof):
                raise NotProven("Give the secret of the token with which you came")
            found = await beside(context, made.connection, caller, household, _ROLES)
            await _refuse_blocked(made.connection, found)
            await escalate(made)
            row = _row(made, found, household, draft)
            answer = await _answered(context, made, caller, found, row, draft.text)
        if isinstance(answer, VisitsyncError):
            raise answer
        return answer


def _refuse_malformed(draft: EmergencyDraft) -> None:
    if draft.reason not in REASONS:
        raise BadParameter("is no reason of the catalogue", where="reason")
    if not draft.categories or not VOCABULARY.categories.keys() >= set(draft.categories):
        raise BadParameter("names nothing, or no category of the vocabulary", where="categories")
    if not draft.text.strip():
        raise BadParameter("says nothing", where="text")


async def _refuse_blocked(connection: AsyncConnection, found: Beside) -> None:
    await knowing.must_exist(connection, found)
    viewer = found.viewer
    without_office = viewer is None or (viewer.roles == ("program_office",) and not viewer.offices)
    if found.is_blocked() or without_office:
        raise UnknownHousehold(NOT_THERE)


def _row(made: Change, found: Beside, household: str, draft: EmergencyDraft) -> Emergency:
    offices = () if found.viewer is None else found.viewer.offices
    return Emergency(
        id=new_id("g"),
        household=household,
        viewer=found.actor.id,
        agency=found.actor.agency,
        office=min(offices, default=None),
        reason=draft.reason,
        categories=" ".join(sorted(set(draft.categories))),
        hours=draft.hours,
        asked_at=made.at,
    )


async def _answered(  # noqa: PLR0913, PLR0917 -- who, where, what
    context: Context, made: Change, caller: Caller, found: Beside, row: Emergency, text: str
) -> EmergencyAccess | VisitsyncError:
    """Grant it, let it wait, or refuse it; each is logged and told in this transaction."""
    asked = await emergencies.asked_since(made.connection, row.viewer, made.at - _DAY)
    if asked >= MOST_A_DAY:
        await messages.tell_officers(made, row.agency, "break_glass_refused", row.id)
        await _log(made, caller, row, "refused", text)
        return TooManyRequests("The day's number is used up", seconds=_DAY // 1_000_000)
    await emergencies.add(made.connection, row)
    open_ones = await emergencies.open_ones(made.connection)
    if any(one.viewer == row.viewer and one.is_overdue(made.at) for one in open_ones):
        await messages.tell_officers(made, row.agency, "break_glass_asked", row.id)
        await _log(made, caller, row, "asked", text)
        return EmergencyAccess(id=row.id, status="waiting", until=None, review_due=None)
    answer = await _grant(context, made, found, row)
    await _log(made, caller, row, "granted", text)
    return answer


async def approve(context: Context, caller: Caller, one: str) -> EmergencyAccess:
    """Grant what waits for a second person.

    Raises:
        UnknownHousehold: no such request, or none for the caller.
        NotNow: it was granted already, or asked for more than an hour ago.
        NotAllowed: the caller asked themselves, or is neither supervisor nor protection officer.
    """
    caller.must("record")
    async with refusing(context, caller, "break-glass", one), change(context, caller) as made:
        row, found = await decided_by(context, made, caller, one)
        if row.granted_at is not None:
            raise NotNow("It was granted already", where="granted")
        if has_lapsed(row, made.at):
            raise NotNow("It was asked for too long ago", where="lapsed")
        answer = await _grant(context, made, found, row, approved_by=caller.id)
        await _log(made, caller, row, "approved", None)
    return answer


async def decided_by(
    context: Context, made: Change, caller: Caller, one: str
) -> tuple[Emergency, Beside]:
    """An access that the caller may approve or review: somebody else's, of their own agency.

    Protection officers decide on those of every agency.

    Raises:
        UnknownHousehold: no such access, or none for the caller.
        NotAllowed: it is their own, or they are neither supervisor nor protection officer.
    """
    row = await emergencies.of_id(made.connection, as_given(one))
    household = "" if row is None else row.household
    found = await beside(context, made.connection, caller, household, DECIDERS)
    await knowing.must_exist(made.connection, found)
    if row is None or not may_decide(found, row):
        raise UnknownHousehold("No such access, or none for you")
    if caller.id in {row.viewer, row.approved_by}:
        raise NotAllowed("Somebody else must decide")
    return row, found


def has_lapsed(row: Emergency, now: int) -> bool:
    """Whether nobody approved it in time."""
    return row.granted_at is None and now - row.asked_at > _LAPSES


def may_decide(found: Beside, row: Emergency) -> bool:
    """Whether somebody decides on accesses like this one."""
    return OFFICER in found.actor.roles or found.actor.agency == row.agency


async def _grant(
    context: Context, made: Change, found: Beside, row: Emergency, approved_by: str | None = None
) -> EmergencyAccess:
    until = made.at + row.hours * _HOUR
    due = made.at + _REVIEW
    body: measures.Body = {
        "viewer": row.viewer,
        "reason_code": row.reason,
        "categories": row.categories.split(),
        "from": clock.written(made.at),
        "until": clock.written(until),
        "review": "open",
        "shield": None,
        "confirmed_by": None,
        "confirmer_role": None,
    }
    await measures.add(made, Fact(GRANT, row.id, 1, 0, row.household, ""), body)
    await emergencies.update(
        made.connection, row.id, granted_at=made.at, due_at=due, approved_by=approved_by
    )
    await messages.tell_source_offices(context, made, found, "break_glass", row.id)
    await messages.tell_officers(made, row.agency, "break_glass", row.id)
    return EmergencyAccess(
        id=row.id,
        status="granted",
        until=clock.instant(until),
        review_due=clock.instant(due),
    )


async def escalate(made: Change) -> None:
    """Tell the protection officers of every review that became overdue, each once."""
    for one in await emergencies.open_ones(made.connection):
        if one.is_overdue(made.at) and one.escalated_at is None:
            await messages.tell_officers(made, one.agency, "break_glass_overdue", one.id)
            await emergencies.update(made.connection, one.id, escalated_at=made.at)


async def _log(
    made: Change, caller: Caller, row: Emergency, decision: str, text: str | None
) -> None:
    await made.log(
        caller,
        "break_glass",
        household=row.household,
        private={
            "household": row.household,
            "reason": row.reason,
            "text": text,
            "categories": row.categories,
            "hours": row.hours,
        },
        public={"basis": row.id, "decision": decision, "purpose": _PURPOSE},
    )
