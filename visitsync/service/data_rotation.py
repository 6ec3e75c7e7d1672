"""Rotating data keys while services run: newer versions, rows sealed anew, the old versions out.

Every step is one small transaction that holds the intake, as each that seals does, so that nothing
is sealed under a version that is on its way out. What was cut short goes on where it stood. An old
version is destroyed only after `GRACE`: who read a row before it was sealed anew may still ask for
the key that opens it.

Private parts of log entries stay under the version that sealed them, since the log only grows;
entries that are new stand under the newest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from visitsync.errors import BadParameter
from visitsync.schema.silent import Struct
from visitsync.service import entries, new_keys, resealing
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.keyring import LOG, held
from visitsync.service.logbook import Turn
from visitsync.service.resealing import Done
from visitsync.service.writing import Change, change
from visitsync.store import clock, data_keys, households, rotations, sealed_rows
from visitsync.store.data_keys import Key
from visitsync.store.rotations import Rotation

GRACE: Final = 60.0
"""Seconds between the last row sealed anew and the first old version destroyed; longer than any
answer takes."""
_PLACES: Final = 50
_PAUSE: Final = 0.02
"""Seconds between two transactions, so that whoever serves meanwhile gets to write."""
_DATA: Final = "data"
_START: Final = ("", "", "")


class Rotated(Struct, frozen=True, kw_only=True):
    """What a rotation of data keys came to."""

    keys: int
    """Data keys that got a newer version."""
    rows: int
    """Rows that were sealed anew."""
    destroyed: int
    """Old versions that are no more."""
    unreadable: int
    """Rows that do not open: they were altered, and stay under their old version."""


class _Tally:
    def __init__(self) -> None:
        self.keys = self.rows = self.destroyed = 0
        self.unreadable: set[tuple[str, str, int]] = set()


async def rotate(
    context: Context,
    caller: Caller,
    household: str | None = None,
    *,
    grace: float = GRACE,
    advance: Callable[[int], None] = lambda _: None,
) -> Rotated:
    """Give data keys a newer version, seal what is under them anew, and destroy the old ones.

    One that was cut short is gone on with.

    Args:
        context: of the installation.
        caller: who.
        household: whose; None is all, with those that belong to no household.
        grace: seconds before old versions are destroyed.
        advance: told how many more data keys are done.

    Raises:
        NotAllowed: the caller is no operator.
        BadParameter: no such household, or a rotation of others was cut short.
        KeyFileError: the key file is not this database's.
        DatabaseUnavailable, LogBroken: what was done so far stays done; repeat it.
    """
    caller.must("operate")
    run = await _begin(context, caller, household)
    tally = _Tally()
    while run.ended_at is None:
        run = await _step(context, caller, run, tally, advance)
        await asyncio.sleep(_PAUSE)
    await wait(context, run.ended_at, grace)
    after: tuple[str, str, str] | None = _START
    while after is not None:
        after = await _destroy(context, caller, run, after, tally)
        await asyncio.sleep(_PAUSE)
    return Rotated(
        keys=tally.keys,
        rows=tally.rows,
        destroyed=tally.destroyed,
        unreadable=len(tally.unreadable),
    )


async def waiting(context: Context, household: str | None = None) -> int:
    """How many data keys a rotation is about."""
    async with context.database.reading() as connection:
        return await data_keys.places(connection, household)


async def _begin(context: Context, caller: Caller, household: str | None) -> Rotation:
    async with change(context, caller, placing=True) as made:
        run = await rotations.of(made.connection, _DATA)
        if run is not None and run.household != household:
            raise BadParameter(
                "A rotation of other data keys was cut short; go on with that one first",
                where="household",
            )
        if run is not None:
            return run
        if household is not None and not await households.exists(made.connection, household):
            raise BadParameter("There is no such household", where="household")
        now = await clock.now(made.connection)  # of the clock that keys are made by
        run = Rotation(_DATA, household, now, msgspec.json.encode(_START).decode(), None)
        await rotations.begin(made.connection, run)
        await made.log(
            caller,
            "key_rotated",
            household=household,
            private={"key": _DATA, "of": household or "all"},
            public={},
        )
    return run


async def _step(
    context: Context,
    caller: Caller,
    run: Rotation,
    tally: _Tally,
    advance: Callable[[int], None],
) -> Rotation:
    """New versions for some places, and rows of these sealed anew; answers where it stands then."""
    keyring = context.keyring
    async with context.log.writing() as turn:
        connection = turn.connection
        await households.hold_intake(connection)
        found = await data_keys.newest(connection, _after(run), run.household, _PLACES)
        now = await clock.now(connection)
        if not found:
            await rotations.end(connection, _DATA, now)
            return run._replace(ended_at=now)
        live = [one for one in found if one.state == data_keys.ACTIVE]
        # Nothing proves that column: a time that has not come is not believed.
        made = [one for one in live if one.made_at < run.began_at or one.made_at > now]
        await new_keys.store_next(connection, keyring, made)
        places = [(one.household, one.program, one.kind) for one in live]
        done = await resealing.reseal(connection, keyring, places, tally.unreadable)
        if done.is_all:
            last = found[-1]
            after = (last.household, last.program, last.kind)
            await rotations.move(connection, _DATA, after)
            run = run._replace(after=msgspec.json.encode(after).decode())
        if made or done.anew:
            await turn.hold()
            await _log(context, turn, caller, done, {"keys": len(made)})
    for one in made:
        keyring.forget(one.household)  # so that this process seals under what is new, too
    tally.keys += len(made)
    tally.rows += len(done.anew)
    tally.unreadable |= done.unreadable
    if done.is_all:
        advance(len(found))
    return run


async def _destroy(
    context: Context, caller: Caller, run: Rotation, after: tuple[str, str, str], tally: _Tally
) -> tuple[str, str, str] | None:
    """Destroy old versions under which nothing stands; answers behind which place to go on.

    Here the head is held from the start: evidence is sealed by who holds that alone.
    """
    async with change(context, caller, placing=True) as made:
        connection = made.connection
        found = await data_keys.superseded(connection, after, run.household, _PLACES)
        if not found:
            await rotations.finish(connection, _DATA)
            return None
        places = [(one.household, one.program, one.kind) for one in found]
        # What was sealed by somebody who had read the version before.
        done = await resealing.reseal(connection, context.keyring, places, tally.unreadable)
        gone = await _empty(made, found)
        await data_keys.destroy(connection, gone)
        if gone or done.anew:
            told = {"destroyed": len(gone)}
            kind = "key_retired" if gone else "key_rotated"
            await _log(context, made.turn, caller, done, told, kind=kind)
    tally.rows += len(done.anew)
    tally.destroyed += len(gone)
    tally.unreadable |= done.unreadable
    return places[-1] if done.is_all else after


async def _empty(made: Change, found: Sequence[Key]) -> list[Key]:
    """Those under which no row stands."""
    homes = {one.household for one in found}
    stand = {
        (kind, *place)
        for kind in {one.kind for one in found} & set(sealed_rows.KINDS)
        for place in await sealed_rows.under(made.connection, kind, homes)
    }
    return [
        one
        for one in found
        if one.kind in sealed_rows.KINDS
        and (one.kind, one.household, one.program, one.version) not in stand
    ]


async def _log(  # noqa: PLR0913 -- what was done, and what of it stands in the entry
    context: Context,
    turn: Turn,
    caller: Caller,
    done: Done,
    told: dict[str, Any],
    *,
    kind: str = "key_rotated",
) -> None:
    """The entry of a transaction that sealed rows anew; their anchors stand with it."""
    general = context.keyring.opened(await data_keys.of_logs(turn.connection, [""]))
    draft = entries.draft(
        context.keyring,
        caller,
        kind,
        held(general, ("", "", LOG)),
        household=None,
        private={"key": _DATA, **told},
        public={"records": len(done.anew)},
    )
    await turn.append([draft])


async def wait(context: Context, ended_at: int, grace: float) -> None:
    """Until who read before has answered, also where that was cut short."""
    async with context.database.reading() as connection:
        now = await clock.now(connection)
    await asyncio.sleep(max(0.0, min(grace, grace - (now - ended_at) / 1_000_000)))


def _after(run: Rotation) -> tuple[str, str, str]:
    household, program, kind = msgspec.json.decode(run.after, type=tuple[str, str, str])
    return household, program, kind
