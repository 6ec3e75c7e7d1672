"""Council cases (要対協, C5 standing): who exchanges what about a household, without a consent.

The council's coordinating desk (要対協調整機関) keeps them. Nothing is changed in place: other
members or an end are a new version, so whoever is no member any more sees nothing from the next
question on, and who was one, and when, can be told from the versions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from visitsync.errors import NotNow
from visitsync.schema.silent import Struct
from visitsync.service import listing, measures, recipients
from visitsync.service.affairs import knowing
from visitsync.service.affairs.actors import DECIDERS, PROTECTOR, beside
from visitsync.service.affairs.refusing import refusing
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.measures import COUNCIL_CASE, RecordedMeasure
from visitsync.service.writing import Change, change
from visitsync.store import clock, facts
from visitsync.store.facts import Fact

DESK: Final = (PROTECTOR, *DECIDERS)
"""Who keeps the council's cases."""

Time: TypeAlias = Annotated[dt.datetime, Meta(tz=True)]


class CaseDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A case before it is recorded."""

    members: tuple[str, ...]
    """``agency:ID``, ``office:ID``, ``role:ROLE@agency:ID``, each of the directory."""
    from_: Time | None = msgspec.field(name="from", default=None)
    """None: from the instant it is recorded."""
    until: Time | None = None
    """None: until the desk closes it."""


class CaseMembers(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who sits in a case from now on: the whole list."""

    members: tuple[str, ...]


class CaseVersion(Struct, frozen=True, kw_only=True):
    """What a case said from `recorded_at` until the next version."""

    version: int
    recorded_at: dt.datetime
    members: tuple[str, ...]
    from_: dt.datetime = msgspec.field(name="from")
    until: dt.datetime | None


class CouncilCase(Struct, frozen=True, kw_only=True):
    """One case with all its versions, the oldest first."""

    id: str
    open: bool
    versions: tuple[CaseVersion, ...]


class CouncilCases(Struct, frozen=True, kw_only=True):
    """Every case that a household ever had."""

    household: str
    at: dt.datetime
    cases: tuple[CouncilCase, ...]


async def record(
    context: Context, caller: Caller, household: str, draft: CaseDraft
) -> RecordedMeasure:
    """Record a case; its members see the household from the next question on.

    Raises:
        UnknownHousehold: no such household, or the caller may not know of it, or is blocked.
        BadParameter: nobody, or somebody unknown or not in the council, or a period that is none.
        NotAllowed: the caller is not of the coordinating desk.
    """
    caller.must("record")
    async with (
        refusing(context, caller, "council case", household),
        change(context, caller) as made,
    ):
        found = await beside(context, made.connection, caller, household, DESK)
        await knowing.must_know_unblocked(made.connection, found)
        await _refuse_members(made, draft.members)
        body: measures.Body = {
            "members": list(draft.members),
            "from": clock.written(made.at) if draft.from_ is None else draft.from_.isoformat(),
            "until": measures.time(draft.until),
        }
        fact = await measures.add(made, measures.first(COUNCIL_CASE, household), body)
        await _log(made, caller, "council_case_recorded", fact, body)
    return measures.recorded(fact)


async def change_members(
    context: Context, caller: Caller, case: str, wanted: CaseMembers
) -> RecordedMeasure:
    """Say who sits in a case from now on; who is not named any more sees nothing through it.

    Raises:
        UnknownHousehold: no such case, or the caller may not know of its household, or is blocked.
        BadParameter: nobody, or somebody unknown or not in the council.
        NotNow: it is closed.
        NotAllowed: the caller is not of the coordinating desk.
    """
    caller.must("record")
    async with refusing(context, caller, "council case", case), change(context, caller) as made:
        fact, body, _ = await _open(context, made, caller, case)
        await _refuse_members(made, wanted.members)
        body["members"] = list(wanted.members)
        fact = await measures.add(made, measures.later(fact), body)
        await _log(made, caller, "council_case_changed", fact, body)
    return measures.recorded(fact)


async def close(context: Context, caller: Caller, case: str) -> RecordedMeasure:
    """End a case, or one that has not begun yet.

    Raises:
        UnknownHousehold: no such case, or the caller may not know of its household, or is blocked.
        NotNow: it is closed.
        NotAllowed: the caller is not of the coordinating desk.
    """
    caller.must("record")
    async with refusing(context, caller, "council case", case), change(context, caller) as made:
        fact, body, _ = await _open(context, made, caller, case)
        # It cannot end before it begins: one that has not begun, or began at this very instant,
        # has nobody in it for the instant that is left.
        begun = clock.stored_text(body["from"])
        if begun >= made.at:
            body["members"] = []
        body["until"] = clock.written(max(made.at, begun + 1))
        fact = await measures.add(made, measures.later(fact), body)
        await _log(made, caller, "council_case_closed", fact, body)
    return measures.recorded(fact)


async def of_household(
    context: Context, caller: Caller, household: str, purpose: str
) -> CouncilCases:
    """Every case of a household with all its versions; logged before it is answered.

    Raises:
        UnknownHousehold: no such household, or the caller may not know of it, or is blocked, or
            their role has not this purpose.
        BadParameter: an unknown purpose.
        NotAllowed: the caller is not of the coordinating desk.
    """
    async with listing.listing(context, caller, household, purpose, DESK) as (made, _):
        newest = await facts.of_household(made.connection, household)
        ids = [one for kind, one in newest if kind == COUNCIL_CASE]
        versions = await facts.history(made.connection, COUNCIL_CASE, ids)
        await listing.log(made, caller, "council cases", household, purpose, ids)
    by_case = {one: [each for each in versions if each.id == one] for one in sorted(ids)}
    return CouncilCases(
        household=household,
        at=clock.instant(made.at),
        cases=tuple(
            CouncilCase(
                id=one,
                open=_is_open(measures.body_of(found[-1]), made.at),
                versions=tuple(map(_version, found)),
            )
            for one, found in by_case.items()
        ),
    )


async def _refuse_members(made: Change, members: Sequence[str]) -> None:
    await recipients.refuse_unknown(made.connection, members, "members")
    await recipients.refuse_outsiders(made.connection, members, "members")


async def _open(
    context: Context, made: Change, caller: Caller, case: str
) -> tuple[Fact, measures.Body, object]:
    found = await measures.known_unblocked(context, made, caller, (COUNCIL_CASE, case), DESK)
    if _has_ended(found[1], made.at):
        raise NotNow("It is closed", where="closed")
    return found


def _has_ended(body: Mapping[str, Any], now: int) -> bool:
    until = body["until"]
    return not body["members"] or (until is not None and clock.stored_text(until) <= now)


def _is_open(body: Mapping[str, Any], now: int) -> bool:
    return clock.stored_text(body["from"]) <= now and not _has_ended(body, now)


def _version(fact: Fact) -> CaseVersion:
    body = measures.body_of(fact)
    return CaseVersion(
        version=fact.version,
        recorded_at=clock.instant(fact.recorded_at),
        members=tuple(body["members"]),
        from_=dt.datetime.fromisoformat(body["from"]),
        until=None if body["until"] is None else dt.datetime.fromisoformat(body["until"]),
    )


async def _log(made: Change, caller: Caller, kind: str, fact: Fact, body: measures.Body) -> None:
    await made.log(
        caller,
        kind,
        household=fact.household,
        private={"household": fact.household, "members": body["members"]},
        public={"basis": f"{fact.id}@{fact.version}"},
    )
