"""Recording who has parental authority and what courts ordered, and listing it with what they said.

By who may decide for the household. Nothing is changed in place: an end is a new version, and what
was known on a day can be told again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

import msgspec

from visitsync.errors import BadParameter, UnknownHousehold
from visitsync.schema.protection import AUTHORITIES, AUTHORITY_BASES, ORDERS
from visitsync.schema.silent import Struct
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service import authority, consents, measures
from visitsync.service.affairs.actors import NOT_THERE, Actor, anybody_beside
from visitsync.service.affairs.deciding import must_decide_for
from visitsync.service.affairs.looking import look
from visitsync.service.affairs.refusing import refusing
from visitsync.service.authority import GUARDIAN, KEEPS_AWAY, ORDER, CourtOrder, Guardian
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.gathering import Gathered
from visitsync.service.ids import as_given, is_household, new_id
from visitsync.service.measures import RecordedMeasure
from visitsync.service.writing import Change, change
from visitsync.store import clock, epochs, facts
from visitsync.store.facts import Fact

_LOGGED: Final = {GUARDIAN: "guardian_recorded", ORDER: "court_order_recorded"}


class GuardianEnd(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From when something holds no more."""

    until: dt.date
    """The first day; the day on which it began: it never held and was recorded wrongly."""


class RecordedOrder(RecordedMeasure, frozen=True, kw_only=True):
    """What was recorded, and what somebody should do about it."""

    advice: tuple[str, ...]
    """``begin_shield``: the order keeps somebody away, and no shield is in force."""


class GuardianStanding(Struct, frozen=True, kw_only=True):
    """One person's authority, and what they said."""

    id: str
    version: int
    recorded_at: dt.datetime
    said: Guardian | None
    """None: it cannot be read; nobody's consent is recorded until the operator has mended it."""
    holds: bool
    """Today."""
    decided: tuple[str, ...]
    """``permit``, ``deny``: what of theirs is in force; neither: they were not asked, or have not
    answered."""


class OrderStanding(Struct, frozen=True, kw_only=True):
    """One order of a court."""

    id: str
    version: int
    recorded_at: dt.datetime
    said: CourtOrder | None
    """None: it cannot be read, and is taken to keep somebody away."""
    holds: bool


class Guardians(Struct, frozen=True, kw_only=True):
    """All that is known, the oldest first."""

    household: str
    at: dt.datetime
    guardians: tuple[GuardianStanding, ...]
    orders: tuple[OrderStanding, ...]


async def record_guardian(
    context: Context, caller: Caller, household: str, said: Guardian
) -> RecordedMeasure:
    """Record that somebody has, or has not, parental authority.

    Raises:
        UnknownHousehold: no such household, or not for the caller.
        BadParameter: an unknown code, or an end before its beginning.
        NotAllowed: the caller may not decide for households.
    """
    if said.authority not in AUTHORITIES:
        raise BadParameter("is no kind of authority", where="authority")
    if said.basis not in AUTHORITY_BASES:
        raise BadParameter("is no basis", where="basis")
    fact, _ = await _record(context, caller, GUARDIAN, household, said)
    return measures.recorded(fact)


async def record_order(
    context: Context, caller: Caller, household: str, said: CourtOrder
) -> RecordedOrder:
    """Record what a court ordered.

    Raises:
        UnknownHousehold: no such household, or not for the caller.
        BadParameter: an unknown code, nobody whom it restrains, or an end before its beginning.
        NotAllowed: the caller may not decide for households.
    """
    if said.order not in ORDERS:
        raise BadParameter("is no order of the catalogue", where="order")
    if said.order in authority.TAKES_AWAY | KEEPS_AWAY and said.against is None:
        raise BadParameter("Whom it restrains must be said", where="against")
    fact, shielded = await _record(context, caller, ORDER, household, said)
    advice = ("begin_shield",) if said.order in KEEPS_AWAY and not shielded else ()
    done = measures.recorded(fact)
    return RecordedOrder(
        id=done.id, version=done.version, recorded_at=done.recorded_at, advice=advice
    )


async def _record(
    context: Context, caller: Caller, kind: str, household: str, said: Guardian | CourtOrder
) -> tuple[Fact, bool]:
    """Record a first version; and whether any shield stands."""
    caller.must("record")
    _refuse_turned(said.from_, said.until)
    async with refusing(context, caller, kind, household), change(context, caller) as made:
        household = household if is_household(household) else "unknown"
        found = await anybody_beside(context, made.connection, caller, household)
        must_decide_for(found)
        fact = await _add(made, Fact(kind, new_id(kind[0]), 1, 0, household, ""), said)
        await _log(made, caller, fact)
    question = found.scenario.question
    shields = found.scenario.shields
    return fact, bool(shields.unreadable) or any(
        question is not None and one.in_force(question.now) for one in shields.facts()
    )


async def end(
    context: Context, caller: Caller, kind: str, one: str, until: dt.date
) -> RecordedMeasure:
    """Say from when a guardian's authority or an order holds no more.

    Raises:
        UnknownHousehold: there is none, or none for the caller.
        BadParameter: an end before its beginning, or nobody can read what is there.
        NotAllowed: the caller may not decide for households.
    """
    caller.must("record")
    async with refusing(context, caller, kind, one), change(context, caller) as made:
        id_ = as_given(one)
        known = (await facts.newest(made.connection, kind, [id_])).get(id_)
        household = "unknown" if known is None else str(known.household)
        must_decide_for(await anybody_beside(context, made.connection, caller, household))
        if known is None:
            raise UnknownHousehold(NOT_THERE)
        said = authority.read(known)
        if said is None:
            raise BadParameter("cannot be read; the operator must mend it", where=kind)
        _refuse_turned(said.from_, until)
        ended = msgspec.structs.replace(said, until=until)
        fact = await _add(made, known._replace(version=known.version + 1), ended)
        await _log(made, caller, fact)
    return measures.recorded(fact)


def _refuse_turned(from_: dt.date, until: dt.date | None) -> None:
    if until is not None and until < from_:
        raise BadParameter("lies before it begins", where="until")


async def _add(made: Change, next_: Fact, said: Guardian | CourtOrder) -> Fact:
    written = msgspec.json.encode(said, order="sorted").decode()
    fact = next_._replace(recorded_at=made.at, body=written)
    await facts.add(made.connection, [fact])
    await epochs.bump(made.connection, {epochs.of_household(str(fact.household))})
    return fact


async def _log(made: Change, caller: Caller, fact: Fact) -> None:
    await made.log(
        caller,
        _LOGGED[fact.kind],
        household=fact.household,
        private={"household": fact.household, "said": fact.body},
        public={"basis": f"{fact.id}@{fact.version}"},
    )


async def of_household(context: Context, caller: Caller, household: str, purpose: str) -> Guardians:
    """What is known of a household's guardians, and what each of them said; logged first.

    Raises:
        UnknownHousehold: it is not the caller's, their role has not this purpose, or there is none.
        BadParameter: an unknown purpose.
        NotAllowed: the caller may not decide for households.
        DatabaseUnavailable: it could not be logged, so it is not answered.
    """
    caller.must("record")
    if purpose not in VOCABULARY.purposes:
        raise BadParameter("is no purpose of the vocabulary", where="purpose")

    async def work(gathered: Gathered, actor: Actor) -> Guardians | None:
        if not any(purpose in VOCABULARY.purposes_of_role[role] for role in actor.roles):
            return None
        return _listed(gathered, household)

    return await look(
        context, caller, household, work, kind="list_read", purpose=purpose, private={}
    )


def _listed(gathered: Gathered, household: str) -> Guardians:
    now = gathered.known.now
    day = clock.day_in_japan(now)
    known = [one for one in gathered.known.facts if one.household == household]
    newest = {(one.kind, one.id): one for one in sorted(known, key=lambda one: one.version)}
    people = authority.newest(known, GUARDIAN, Guardian)
    orders = authority.newest(known, ORDER, CourtOrder)
    decided = _decided(newest.values(), now)
    return Guardians(
        household=household,
        at=clock.instant(now),
        guardians=tuple(
            GuardianStanding(
                id=name,
                version=newest[GUARDIAN, name].version,
                recorded_at=clock.instant(newest[GUARDIAN, name].recorded_at),
                said=said,
                holds=said is not None and said.holds(day),
                decided=() if said is None else tuple(sorted(decided.get(said.person, ()))),
            )
            for name, said in people.items()
        ),
        orders=tuple(
            OrderStanding(
                id=name,
                version=newest[ORDER, name].version,
                recorded_at=clock.instant(newest[ORDER, name].recorded_at),
                said=said,
                holds=said is None or said.holds(day),
            )
            for name, said in orders.items()
        ),
    )


def _decided(known: Iterable[Fact], now: int) -> dict[str, set[str]]:
    """By grantor, the effects of what they decided that is in force."""
    found: dict[str, set[str]] = {}
    for one in known:
        if one.kind == consents.KIND and consents.in_force(one, now):
            body = consents.read(one.body)
            found.setdefault(body["grantor"], set()).add(body["effect"])
    return found
