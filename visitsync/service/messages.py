"""Telling offices and members of staff that something happened, without saying to whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import BadParameter
from visitsync.schema.protection import MESSAGES
from visitsync.schema.silent import Struct
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service import consents
from visitsync.service.affairs import knowing
from visitsync.service.affairs.actors import OFFICER, SUPERVISOR, Beside, beside
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.ids import as_given, new_id
from visitsync.service.measures import SHIELD
from visitsync.service.writing import Change, change
from visitsync.store import clock, facts, households, messages

_MOST: Final = 1000
_ANYBODY: Final = tuple(VOCABULARY.roles)


class Message(Struct, frozen=True, kw_only=True):
    """What a reader is told."""

    id: str
    to: str
    """``office:ID`` or ``staff:ID``."""
    kind: str
    about: str
    """The id of an emergency access, invocation, shield, block or consent; of nobody."""
    household: str | None
    """Whose consent or shield it is, for who answers for the household now."""
    at: dt.datetime
    read_at: dt.datetime | None
    """When somebody first read it; None: this is the first time."""


class Messages(Struct, frozen=True, kw_only=True):
    """The newest first."""

    messages: tuple[Message, ...]
    cursor: str | None
    """Where the next page begins."""


async def tell(made: Change, readers: Collection[str], kind: str, about: str) -> None:
    """Write a message to each of `readers`, in the transaction of what it tells of."""
    if kind not in MESSAGES:
        raise KeyError(kind)
    rows = [
        messages.Message(new_id("m"), one, kind, made.at, about, None) for one in sorted(readers)
    ]
    await messages.add(made.connection, rows)


async def tell_officers(made: Change, agency: str, kind: str, about: str) -> None:
    """Write it to the protection officers; where there are none, to an agency's supervisors."""
    officers = await messages.staff_with_role(made.connection, OFFICER)
    readers = set(officers)
    if not readers:
        chiefs = await messages.staff_with_role(made.connection, SUPERVISOR)
        readers = {one for one, of in chiefs.items() if of == agency}
    await tell(made, {f"staff:{one}" for one in readers}, kind, about)


async def tell_source_offices(
    context: Context, made: Change, found: Beside, kind: str, about: str
) -> None:
    """Write it to the offices that hold records of the household that `found` is about."""
    offices = await _source_offices(context, made.connection, found)
    await tell(made, {f"office:{one}" for one in offices}, kind, about)


async def _source_offices(context: Context, connection: AsyncConnection, found: Beside) -> set[str]:
    """The offices that hold records; not one that the family is hidden from."""
    members = (await households.members(connection, [found.household]))[found.household]
    known = await context.registry.offices_now(connection)
    question = found.scenario.question
    hidden = {
        item
        for block in found.scenario.blocks.facts()
        if question is not None and block.in_force(question.now)
        for item in block.who
    }
    return {
        one.office
        for one in members
        if one.office in known
        and hidden.isdisjoint({f"office:{one.office}", f"agency:{known[one.office].agency}"})
    }


async def mine(
    context: Context, caller: Caller, *, cursor: str | None = None, limit: int = 100
) -> Messages:
    """The messages to somebody, and to the offices of whose staff they are.

    Raises:
        BadParameter: the limit is out of range.
        NotAllowed: the caller is no member of staff.
    """
    caller.must("read")
    if not 1 <= limit <= _MOST:
        raise BadParameter(f"must lie between 1 and {_MOST}", where="limit")
    after = None if cursor is None else as_given(cursor)
    async with change(context, caller) as made:
        found = await beside(context, made.connection, caller, "", _ANYBODY)
        offices = () if found.viewer is None else found.viewer.offices
        readers = {f"staff:{caller.id}", *(f"office:{one}" for one in offices)}
        rows = await messages.to(made.connection, readers, after, limit + 1)
        page = rows[:limit]
        homes = await _homes(made, caller, page)
        await messages.read(made.connection, [one.id for one in page], made.at)
        await made.log(
            caller,
            "list_read",
            private={"asked": "messages", "messages": [one.id for one in page]},
            public={"records": len(page), "decision": "shown"},
        )
    return Messages(
        messages=tuple(
            Message(
                id=one.id,
                to=one.reader,
                kind=one.kind,
                about=one.about,
                household=homes.get(one.about),
                at=clock.instant(one.at),
                read_at=None if one.read_at is None else clock.instant(one.read_at),
            )
            for one in page
        ),
        cursor=page[-1].id if len(rows) > limit else None,
    )


async def _homes(made: Change, caller: Caller, page: Sequence[messages.Message]) -> dict[str, str]:
    """The households of what a reader is reminded of, as far as they answer for them."""
    found: dict[str, str] = {}
    for kind in (consents.KIND, SHIELD):
        known = await facts.newest(made.connection, kind, [one.about for one in page])
        found |= {one.id: str(one.household) for one in known.values()}
    answering = await facts.answering(made.connection, set(found.values()), made.at)
    hidden = await knowing.hidden_from(made.connection, caller.id)
    return {
        about: household
        for about, household in found.items()
        if caller.id in answering.get(household, ()) and household not in hidden
    }
