"""The job of retention: what is due, asking for it and deciding it, as operators at the host."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Final

from visitsync.errors import NotNow, UnknownHousehold
from visitsync.retention.rules import RETENTION_ENDED
from visitsync.schema.silent import Struct
from visitsync.service import erasures as asking
from visitsync.service import retained
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.writing import change
from visitsync.store import clock, erasures

_PAUSE: Final = 0.02


class DueHousehold(Struct, frozen=True, kw_only=True):
    """A household whose period has ended."""

    household: str
    since: dt.date
    """The first day on which it may be erased."""
    held: bool
    erasure: str | None
    """One that was asked for and has not ended."""
    decided: bool


class Standing(Struct, frozen=True, kw_only=True):
    """What the rules say of all households."""

    due: tuple[DueHousehold, ...]
    """The longest due first."""
    later: int
    """Households whose day has not come."""
    unknown: int
    """Households that no rule lets go: a period or a child's birth date is not known."""


class Decided(Struct, frozen=True, kw_only=True):
    """What became of what was asked for."""

    announced: int
    own: int
    """Those that the caller asked for: somebody else must decide them."""
    held: int


async def due(context: Context, caller: Caller, *, now: int | None = None) -> Standing:
    """Which households' periods have ended; that it was asked is logged.

    Args:
        context: of the installation.
        caller: an operator.
        now: the instant as of which the rules are asked; by default the database's.

    Raises:
        NotAllowed: the caller is no operator.
        RetentionError: the rules cannot be read.
    """
    caller.must("operate")
    async with context.database.reading() as connection:
        at = await clock.now(connection) if now is None else now
        days = await retained.days(context, connection, at)
        held = await erasures.standing_holds(connection, list(days))
        asked = {one.household: one for one in await erasures.open_ones(connection)}
    today = clock.day_in_japan(at)
    ended = {one: day for one, day in days.items() if day is not None and day <= today}
    found = tuple(
        DueHousehold(
            household=one,
            since=day,
            held=one in held,
            erasure=asked[one].id if one in asked else None,
            decided=one in asked and asked[one].decided_at is not None,
        )
        for one, day in sorted(ended.items(), key=lambda each: (each[1], each[0]))
    )
    async with change(context, caller) as made:
        await made.log(
            caller,
            "list_read",
            private={"asked": "retention"},
            public={"records": len(found), "decision": "shown"},
        )
    unknown = sum(one is None for one in days.values())
    return Standing(due=found, later=len(days) - len(found) - unknown, unknown=unknown)


async def announce(context: Context, caller: Caller, *, now: int | None = None) -> int:
    """Ask for the erasure of all that are due, not held and not asked for; answers how many.

    Raises:
        NotAllowed, RetentionError: as by `due`.
        DatabaseUnavailable, LogBroken: what was done so far stays done; repeat it.
    """
    standing = await due(context, caller, now=now)
    reason = "the retention period has ended"
    draft = asking.ErasureDraft(ground=RETENTION_ENDED, reason=reason)
    count = 0
    for one in standing.due:
        if not one.held and not one.decided:
            try:
                await asking.ask(context, caller, one.household, draft)
                count += 1
            except (NotNow, UnknownHousehold):
                continue  # somebody was faster
            await asyncio.sleep(_PAUSE)
    return count


async def confirm(context: Context, caller: Caller) -> Decided:
    """Decide all that somebody else asked for because its period has ended.

    Args:
        context: of the installation.
        caller: an operator of another name, or better a member of staff by their own token.

    Raises:
        NotAllowed: the caller does not decide.
        DatabaseUnavailable, LogBroken: what was done so far stays done; repeat it.
    """
    caller.must("operate" if caller.kind == "operator" else "record")
    async with context.database.reading() as connection:
        waiting = [
            one
            for one in await erasures.open_ones(connection)
            if one.ground == RETENTION_ENDED and one.decided_at is None
        ]
    announced = own = held = 0
    for one in waiting:
        if one.asked_by == asking.name_of(caller):
            own += 1
            continue
        try:
            await asking.decide(context, caller, one.id)
            announced += 1
        except NotNow as error:
            held += error.where == "held"
        except UnknownHousehold:
            continue  # erased on another ground, or hidden from them by name
        await asyncio.sleep(_PAUSE)
    return Decided(announced=announced, own=own, held=held)
