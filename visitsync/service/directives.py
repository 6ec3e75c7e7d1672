"""Consents and refusals: recorded and withdrawn, effective for the next question."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from visitsync.errors import BadParameter, UnknownHousehold
from visitsync.service import consents
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.ids import new_id
from visitsync.service.writing import change
from visitsync.store import clock, epochs, facts, households
from visitsync.store.facts import Fact


class Draft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
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


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What was recorded: cite it as ``id@version``."""

    id: str
    version: int
    recorded_at: dt.datetime


async def record(context: Context, caller: Caller, draft: Draft) -> Recorded:
    """Record a consent or refusal, with its entry in the access log.

    Raises:
        UnknownHousehold: no such household.
        BadParameter: it would not be readable, or covers nothing.
        NotAllowed: the caller may not record directives.
    """
    caller.must("operate")
    async with change(context, caller) as made:
        if not await households.exists(made.connection, draft.household):
            raise UnknownHousehold("No such household")
        body = consents.body(draft, made.at)
        consents.refuse_unreadable(body, draft.household, made.at)
        fact = Fact(consents.KIND, new_id("d"), 1, made.at, draft.household, consents.written(body))
        await facts.add(made.connection, [fact])
        await epochs.bump(made.connection, {epochs.of_household(draft.household)})
        await made.log(
            caller,
            "directive_recorded",
            household=draft.household,
            private={"household": draft.household, "grantor": draft.grantor},
            public={"basis": f"{fact.id}@1", "decision": draft.effect},
        )
    return _recorded(fact)


async def withdraw(context: Context, caller: Caller, directive: str) -> Recorded:
    """Withdraw a directive: a new version with the instant, by the database's clock.

    Raises:
        BadParameter: no such directive, or withdrawn already.
        NotAllowed: the caller may not record directives.
    """
    caller.must("operate")
    async with change(context, caller) as made:
        known = (await facts.newest(made.connection, consents.KIND, [directive])).get(directive)
        body = None if known is None else msgspec.json.decode(known.body)
        if known is None or body is None or body["withdrawn_at"] is not None:
            raise BadParameter("No such directive, or it is withdrawn already", where="directive")
        body["withdrawn_at"] = clock.written(made.at)
        fact = known._replace(
            version=known.version + 1, recorded_at=made.at, body=consents.written(body)
        )
        await facts.add(made.connection, [fact])
        await epochs.bump(made.connection, {epochs.of_household(str(fact.household))})
        await made.log(
            caller,
            "directive_withdrawn",
            household=fact.household,
            private={"household": fact.household},
            public={"basis": f"{fact.id}@{fact.version}"},
        )
    return _recorded(fact)


def _recorded(fact: Fact) -> Recorded:
    return Recorded(id=fact.id, version=fact.version, recorded_at=clock.instant(fact.recorded_at))
