"""A household's invocations, and the requests that wait: for who keeps them or decides on them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import Struct
from visitsync.service import entries, listing, measures
from visitsync.service.affairs.actors import DECIDERS
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.invocations import ASKERS, has_lapsed
from visitsync.service.keyring import LOG
from visitsync.service.measures import INVOCATION
from visitsync.store import clock, data_keys, facts, invocations
from visitsync.store.facts import Fact
from visitsync.store.invocations import Request

State: TypeAlias = Literal["waiting", "lapsed", "in_force", "ended"]


class InvocationStanding(Struct, frozen=True, kw_only=True):
    """One request, and what became of it."""

    id: str
    state: State
    basis: str
    recipients: tuple[str, ...]
    categories: tuple[str, ...]
    asked_by: str
    asked_at: dt.datetime
    reason: str | None
    """Of one that waits, for who may approve it; else None."""
    version: int | None
    """None: it was not approved."""
    approved_by: str | None
    approver_role: str | None
    approved_at: dt.datetime | None
    valid_until: dt.datetime
    shield: str | None
    """Past which it opens an address."""
    confirmed_by: str | None


class Invocations(Struct, frozen=True, kw_only=True):
    """All that were ever asked for, the oldest first."""

    household: str
    at: dt.datetime
    invocations: tuple[InvocationStanding, ...]


async def of_household(
    context: Context, caller: Caller, household: str, purpose: str
) -> Invocations:
    """What was asked for and approved for a household; logged before it is answered.

    Raises:
        UnknownHousehold: no such household, or the caller may not know of it, or is blocked, or
            their role has not this purpose.
        BadParameter: an unknown purpose.
        NotAllowed: the caller's role neither asks nor approves.
    """
    async with listing.listing(context, caller, household, purpose, ASKERS) as (made, found):
        rows = await invocations.of_household(made.connection, household)
        ids = [one.id for one in rows]
        versions = await facts.history(made.connection, INVOCATION, ids)
        reasons: Mapping[str, str] = {}
        if not found.actor.roles.isdisjoint(DECIDERS):
            reasons = await _reasons(context, made.connection, household)
        await listing.log(made, caller, "invocations", household, purpose, ids)
    return Invocations(
        household=household,
        at=clock.instant(made.at),
        invocations=tuple(
            _standing(row, [each for each in versions if each.id == row.id], reasons, made.at)
            for row in rows
        ),
    )


async def _reasons(
    context: Context, connection: AsyncConnection, household: str
) -> Mapping[str, str]:
    """Why each was asked for, by id; it stands in the access log alone."""
    keys = context.keyring.opened(await data_keys.of_households(connection, [household]))
    key = keys.get((household, "", LOG))
    found = {}
    for row in await invocations.log_entries(connection, household):
        if row.private is not None and key is not None:
            name = str(msgspec.json.decode(row.leaf)["basis"]).partition(" ")[0]
            found[name] = str(entries.open_private(context.keyring, key, row)["reason"])
    return found


def _standing(
    row: Request, versions: list[Fact], reasons: Mapping[str, str], now: int
) -> InvocationStanding:
    said = msgspec.json.decode(row.body, type=dict[str, Any])
    body = measures.body_of(versions[-1]) if versions else {}
    until = body["valid"]["until"] if body else said["until"]
    state: State = "lapsed" if has_lapsed(row, said, now) else "waiting"
    if body:
        state = "in_force" if now < clock.stored_text(until) else "ended"
    return InvocationStanding(
        id=row.id,
        state=state,
        basis=said["basis"],
        recipients=tuple(said["recipients"]),
        categories=tuple(said["categories"]),
        asked_by=row.asked_by,
        asked_at=clock.instant(row.asked_at),
        reason=reasons.get(row.id) if state == "waiting" else None,
        version=versions[-1].version if versions else None,
        approved_by=body.get("approved_by"),
        approver_role=body.get("approver_role"),
        approved_at=clock.instant(versions[0].recorded_at) if versions else None,
        valid_until=dt.datetime.fromisoformat(until),
        shield=body.get("shield"),
        confirmed_by=body.get("confirmed_by"),
    )
