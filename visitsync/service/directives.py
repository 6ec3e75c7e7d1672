"""Consents and refusals: recorded, confirmed and withdrawn, effective for the next question.

By case workers for a household that is theirs, and by the operator at the host's own shell. A
refusal and a withdrawal hold at once, and are acknowledged when no answer from before can still be
on its way; a consent waits for a second person where the municipality asks for one. Each answers a
signed receipt, made once its entry in the access log is durable.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import BadParameter, NotAllowed, NotNow, UnknownHousehold
from visitsync.schema.silent import Struct, silent
from visitsync.service import authority, consents, evidence, leaving, notices, receipts
from visitsync.service.affairs.actors import NOT_THERE, anybody_beside
from visitsync.service.affairs.deciding import must_decide_for
from visitsync.service.affairs.refusing import refusing
from visitsync.service.caller import Caller
from visitsync.service.consents import Body
from visitsync.service.context import Context
from visitsync.service.evidence import Evidence
from visitsync.service.ids import as_given, is_household, new_id
from visitsync.service.receipts import Effective, What
from visitsync.service.writing import Change, change
from visitsync.store import clock, directory, epochs, facts, households, proposals
from visitsync.store.access_log import Row
from visitsync.store.facts import Fact
from visitsync.store.proposals import Proposal


class Draft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A directive before it is recorded; members as in ``consent.md``."""

    household: str
    grantor: str
    effect: Literal["permit", "deny"]
    sources: tuple[str, ...] | Literal["*"]
    recipients: tuple[str, ...] | Literal["*"]
    purposes: tuple[str, ...] | Literal["*"]
    categories: tuple[str, ...] | Literal["*"]
    valid_from: dt.datetime | None = None
    """None: from the instant it is recorded."""
    valid_until: dt.datetime | None = None
    data_from: dt.date = dt.date(2000, 1, 1)
    data_until: dt.date | None = None
    registrations: tuple[str, ...] | Literal["household"] = "household"
    """visitsync's own ids of registrations, or all of the household."""
    notice_version: str


class Withdrawal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who of the family withdraws a directive, and why."""

    reason: Literal["changed_mind", "no_longer_needed", "recorded_wrongly", "not_said"]
    by: str
    """The guardian, by the same id as a grantor: any of them a permit, only its grantor a
    refusal."""


class Recorded(Struct, frozen=True, kw_only=True):
    """What was recorded: cite it as ``id@version``."""

    id: str
    version: int
    recorded_at: dt.datetime
    effective: Effective
    """Whether it holds from now on, or waits for a second person."""
    receipt: str | None
    """A signed note for the family to keep; None where the log's signer is away at this moment."""


@silent
class Found(NamedTuple):
    """A directive by its id: its newest version, or what waits to become its first."""

    fact: Fact | None
    proposal: Proposal | None

    @property
    def household(self) -> str:
        """Whose it is."""
        if self.fact is not None:
            return str(self.fact.household)
        return "" if self.proposal is None else self.proposal.household

    @property
    def body(self) -> Body:
        """What it says.

        Raises:
            NotNow: the rules cannot read it, so that nobody knows what would be changed.
        """
        stored = self.fact or self.proposal
        if stored is None:
            return {}
        said = consents.readable(stored.body, self.household)
        if said is None:
            raise NotNow("It cannot be read; the operator must see to it", where="unreadable")
        return said


async def record(
    context: Context, caller: Caller, draft: Draft, given: Evidence | None = None
) -> Recorded:
    """Record a consent or refusal, with its entry in the access log.

    Raises:
        UnknownHousehold: no such household, or not for the caller.
        BadParameter: it would not be readable, covers nothing, or names what there is not.
        NotNow: it is a consent by somebody known to have no parental authority.
        NotItsMediaType: the evidence is of another type than it says.
        NotAllowed: the caller may not record directives.
    """
    _must_record(caller)
    evidence.refuse_mistaken(given)
    async with (
        refusing(context, caller, "record a directive", draft.household),
        change(context, caller) as made,
    ):
        await _must_decide_for(made, caller, draft.household)
        body = consents.body(draft, made.at)
        consents.refuse_unreadable(body, draft.household, made.at)
        if caller.kind != "operator":
            await refuse_unknown_names(made.connection, draft.household, body)
        await notices.refuse_unsigned(made.connection, body)
        await _refuse_unless_guardian(made, draft.household, body, draft.grantor)
        fact = _fact(new_id("d"), 1, made.at, draft.household, body)
        last = await leaving.last_look(made.connection, draft.household)
        waits = draft.effect == "permit" and await directory.asks_for_second_person(made.connection)
        if waits:
            row = Proposal(fact.id, draft.household, made.at, _who(caller), fact.body)
            await proposals.add(made.connection, row)
        else:
            await facts.add(made.connection, [fact])
        payload = await evidence.keep(made, fact, given)
        entry = await _logged(
            made,
            caller,
            "directive_recorded",
            fact,
            private={"grantor": draft.grantor},
            public={"decision": "proposed" if waits else draft.effect, "payload": payload},
        )
    if draft.effect == "deny":
        await leaving.drained(last, made.at)
    effective: Effective = "once_confirmed" if waits else "at_once"
    return await _recorded(context, "recorded", fact, body, entry, effective)


async def confirm(context: Context, caller: Caller, directive: str) -> Recorded:
    """Confirm, as a second person, a consent that somebody else recorded; from now on it holds.

    Raises:
        UnknownHousehold: no such directive, or not for the caller.
        NotNow: it waits for nobody, was withdrawn, or its grantor lost parental authority
            meanwhile.
        NotAllowed: the caller recorded it, or may not record directives.
    """
    _must_record(caller)
    async with (
        refusing(context, caller, "confirm a directive", directive),
        change(context, caller) as made,
    ):
        found = await find(made.connection, directive)
        await _must_decide_for(made, caller, found.household)
        if found.proposal is None or found.fact is not None:
            raise NotNow("It waits for nobody's confirmation", where="not_waiting")
        if found.proposal.recorded_by == _who(caller):
            raise NotAllowed("Somebody else than who recorded it must confirm it")
        body = found.body
        await _refuse_unless_guardian(made, found.household, body, body["grantor"])
        fact = _fact(directive, 1, made.at, found.household, body)
        await facts.add(made.connection, [fact])
        entry = await _logged(
            made,
            caller,
            "directive_recorded",
            fact,
            private={"recorded_by": found.proposal.recorded_by},
            public={"decision": "confirmed"},
        )
    return await _recorded(context, "confirmed", fact, body, entry)


async def withdraw(
    context: Context, caller: Caller, directive: str, said: Withdrawal | None = None
) -> Recorded:
    """Withdraw a directive: a new version with the instant, by the database's clock.

    Args:
        context: of the installation.
        caller: who records it.
        directive: its id.
        said: who of the family withdraws it; None only for the operator.

    Raises:
        UnknownHousehold: no such directive, or not for the caller.
        BadParameter: nobody of the family is named.
        NotNow: it is withdrawn already, or is a refusal of somebody else, or who withdraws
            somebody else's consent is known to have no parental authority.
        NotAllowed: the caller may not record directives.
    """
    _must_record(caller)
    async with (
        refusing(context, caller, "withdraw a directive", directive),
        change(context, caller) as made,
    ):
        found = await find(made.connection, directive)
        await _must_decide_for(made, caller, found.household)
        refuse_unless_theirs(found.body, caller, said)
        if said is not None and said.by != found.body["grantor"]:
            await _refuse_unless_guardian(made, found.household, found.body, said.by)
        last = await leaving.last_look(made.connection, found.household)
        body = consents.withdrawn(found.body, made.at)
        version = 1 if found.fact is None else found.fact.version + 1
        fact = _fact(directive, version, made.at, found.household, body)
        await facts.add(made.connection, [fact])
        entry = await _logged(
            made,
            caller,
            "directive_withdrawn",
            fact,
            private={} if said is None else {"reason": said.reason, "by": said.by},
            public={},
        )
    await leaving.drained(last, made.at)
    return await _recorded(context, "withdrawn", fact, body, entry)


def refuse_unless_theirs(body: Body, caller: Caller, said: Withdrawal | None) -> None:
    """Go on only with a directive that stands and that who withdraws it may withdraw.

    Raises:
        BadParameter: nobody of the family is named.
        NotNow: it does not stand, or is not theirs to withdraw. That tells who is its grantor,
            or is not, so it is logged (`refusing`).
    """
    if said is None and caller.kind != "operator":
        raise BadParameter("Who withdraws it must be said", where="by")
    if body["withdrawn_at"] is not None:
        raise NotNow("It is withdrawn already", where="withdrawn")
    if said is not None and body["effect"] != "permit" and said.by != body["grantor"]:
        raise NotNow("Only who refused withdraws a refusal", where="not_theirs")


async def find(connection: AsyncConnection, directive: str) -> Found:
    """A directive by its id; empty where there is none."""
    one = as_given(directive)
    known = await facts.newest(connection, consents.KIND, [one])
    return Found(known.get(one), await proposals.by_id(connection, one))


async def refuse_unknown_names(connection: AsyncConnection, household: str, body: Body) -> None:
    """Go on only if all that a directive names is there.

    Raises:
        BadParameter: for an agency, office or registration that is not.
    """
    known = await directory.read(connection, with_ended=True)
    members = await households.members(connection, [household])
    consents.refuse_unknown_names(
        body,
        agencies={one["id"] for one in known.agencies},
        offices={one["id"] for one in known.offices},
        registrations={one.id for one in members[household]},
    )


async def _refuse_unless_guardian(made: Change, household: str, body: Body, person: str) -> None:
    known = (await facts.of_household(made.connection, household)).values()
    authority.refuse_lost(known, body, person, clock.day_in_japan(made.at))


def _must_record(caller: Caller) -> None:
    caller.must("operate" if caller.kind == "operator" else "record")


async def _must_decide_for(made: Change, caller: Caller, household: str) -> None:
    known = household if is_household(household) else "unknown"
    if caller.kind != "operator":
        must_decide_for(await anybody_beside(made.context, made.connection, caller, known))
    elif not await households.exists(made.connection, known):
        raise UnknownHousehold(NOT_THERE)


async def _logged(  # noqa: PLR0913 -- who, what, about which directive
    made: Change,
    caller: Caller,
    kind: str,
    fact: Fact,
    *,
    private: dict[str, str],
    public: dict[str, str | None],
) -> Row:
    """Raise the household's epoch and write the entry."""
    await epochs.bump(made.connection, {epochs.of_household(str(fact.household))})
    return await made.log(
        caller,
        kind,
        household=fact.household,
        private={"household": fact.household, **private},
        public={"basis": f"{fact.id}@{fact.version}", **public},
    )


def _who(caller: Caller) -> str:
    return f"{caller.kind}:{caller.id}"


def _fact(name: str, version: int, at: int, household: str, body: Body) -> Fact:
    return Fact(consents.KIND, name, version, at, household, consents.written(body))


async def _recorded(  # noqa: PLR0913, PLR0917 -- all that a receipt says
    context: Context,
    what: What,
    fact: Fact,
    body: Body,
    entry: Row,
    effective: Effective = "at_once",
) -> Recorded:
    return Recorded(
        id=fact.id,
        version=fact.version,
        recorded_at=clock.instant(fact.recorded_at),
        effective=effective,
        receipt=await receipts.signed(context, what, fact, body, entry, effective),
    )
