"""A lift: one document, one recipient, 15 minutes, two people, past one shield, once.

A block that was lifted "for a request" has let a second clerk hand the address out as well. So a
lift is bound to who uses it and for what, and ends with its use. It permits nothing by itself: the
rules are asked what the recipient would see if this one shield allowed them, so every other shield,
block and missing consent still holds, and of that only address and telephone come out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from visitsync.consent import Decision, release
from visitsync.errors import BadParameter, NotAllowed, NotNow, UnknownHousehold
from visitsync.schema.protection import DOCUMENTS
from visitsync.schema.silent import Struct
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service import entries, measures
from visitsync.service.affairs.actors import DECIDERS, FIRST
from visitsync.service.affairs.refusing import refusing
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.gathering import Gathered, current, decisions, gather
from visitsync.service.ids import as_given, new_id
from visitsync.service.measures import SHIELD
from visitsync.service.timelines import reported_of
from visitsync.service.writing import Change, change
from visitsync.store import clock, directory, protection
from visitsync.store.facts import Fact
from visitsync.store.protection import Lift
from visitsync.store.visits import Stored

_MINUTE: Final = 60_000_000
_VALID: Final = 15 * _MINUTE
_LAPSES: Final = 24 * 60 * _MINUTE
"""A request that nobody approved within a day is made anew."""
_CONTACT: Final = "contact"
ACKNOWLEDGES: Final = "Accept-Protected"
"""What a client says so with."""
_TOLD: Final = ("address", "postal_code", "phone")


class LiftDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For whom, for which document, and why."""

    recipient: str
    """``viewer:ID``."""
    document: str
    """A code of ``protection.toml``."""
    reason: Annotated[str, Meta(min_length=1, max_length=2000)]
    """Kept in the sealed part of the access log and nowhere else."""


class LiftUse(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the recipient looks for."""

    purpose: str


class LiftStanding(Struct, frozen=True, kw_only=True):
    """Where a lift stands."""

    id: str
    usable_until: dt.datetime | None
    """None: it waits for a second person."""


class WhereTheyAre(Struct, frozen=True, kw_only=True):
    """What one person's entry in the newest report says; no name."""

    address: str | None = None
    postal_code: str | None = None
    phone: str | None = None


class Lifted(Struct, frozen=True, kw_only=True):
    """Address and telephone for one document, answered once."""

    id: str
    shield: str
    document: str
    protected: bool
    """Always true: whatever is made of this must carry it (住所の保護)."""
    persons: tuple[WhereTheyAre, ...]


async def ask(context: Context, caller: Caller, shield: str, draft: LiftDraft) -> LiftStanding:
    """Ask for a lift; nothing is opened by asking.

    Raises:
        UnknownHousehold: no such shield, or the caller may not know of its household.
        BadParameter: an unknown document or recipient, or no reason.
        NotNow: the shield is closed.
        NotAllowed: the caller's role does not ask.
    """
    caller.must("record")
    if draft.document not in DOCUMENTS:
        raise BadParameter("is no document of the catalogue", where="document")
    if not draft.reason.strip():
        raise BadParameter("says nothing", where="reason")
    async with refusing(context, caller, "lift", shield), change(context, caller) as made:
        fact = await _shield(context, made, caller, shield, FIRST)
        people = {f"viewer:{one['id']}" for one in (await directory.read(made.connection)).staff}
        if draft.recipient not in people:
            raise BadParameter("is nobody of the directory", where="recipient")
        row = Lift(
            id=new_id("l"),
            shield=shield,
            household=str(fact.household),
            recipient=draft.recipient,
            document=draft.document,
            asked_by=caller.id,
            asked_at=made.at,
            approved_by=None,
            approved_at=None,
            used_at=None,
        )
        await protection.add_lift(made.connection, row)
        await _log(made, caller, "lift_requested", row, {"reason": draft.reason})
    return LiftStanding(id=row.id, usable_until=None)


async def approve(context: Context, caller: Caller, one: str) -> LiftStanding:
    """Approve a lift that somebody else asked for; from now on it can be used for 15 minutes.

    Raises:
        UnknownHousehold: no such lift, or the caller may not know of its household.
        NotNow: it was approved already, has lapsed, or its shield is closed.
        NotAllowed: the caller asked or would receive it, or is neither supervisor nor protection
            officer.
    """
    caller.must("record")
    async with refusing(context, caller, "lift", one), change(context, caller) as made:
        row = await protection.lift_of(made.connection, as_given(one))
        shield = "" if row is None else row.shield
        await _shield(context, made, caller, shield, DECIDERS)
        if row is None:
            raise UnknownHousehold("No such lift, or none for you")
        if caller.id == row.asked_by or row.recipient == f"viewer:{caller.id}":
            raise NotAllowed("Somebody else must approve it")
        if row.approved_at is not None:
            raise NotNow("It was approved already", where="approved")
        if made.at - row.asked_at > _LAPSES:
            raise NotNow("It was asked for too long ago", where="lapsed")
        await protection.approve_lift(made.connection, one, caller.id, made.at)
        await _log(made, caller, "lift_approved", row, {})
    return LiftStanding(id=one, usable_until=clock.instant(made.at + _VALID))


async def use(
    context: Context, caller: Caller, one: str, purpose: str, *, acknowledged: bool = False
) -> Lifted:
    """Answer address and telephone, to the recipient, once.

    Args:
        context: of the installation.
        caller: the recipient.
        one: the lift's id.
        purpose: what for.
        acknowledged: whether the client heeds the flag that a household is protected.

    Raises:
        UnknownHousehold: no such lift, it is another person's, or the rules show the recipient no
            address even past this shield; then it is not used up.
        NotNow: it was used, was not approved, or was approved more than 15 minutes ago.
        BadParameter: an unknown purpose, or the client does not heed the flag; then the lift is not
            used up.
        NotAllowed: the caller is no member of staff.
    """
    caller.must("read")
    if caller.kind != "staff":
        raise NotAllowed("A lift is for one member of staff")
    if purpose not in VOCABULARY.purposes:
        raise BadParameter("is no purpose of the vocabulary", where="purpose")
    if not acknowledged:
        raise BadParameter(
            "Only a client that heeds a protection gets an address", where=ACKNOWLEDGES
        )
    async with refusing(context, caller, "lift", one), change(context, caller) as made:
        row = await protection.lift_of(made.connection, as_given(one))
        if row is None or row.recipient != f"viewer:{caller.id}":
            raise UnknownHousehold("No such lift, or none for you")
        _refuse_unusable(row, made.at)
        # The head is held, so no fact changes between this reading and the end.
        gathered = _past(await gather(context, caller, [row.household]), row)
        chosen = _newest(gathered, decisions(gathered, caller.id, purpose, row.household))
        if chosen is None:
            raise UnknownHousehold("No such lift, or none for you")
        decision, stored = chosen
        reported = reported_of(context, gathered, stored)
        (shown,) = release([decision], {stored.id: reported.line}).shown
        await protection.use_lift(made.connection, one, made.at)
        await made.log(
            caller,
            "lift_used",
            household=row.household,
            private={
                "household": row.household,
                "records": [stored.id],
                "document": row.document,
                "reasons": sorted(f"{why.rule}:{why.ref}" for why in shown.why),
            },
            public={
                "basis": f"{one} C7:{row.shield}",
                "decision": "shown",
                "purpose": purpose,
                "records": 1,
                "rule": entries.RULES,
            },
        )
    return Lifted(
        id=one,
        shield=row.shield,
        document=row.document,
        protected=True,
        persons=tuple(_persons(shown.fields.get("persons"))),
    )


def _refuse_unusable(row: Lift, now: int) -> None:
    if row.used_at is not None:
        raise NotNow("It was used", where="used")
    if row.approved_at is None:
        raise NotNow("It waits for a second person", where="not_approved")
    if now - row.approved_at > _VALID:
        raise NotNow("Its 15 minutes have passed", where="late")


async def _shield(
    context: Context, made: Change, caller: Caller, shield: str, roles: tuple[str, ...]
) -> Fact:
    """The shield, still in force, beside which the caller may act."""
    fact, body = await measures.known(context, made, caller, (SHIELD, shield), roles)
    if body["closed_at"] is not None:
        raise NotNow("The shield is closed", where="closed")
    return fact


def _past(gathered: Gathered, row: Lift) -> Gathered:
    """What is known, as if this one shield allowed the recipient."""
    return gathered._replace(
        known=gathered.known._replace(facts=[_allowing(one, row) for one in gathered.known.facts])
    )


def _allowing(fact: Fact, row: Lift) -> Fact:
    if (fact.kind, fact.id) != (SHIELD, row.shield):
        return fact
    body = msgspec.json.decode(fact.body, type=measures.Body)
    body["allowed"] = [*body["allowed"], row.recipient]
    return fact._replace(body=msgspec.json.encode(body).decode())


def _newest(gathered: Gathered, answers: Iterable[Decision]) -> tuple[Decision, Stored] | None:
    """The newest report whose address the rules show, cut down to what tells where they are."""
    shown = {one.record: one for one in answers if _CONTACT in one.visible}
    fitting = [one for one in current(gathered.visits) if one.id in shown and one.state == "active"]
    if not fitting:
        return None
    newest = max(fitting, key=lambda one: (one.day, one.recorded_at, one.id))
    decision = shown[newest.id]
    cut = msgspec.structs.replace(
        decision,
        visible=(_CONTACT,),
        withheld_fields=("visitors",),
        reasons=tuple(why for why in decision.reasons if why.category == _CONTACT),
    )
    return cut, newest


def _persons(found: Any) -> Iterable[WhereTheyAre]:  # noqa: ANN401 -- released JSON
    for one in found or ():
        said = {name: one.get(name) for name in _TOLD}
        if any(value is not None for value in said.values()):
            yield WhereTheyAre(**said)


async def _log(made: Change, caller: Caller, kind: str, row: Lift, private: dict[str, str]) -> None:
    await made.log(
        caller,
        kind,
        household=row.household,
        private={
            "household": row.household,
            "recipient": row.recipient,
            "document": row.document,
            **private,
        },
        public={"basis": f"{row.id} C7:{row.shield}"},
    )
