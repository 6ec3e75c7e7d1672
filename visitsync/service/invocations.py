"""Invoking a law for a household (C5 invoked): one person asks, another one approves.

What was only asked for stands in a table of its own and is no fact; so the rules know no half
invocation, and nothing that waits can open anything by a slip in a rule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from visitsync.consent.catalogue import LEGAL_BASES
from visitsync.errors import BadParameter, NotAllowed, NotNow, UnknownHousehold
from visitsync.schema.silent import Struct
from visitsync.service import measures, messages, recipients
from visitsync.service.affairs import knowing
from visitsync.service.affairs.actors import DECIDERS, NOT_THERE, PROTECTOR, beside
from visitsync.service.affairs.refusing import refusing
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.ids import as_given, new_id
from visitsync.service.measures import INVOCATION, RecordedMeasure
from visitsync.service.writing import Change, change
from visitsync.store import clock, epochs, facts, invocations
from visitsync.store.facts import Fact
from visitsync.store.invocations import Request

ASKERS: Final = ("case_worker", PROTECTOR, *DECIDERS)
"""Who may ask for a law to be invoked, and end an invocation early."""
_DAY: Final = 86_400_000_000
LAPSES: Final = 7 * _DAY
"""Microseconds: what was true when somebody asked may not be so a week later."""
_LONGEST: Final = 184 * _DAY


class InvocationDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which law, for whom, what of it, until when, and why."""

    basis: str
    """A code of the catalogue that does not hold by itself."""
    recipients: tuple[str, ...]
    """``agency:ID``, ``office:ID``, ``role:ROLE@agency:ID``, each of the directory."""
    categories: tuple[str, ...]
    """No more than the law can open."""
    valid_until: Annotated[dt.datetime, Meta(tz=True)]
    """At most 184 days ahead; it begins when it is approved."""
    reason: Annotated[str, Meta(min_length=1, max_length=2000)]
    """Kept in the sealed part of the access log and nowhere else."""


class InvocationAsked(Struct, frozen=True, kw_only=True):
    """A request that waits for a second person and permits nothing."""

    id: str
    lapses_at: dt.datetime


async def ask(
    context: Context, caller: Caller, household: str, draft: InvocationDraft
) -> InvocationAsked:
    """Ask for a law to be invoked; nothing is opened by asking.

    Raises:
        UnknownHousehold: no such household, or the caller may not know of it, or is blocked.
        BadParameter: a basis that is unknown or standing, somebody unknown, categories that it
            cannot open, an end that has passed or lies too far ahead, or no reason.
        NotAllowed: the caller's role does not ask.
    """
    caller.must("record")
    _refuse_malformed(draft)
    async with refusing(context, caller, "invocation", household), change(context, caller) as made:
        found = await beside(context, made.connection, caller, household, ASKERS)
        await knowing.must_know_unblocked(made.connection, found)
        await recipients.refuse_unknown(made.connection, draft.recipients, "recipients")
        if not made.at < clock.stored(draft.valid_until) <= _begins(made.at) + _LONGEST:
            raise BadParameter("must lie ahead, by at most 184 days", where="valid_until")
        said: dict[str, Any] = {
            "basis": draft.basis,
            "recipients": list(draft.recipients),
            "categories": sorted(set(draft.categories)),
            "until": draft.valid_until.isoformat(),
        }
        body = msgspec.json.encode(said, order="sorted").decode()
        row = Request(new_id("i"), household, made.at, caller.id, body)
        await invocations.add(made.connection, row)
        await epochs.bump(made.connection, {epochs.of_household(household)})
        await messages.tell_officers(made, found.actor.agency, "invocation_asked", row.id)
        await made.log(
            caller,
            "invocation_requested",
            household=household,
            private={"household": household, "reason": draft.reason, **said},
            public={"basis": f"{row.id} {draft.basis}", "decision": "asked"},
        )
    return InvocationAsked(id=row.id, lapses_at=clock.instant(made.at + LAPSES))


def _refuse_malformed(draft: InvocationDraft) -> None:
    basis = LEGAL_BASES.get(draft.basis)
    if basis is None or basis.standing:
        raise BadParameter("is no law of the catalogue that is invoked", where="basis")
    if not draft.categories or not set(basis.categories).issuperset(draft.categories):
        raise BadParameter("names nothing, or what this law cannot open", where="categories")
    if not draft.reason.strip():
        raise BadParameter("says nothing", where="reason")


def _begins(approved_at: int) -> int:
    """From when an invocation holds: an instant before, so that it can end when it began."""
    return approved_at - 1


async def approve(context: Context, caller: Caller, one: str) -> RecordedMeasure:
    """Approve what somebody else asked for; from the next question on it holds.

    Raises:
        UnknownHousehold: no such request, or the caller may not know of its household, or is
            blocked.
        NotNow: it was approved already, was asked for more than a week ago, or its end has passed.
        NotAllowed: the caller asked themselves, or is neither supervisor nor protection officer.
    """
    caller.must("record")
    async with refusing(context, caller, "invocation", one), change(context, caller) as made:
        row = await invocations.of_id(made.connection, as_given(one))
        household = "" if row is None else row.household
        found = await beside(context, made.connection, caller, household, DECIDERS)
        await knowing.must_know_unblocked(made.connection, found)
        if row is None:
            raise UnknownHousehold(NOT_THERE)
        if row.asked_by == caller.id:
            raise NotAllowed("Whoever asks does not approve; somebody else must")
        if await facts.newest(made.connection, INVOCATION, [row.id]):
            raise NotNow("It was approved already", where="approved")
        said = msgspec.json.decode(row.body, type=dict[str, Any])
        if has_lapsed(row, said, made.at):
            raise NotNow("It was asked for too long ago", where="lapsed")
        role = next(role for role in DECIDERS if role in found.actor.roles)
        fact = await measures.add(
            made,
            Fact(INVOCATION, row.id, 1, 0, household, ""),
            _body(row, said, caller, role, made),
        )
        await messages.tell_source_offices(context, made, found, "invocation_approved", row.id)
        await made.log(
            caller,
            "invocation_approved",
            household=household,
            private={"household": household, "asked_by": row.asked_by, "role": role},
            public={"basis": f"{row.id}@1 {said['basis']}", "decision": "approved"},
        )
    return measures.recorded(fact)


def has_lapsed(row: Request, said: Mapping[str, Any], now: int) -> bool:
    """Whether nobody approved it in time."""
    return now - row.asked_at > LAPSES or clock.stored_text(said["until"]) <= now


def _body(
    row: Request, said: Mapping[str, Any], caller: Caller, role: str, made: Change
) -> measures.Body:
    return {
        "basis": said["basis"],
        "requested_by": row.asked_by,
        "approved_by": caller.id,
        "approver_role": role,
        "recipients": said["recipients"],
        "categories": said["categories"],
        "valid": {"from": clock.written(_begins(made.at)), "until": said["until"]},
        "shield": None,
        "confirmed_by": None,
        "confirmer_role": None,
    }


async def end(context: Context, caller: Caller, one: str) -> RecordedMeasure:
    """End an invocation before its time; one person may, since it shows less.

    Raises:
        UnknownHousehold: no such invocation, or the caller may not know of its household, or is
            blocked.
        NotNow: it has ended.
        NotAllowed: the caller's role does not end it.
    """
    caller.must("record")
    async with refusing(context, caller, "invocation", one), change(context, caller) as made:
        fact, body, _ = await measures.known_unblocked(
            context, made, caller, (INVOCATION, one), ASKERS
        )
        if clock.stored_text(body["valid"]["until"]) <= made.at:
            raise NotNow("It has ended", where="ended")
        body["valid"]["until"] = clock.written(made.at)
        fact = await measures.add(made, measures.later(fact), body)
        await made.log(
            caller,
            "invocation_ended",
            household=fact.household,
            private={"household": fact.household},
            public={"basis": f"{one}@{fact.version} {body['basis']}", "decision": "ended"},
        )
    return measures.recorded(fact)
