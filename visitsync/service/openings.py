"""Opening one shield for a law that was invoked or an emergency access (C7), by another person.

Somebody who neither asked nor looks confirms that who looks is not connected with the person whom
the family hides from. It is a new version of the invocation or grant, for one shield; every other
shield in force still hides the address.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from visitsync.errors import NotAllowed, NotNow, UnknownHousehold
from visitsync.schema.silent import Struct
from visitsync.service import measures, messages
from visitsync.service.affairs.actors import DECIDERS, NOT_THERE, Beside
from visitsync.service.affairs.refusing import refusing
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.ids import as_given
from visitsync.service.measures import GRANT, SHIELD, Body, RecordedMeasure
from visitsync.service.writing import Change, change
from visitsync.store import clock, facts

Kind: TypeAlias = Literal["break_glass", "invocation"]

_CONTACT: Final = "contact"


class ShieldOpening(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For which shield it is confirmed."""

    shield: str


async def confirm(
    context: Context, caller: Caller, kind: Kind, one: str, said: ShieldOpening
) -> RecordedMeasure:
    """Confirm that who looks is not connected with the person whom the shield hides from.

    Raises:
        UnknownHousehold: no such grant, invocation or shield, the shield is another household's,
            or the caller may not know of the household, or is blocked.
        NotNow: it, or the shield, is not in force, or it opens no address.
        NotAllowed: the caller asked, or is somebody to whom it opens the address, or is neither
            supervisor nor protection officer.
    """
    caller.must("record")
    async with refusing(context, caller, "open shield", one), change(context, caller) as made:
        fact, body, found = await measures.known_unblocked(
            context, made, caller, (kind, one), DECIDERS
        )
        _refuse_involved(kind, body, found)
        _refuse_useless(kind, body, made.at)
        await _refuse_other_shield(made, str(fact.household), as_given(said.shield))
        role = next(role for role in DECIDERS if role in found.actor.roles)
        body |= {"shield": said.shield, "confirmed_by": caller.id, "confirmer_role": role}
        fact = await measures.add(made, measures.later(fact), body)
        await messages.tell_officers(made, found.actor.agency, "shield_opened", one)
        await made.log(
            caller,
            "shield_opened",
            household=fact.household,
            private={"household": fact.household, "role": role},
            public={"basis": f"{one}@{fact.version} C7:{said.shield}", "decision": "confirmed"},
        )
    return measures.recorded(fact)


def _refuse_involved(kind: Kind, body: Body, found: Beside) -> None:
    """Nobody vouches for themselves.

    A list that names a whole agency names no person: nobody of the municipality could confirm
    then. The rules keep the address from who confirmed all the same.
    """
    me, viewer = found.actor, found.viewer
    asked_by = body["viewer"] if kind == GRANT else body["requested_by"]
    named = frozenset[str]() if viewer is None else viewer.names() - {f"agency:{me.agency}"}
    involved = me.id == asked_by or not named.isdisjoint(body.get("recipients", ()))
    if viewer is None or involved:
        raise NotAllowed("Somebody else must confirm it, to whom it opens nothing")


def _refuse_useless(kind: Kind, body: Body, now: int) -> None:
    until = body["until"] if kind == GRANT else body["valid"]["until"]
    if clock.stored_text(until) <= now or body.get("review") == "unjustified":
        raise NotNow("It has ended", where="ended")
    if _CONTACT not in body["categories"]:
        raise NotNow("It opens no address", where="no_contact")


async def _refuse_other_shield(made: Change, household: str, shield: str) -> None:
    found = (await facts.newest(made.connection, SHIELD, [shield])).get(shield)
    if found is None or found.household != household:
        raise UnknownHousehold(NOT_THERE)
    body = measures.body_of(found)
    if body["closed_at"] is not None or clock.stored_text(body["from"]) > made.at:
        raise NotNow("The shield is not in force", where="shield")
