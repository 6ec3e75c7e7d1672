"""How long an answer may be on its way once its look is logged, and waiting until none is.

A withdrawal takes effect for every question that begins after it; but an answer that was decided
and logged before may still be on its way, from whatever process on whatever host. So each answer
has a moment by which it has left or is cut off, and a withdrawal is acknowledged after the last of
them. Which looks there were stands in the access log; nothing else has to be shared.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.store import looks

SECONDS: Final = 1.5
"""From the moment a look's turn in the log began until its answer must have left."""
_MICROSECONDS: Final = 1_000_000
_LEAVES_BY: ContextVar[float | None] = ContextVar("leaves_by", default=None)


def logged(turn: float) -> None:
    """Note that a look of this request was logged.

    Args:
        turn: by the event loop's clock, a moment before its entry was committed.
    """
    earliest = _LEAVES_BY.get()
    by = turn + SECONDS
    _LEAVES_BY.set(by if earliest is None else min(by, earliest))


def leaves_by() -> float | None:
    """By the event loop's clock, when this request's answer must have left; None: at any time."""
    return _LEAVES_BY.get()


async def last_look(connection: AsyncConnection, household: str) -> int | None:
    """When something about a household was last logged, for `drained`; the head is held."""
    return await looks.last_at(connection, household)


async def drained(last: int | None, changed: int) -> None:
    """Wait until no answer that was decided before a change can still leave.

    To be called once the change is durable.

    Args:
        last: when something about the household was last logged before it; stored time.
        changed: when it was changed; stored time.
    """
    if last is not None:
        left = SECONDS - (changed - last) / _MICROSECONDS
        await asyncio.sleep(min(max(left, 0.0), SECONDS))
