"""A household's directives, and where each stands: for who keeps them in order with the family."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, TypeAlias

import msgspec

from visitsync.errors import BadParameter
from visitsync.schema.silent import Struct
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service import authority, consents
from visitsync.service.affairs.actors import Actor
from visitsync.service.affairs.looking import look
from visitsync.service.caller import Caller
from visitsync.service.consents import Body
from visitsync.service.context import Context
from visitsync.service.gathering import Gathered
from visitsync.store import clock, evidence, notices, proposals
from visitsync.store.facts import Fact

State: TypeAlias = Literal[
    "in_force", "refused", "not_begun", "not_confirmed", "expired", "withdrawn", "unreadable"
]
Reason: TypeAlias = Literal["newer_notice", "expiring", "authority_lost"]

_EVERYTHING: Final = "*"
_SOON: Final = 30 * 86_400_000_000


class DirectiveStanding(Struct, frozen=True, kw_only=True):
    """One directive as it is now."""

    id: str
    version: int
    recorded_at: dt.datetime
    """Of this version."""
    state: State
    """``refused``: a refusal that is in force. ``unreadable``: it is damaged or of a newer release,
    and refuses everything."""
    expires_at: dt.datetime | None
    ask_again: tuple[Reason, ...]
    """Why the family should be asked again; only of what is in force or will be."""
    evidence: str | None
    """``paper`` or ``electronic``; None where none was handed in."""
    grantor: str | None
    """Like all else that is null here, of an unreadable one nobody knows it."""
    effect: str
    sources: Any
    recipients: Any
    purposes: Any
    categories: Any
    registrations: Any
    valid_from: dt.datetime | None
    data_from: dt.date | None
    data_until: dt.date | None
    notice_version: str | None
    withdrawn_at: dt.datetime | None


class Directives(Struct, frozen=True, kw_only=True):
    """All that a household's family ever decided, the oldest first."""

    household: str
    at: dt.datetime
    newest_notice: str | None
    directives: tuple[DirectiveStanding, ...]


async def of_household(
    context: Context, caller: Caller, household: str, purpose: str
) -> Directives:
    """The directives of a household; logged before it is answered.

    Raises:
        UnknownHousehold: it is not the caller's, their role has not this purpose, or there is none.
        BadParameter: an unknown purpose.
        NotAllowed: the caller may not record directives.
        DatabaseUnavailable: it could not be logged, so it is not answered.
    """
    caller.must("record")
    if purpose not in VOCABULARY.purposes:
        raise BadParameter("is no purpose of the vocabulary", where="purpose")

    async def work(gathered: Gathered, actor: Actor) -> Directives | None:
        if not any(purpose in VOCABULARY.purposes_of_role[role] for role in actor.roles):
            return None
        return await _listed(context, gathered, household)

    return await look(
        context, caller, household, work, kind="list_read", purpose=purpose, private={}
    )


async def _listed(context: Context, gathered: Gathered, household: str) -> Directives:
    now = gathered.known.now
    async with context.database.reading() as connection:
        waiting = await proposals.of_household(connection, household)
        kinds = await evidence.kinds(connection, household)
        versions = [one.version for one in await notices.known(connection)]
    newest = {
        one.id: one
        for one in sorted(gathered.known.facts, key=lambda one: one.version)
        if one.kind == consents.KIND and one.household == household
    }
    listed = [
        _standing(
            (one.id, one.version, one.recorded_at),
            consents.readable(one.body, household),
            now,
            versions,
            kinds.get(one.id),
        )
        for one in newest.values()
    ]
    listed += [
        _standing(
            (one.directive, 1, one.recorded_at),
            consents.readable(one.body, household),
            now,
            versions,
            kinds.get(one.directive),
            waits=True,
        )
        for one in waiting
        if one.directive not in newest
    ]
    return Directives(
        household=household,
        at=clock.instant(now),
        newest_notice=versions[-1] if versions else None,
        directives=tuple(
            _with_authority(gathered.known.facts, one, now) for one in sorted(listed, key=_by_age)
        ),
    )


def _with_authority(known: Sequence[Fact], one: DirectiveStanding, now: int) -> DirectiveStanding:
    """Ask again, too, for a consent of somebody who has lost parental authority since."""
    stands = one.effect == "permit" and one.state not in {"expired", "withdrawn"}
    if stands and authority.has_lost(known, one.grantor, clock.day_in_japan(now)):
        return msgspec.structs.replace(one, ask_again=(*one.ask_again, "authority_lost"))
    return one


def _standing(  # noqa: PLR0913 -- which version, what it says, beside what is known
    which: tuple[str, int, int],
    body: Body | None,
    now: int,
    versions: Sequence[str],
    kind: str | None,
    *,
    waits: bool = False,
) -> DirectiveStanding:
    name, version, at = which
    if body is None:
        return _unreadable(which, kind)
    until = _instant(body["valid"]["until"])
    state = _state(body, now, waits=waits)
    return DirectiveStanding(
        id=name,
        version=version,
        recorded_at=clock.instant(at),
        state=state,
        expires_at=until,
        ask_again=tuple(_reasons(body, state, now, versions)),
        evidence=kind,
        grantor=body["grantor"],
        effect=body["effect"],
        sources=body["sources"],
        recipients=body["recipients"],
        purposes=body["purposes"],
        categories=body["categories"],
        registrations=body["registrations"],
        valid_from=dt.datetime.fromisoformat(body["valid"]["from"]),
        data_from=dt.date.fromisoformat(body["data"]["from"]),
        data_until=None
        if body["data"]["until"] is None
        else dt.date.fromisoformat(body["data"]["until"]),
        notice_version=body["notice_version"],
        withdrawn_at=_instant(body["withdrawn_at"]),
    )


def _unreadable(which: tuple[str, int, int], kind: str | None) -> DirectiveStanding:
    """One that the rules cannot read: listed as what it counts as (C10)."""
    name, version, at = which
    return DirectiveStanding(
        id=name,
        version=version,
        recorded_at=clock.instant(at),
        state="unreadable",
        expires_at=None,
        ask_again=(),
        evidence=kind,
        grantor=None,
        effect="deny",
        sources=_EVERYTHING,
        recipients=_EVERYTHING,
        purposes=_EVERYTHING,
        categories=_EVERYTHING,
        registrations="household",
        valid_from=None,
        data_from=None,
        data_until=None,
        notice_version=None,
        withdrawn_at=None,
    )


def _by_age(one: DirectiveStanding) -> tuple[dt.datetime, str]:
    return one.valid_from or one.recorded_at, one.id


def _state(body: Body, now: int, *, waits: bool) -> State:
    if body["withdrawn_at"] is not None:
        return "withdrawn"
    until = body["valid"]["until"]
    if until is not None and clock.stored_text(until) <= now:
        return "expired"
    if waits:
        return "not_confirmed"
    if now < clock.stored_text(body["valid"]["from"]):
        return "not_begun"
    return "in_force" if body["effect"] == "permit" else "refused"


def _reasons(body: Body, state: State, now: int, versions: Sequence[str]) -> Iterable[Reason]:
    if state in {"expired", "withdrawn"}:
        return
    # Nobody is asked again for a refusal because the words of the consent have changed.
    if versions and body["effect"] == "permit" and body["notice_version"] != versions[-1]:
        yield "newer_notice"
    until = body["valid"]["until"]
    if until is not None and clock.stored_text(until) - now <= _SOON:
        yield "expiring"


def _instant(written: str | None) -> dt.datetime | None:
    return None if written is None else dt.datetime.fromisoformat(written)
