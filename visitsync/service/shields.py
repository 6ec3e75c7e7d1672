"""Address shields (DV等支援措置, C7): recorded in one call, in force for the next question.

Five weeks between a family's application and its flag have cost a hiding place; so anybody who
works with a family may begin a shield alone, and it is provisional until somebody confirms it. It
is never lifted by its date: a date that comes near is told, and two people end it (`closing`).
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import BadParameter
from visitsync.schema.silent import Struct
from visitsync.service import measures, sheltering
from visitsync.service.affairs import knowing
from visitsync.service.affairs.actors import FIRST, OFFICER, PROTECTOR, SUPERVISOR, beside
from visitsync.service.affairs.refusing import refusing
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.endings import DAY, ending
from visitsync.service.measures import SHIELD, RecordedMeasure
from visitsync.service.writing import About, change
from visitsync.store import clock, directory, protection
from visitsync.store.facts import Fact

_PROTECTORS: Final = f"role:{PROTECTOR}@agency:"
_A_YEAR: Final = dt.timedelta(days=365)


class ShieldDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A shield before it is recorded; nothing need be said."""

    from_: dt.datetime | None = msgspec.field(name="from", default=None)
    """None: from the instant it is recorded."""
    until: dt.datetime | None = None
    """When somebody must look at it again; None: in a year. It does not lift the shield."""
    allowed: tuple[str, ...] | None = None
    """None: the child protection workers of the municipality's own agency."""
    withhold_notes: bool = True


class Confirmation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A shield is no longer provisional, or its date is put off."""

    until: dt.datetime | None = None
    """None: the date stays."""


class Ageing(Struct, frozen=True, kw_only=True):
    """A shield that somebody must look at. No name and no address."""

    shield: str
    household: str
    since: dt.datetime
    until: dt.datetime | None
    provisional: bool
    because: tuple[str, ...]
    """``provisional_over_1_day``, ``ends_within_30_days``, ``ends_within_7_days``,
    ``past_its_date``."""


class AgeingReport(Struct, frozen=True, kw_only=True):
    """All of them, the oldest first."""

    shields: tuple[Ageing, ...]


async def record(
    context: Context, caller: Caller, household: str, draft: ShieldDraft
) -> RecordedMeasure:
    """Begin a provisional shield.

    Raises:
        UnknownHousehold: no such household, or the caller may not know of it.
        BadParameter: the rules could not read it, or nobody who protects children is allowed.
        NotAllowed: the caller's role begins none.
    """
    caller.must("record")
    async with refusing(context, caller, "shield", household), change(context, caller) as made:
        found = await beside(context, made.connection, caller, household, FIRST)
        await knowing.must_know(made.connection, found)
        begin = clock.instant(made.at) if draft.from_ is None else draft.from_
        body: measures.Body = {
            "from": begin.isoformat(),
            "until": measures.time(_a_year_after(begin) if draft.until is None else draft.until),
            "closed_at": None,
            "allowed": await _allowed(made.connection, draft.allowed),
            "withhold_notes": draft.withhold_notes,
        }
        fact = await measures.add(made, measures.first(SHIELD, household), body)
        begun = (fact, *await sheltering.reach(made.connection, fact))
        await made.log_each(
            caller,
            "shield_recorded",
            [
                About(
                    one.household,
                    {"household": one.household, "allowed": body["allowed"]},
                    {"basis": f"{one.id}@1", "decision": "provisional"},
                )
                for one in begun
            ],
        )
    return measures.recorded(fact)


def _a_year_after(begin: dt.datetime) -> dt.datetime:
    try:
        return begin + _A_YEAR
    except OverflowError:
        raise BadParameter("lies too far away", where="from") from None


async def _allowed(connection: AsyncConnection, given: tuple[str, ...] | None) -> list[str]:
    agencies = (await directory.read(connection)).agencies
    if given is None:
        public = next((one["id"] for one in agencies if one["kind"] == "public"), None)
        return [] if public is None else [f"{_PROTECTORS}{public}"]
    known = {f"{_PROTECTORS}{one['id']}" for one in agencies}
    if known.isdisjoint(given):
        raise BadParameter(
            "names no child protection worker of an agency that there is", where="allowed"
        )
    return list(given)


async def confirm(
    context: Context, caller: Caller, shield: str, confirmation: Confirmation
) -> RecordedMeasure:
    """Confirm a provisional shield, or put off the date of one.

    Raises:
        UnknownHousehold: no such shield, or the caller may not know of its household.
        BadParameter: the date has passed already.
        NotAllowed: only a protection officer, supervisor or child protection worker confirms.
    """
    caller.must("record")
    async with refusing(context, caller, "shield", shield), change(context, caller) as made:
        roles = (OFFICER, SUPERVISOR, PROTECTOR)
        fact, body = await measures.known(context, made, caller, (SHIELD, shield), roles)
        household = str(fact.household)
        if confirmation.until is not None:
            body["until"] = measures.time(confirmation.until)
            measures.refuse_unreadable(SHIELD, body, household, made.at)
            if clock.stored(confirmation.until) <= made.at:
                raise BadParameter("must lie ahead", where="until")
            fact = await measures.add(made, measures.later(fact), body)
        await protection.confirm(made.connection, shield, caller.id, made.at)
        await made.log(
            caller,
            "shield_recorded",
            household=household,
            private={"household": household},
            public={"basis": f"{shield}@{fact.version}", "decision": "confirmed"},
        )
    return measures.recorded(fact)


async def ageing(context: Context, caller: Caller) -> AgeingReport:
    """Shields that wait for somebody: provisional over a day, or near or past their date.

    Raises:
        NotAllowed: the caller is no protection officer.
    """
    caller.must("record")
    async with refusing(context, caller, "ageing", ""), change(context, caller) as made:
        await beside(context, made.connection, caller, "", (OFFICER,))
        hidden = await knowing.hidden_from(made.connection, caller.id)
        confirmed = await protection.are_confirmed(made.connection)
        versions = await protection.every(made.connection, SHIELD)
        first = {one.id: one.recorded_at for one in reversed(versions)}
        found = [
            one
            for fact in {one.id: one for one in versions}.values()
            if fact.household not in hidden
            and (one := _ageing(fact, first[fact.id], made.at, fact.id not in confirmed))
        ]
        found.sort(key=lambda one: (one.since, one.shield))
        await made.log(
            caller,
            "list_read",
            private={"asked": "ageing", "shields": [one.shield for one in found]},
            public={"records": len(found), "decision": "shown"},
        )
    return AgeingReport(shields=tuple(found))


def _ageing(fact: Fact, since: int, now: int, provisional: bool) -> Ageing | None:  # noqa: FBT001 -- as told
    body = msgspec.json.decode(fact.body, type=measures.Body)
    if body["closed_at"] is not None:
        return None
    until = None if body["until"] is None else dt.datetime.fromisoformat(body["until"])
    because = ["provisional_over_1_day"] if provisional and now - since > DAY else []
    if code := ending(None if until is None else clock.stored(until), now):
        because.append(code)
    return None if not because else Ageing(
        shield=fact.id,
        household=str(fact.household),
        since=clock.instant(since),
        until=until,
        provisional=provisional,
        because=tuple(because),
    )  # fmt: skip
