"""Who may know of a household when its protection is at stake, and who never may.

A shield or block is recorded by people who know the family already; for everybody else there is no
such household. Whoever a block names as a person gets that same answer, whatever their role.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import UnknownHousehold
from visitsync.service.affairs.actors import NOT_THERE, OFFICER, PROTECTOR, Beside
from visitsync.service.ids import is_household
from visitsync.store import clock, households, protection


async def must_exist(connection: AsyncConnection, found: Beside) -> None:
    """Go on only where there is such a household and it is not hidden from them.

    Raises:
        UnknownHousehold: otherwise; one answer for both.
    """
    one = found.household
    there = await households.exists(connection, one if is_household(one) else "")
    if not there or found.is_hidden_from():
        raise UnknownHousehold(NOT_THERE)


async def must_know(connection: AsyncConnection, found: Beside) -> None:
    """Go on only for who may know of the household already.

    They answer for it or stand over somebody who does, sit in its council case, work for an office
    that holds its records, or protect families by their role: the council's coordinating desk
    (要対協調整機関) and the protection officer.

    Raises:
        UnknownHousehold: otherwise; the same answer as for none.
    """
    # Asked of every id, so that it takes as long for none as for one that is not theirs.
    holds_records = await _holds_records(connection, found)
    await must_exist(connection, found)
    actor = found.actor
    if not (
        actor.answers_for
        or actor.stands_over
        or not actor.roles.isdisjoint({PROTECTOR, OFFICER})
        or _sits_in_council(found)
        or holds_records
    ):
        raise UnknownHousehold(NOT_THERE)


async def must_know_unblocked(connection: AsyncConnection, found: Beside) -> None:
    """As `must_know`, and no block names them in any way, by their office or agency either.

    Raises:
        UnknownHousehold: otherwise.
    """
    await must_know(connection, found)
    if found.is_blocked():
        raise UnknownHousehold(NOT_THERE)


def _sits_in_council(found: Beside) -> bool:
    question, viewer = found.scenario.question, found.viewer
    return (
        question is not None
        and viewer is not None
        and viewer.council_member
        and any(
            case.is_open(question.now) and not viewer.names().isdisjoint(case.members)
            for case in found.scenario.council_cases.permitting()
        )
    )


async def _holds_records(connection: AsyncConnection, found: Beside) -> bool:
    own = () if found.viewer is None else found.viewer.offices
    members = await households.members(connection, [found.household])
    return any(one.office in own for one in members[found.household])


async def hidden_from(connection: AsyncConnection, viewer: str) -> frozenset[str]:
    """The households that are hidden from somebody by name, for leaving them out of lists."""
    newest = {one.id: one for one in await protection.every(connection, "block")}
    now = await clock.now(connection)
    found = set()
    for one in newest.values():
        body = msgspec.json.decode(one.body, type=dict[str, Any])
        closed = body.get("closed_at") is not None
        begun = clock.stored(dt.datetime.fromisoformat(body["from"])) <= now
        if begun and not closed and f"viewer:{viewer}" in body["who"]:
            found.add(str(one.household))
    return frozenset(found)
