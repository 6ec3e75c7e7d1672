"""Rotating the key of the blind index while services run: every search finds what it found before.

First the new key is in the key file, then the database names its epoch, then each registration gets
its terms under it beside the old ones; searches ask for both. Only when all have, and after a while
for who had read the epochs before, the old terms go, then the epoch, which the database refuses
while a term is left, then the old key in the file. What was cut short goes on where it stood.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from visitsync.errors import BadParameter, Tampered
from visitsync.schema.silent import Struct
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.data_rotation import GRACE, wait
from visitsync.service.folding import fold
from visitsync.service.keyring import PERSONS
from visitsync.service.placed import open_profile
from visitsync.service.slices import in_slices
from visitsync.service.terms import indexes
from visitsync.service.writing import change
from visitsync.store import clock, data_keys, households, index_keys, rotations
from visitsync.store.index_keys import Epoch
from visitsync.store.rotations import Rotation

_BATCH: Final = 50
"""Registrations in one transaction."""
_PAUSE: Final = 0.02
_INDEX: Final = "index"
_START: Final = '""'


class Reindexed(Struct, frozen=True, kw_only=True):
    """What a rotation of the index key came to."""

    epoch: int
    """The newest, under which all terms are to stand."""
    key_id: str
    is_new: bool
    """Whether this call added it; else it went on with one that was cut short."""
    registrations: int
    """Of which terms stand under it now."""
    dropped: int
    """Terms under older ones that are no more."""
    unreadable: int
    """Registrations that do not open: they were altered, and keep the older keys in place."""


async def prepare(context: Context, caller: Caller) -> int:
    """Add an index key to the key file only, to be carried to where it is read; answers its epoch.

    Raises:
        NotAllowed: the caller is no operator.
        KeyFileError: the key file cannot be replaced, or somebody else does it.
    """
    caller.must("operate")
    async with context.database.reading() as connection:
        known = await index_keys.known(connection)
    return await _ahead(context, known[-1].epoch)


async def rotate(
    context: Context,
    caller: Caller,
    token_bits: int | None = None,
    *,
    grace: float = GRACE,
    advance: Callable[[int], None] = lambda _: None,
) -> Reindexed:
    """Bring the blind index under a new key, and take the old one out.

    Args:
        context: of the installation.
        caller: who.
        token_bits: how many bits of a token are kept from now on; None leaves it.
        grace: seconds before what is old goes.
        advance: told how many more registrations are done.

    Raises:
        NotAllowed: the caller is no operator.
        BadParameter: a rotation with other bits was cut short.
        KeyFileError: the key file cannot be replaced, or is not this database's.
        DatabaseUnavailable, LogBroken: what was done so far stays done; repeat it.
    """
    caller.must("operate")
    newest, run, is_new = await _begin(context, caller, token_bits)
    done = dropped = 0
    unreadable: set[str] = set()
    while run is not None and run.ended_at is None:
        run, count = await _step(context, run, newest.epoch, unreadable)
        done += count
        advance(count)
        await _pause()
    if run is not None and run.ended_at is not None:
        await wait(context, run.ended_at, grace)
        dropped = await _drop(context, newest.epoch)
        await _finish(context, caller, newest)
    if not unreadable:
        await _take_out(context, newest.epoch)
    return Reindexed(
        epoch=newest.epoch,
        key_id=newest.key_id,
        is_new=is_new,
        registrations=done,
        dropped=dropped,
        unreadable=len(unreadable),
    )


async def waiting(context: Context) -> int:
    """How many registrations a rotation is about."""
    async with context.database.reading() as connection:
        return await households.count_registrations(connection)


async def _ahead(context: Context, newest: int) -> int:
    """The epoch of a key in the file that the database does not name yet."""
    master = await asyncio.to_thread(context.provider.load)
    if master.index_epochs[-1] == newest:
        master = await asyncio.to_thread(context.provider.rotate_index)
    context.keyring.use(master)
    return master.index_epochs[-1]


async def _begin(
    context: Context, caller: Caller, bits: int | None
) -> tuple[Epoch, Rotation | None, bool]:
    async with context.database.reading() as connection:
        run = await rotations.of(connection, _INDEX)
        newest = (await index_keys.known(connection))[-1]
    if run is not None:
        if bits not in {None, newest.token_bits}:
            raise BadParameter(
                f"A rotation to {newest.token_bits} bits was cut short; finish that one first",
                where="bits",
            )
        return newest, run, False
    held = await asyncio.to_thread(context.provider.load)
    if held.index_epochs[0] < newest.epoch == held.index_epochs[-1]:
        return newest, None, False  # cut short when only the file still held the old key
    epoch = await _ahead(context, newest.epoch)
    async with change(context, caller, placing=True) as made:
        connection = made.connection
        if (run := await rotations.of(connection, _INDEX)) is not None:
            return (await index_keys.known(connection))[-1], run, False
        key_id = (await asyncio.to_thread(context.provider.load)).index_id(epoch)
        added = Epoch(epoch, key_id, newest.token_bits if bits is None else bits, made.at)
        await index_keys.add(connection, added)
        now = await clock.now(connection)
        run = Rotation(_INDEX, None, now, _START, None)
        await rotations.begin(connection, run)
        told = {"key": _INDEX, "epoch": epoch, "id": key_id, "bits": added.token_bits}
        await made.log(caller, "key_rotated", private=told, public={})
    return added, run, True


async def _step(
    context: Context, run: Rotation, epoch: int, unreadable: set[str]
) -> tuple[Rotation, int]:
    """Terms under the new key for some registrations, beside those under older ones."""
    keyring = context.keyring
    after = msgspec.json.decode(run.after, type=str)
    async with context.log.writing() as turn:
        connection = turn.connection
        await households.hold_intake(connection)
        ids = await index_keys.older(connection, epoch, after, _BATCH)
        if not ids:
            now = await clock.now(connection)
            await rotations.end(connection, _INDEX, now)
            return run._replace(ended_at=now), 0
        rows = await households.registrations(connection, ids)
        stored = await data_keys.of_households(connection, {one.household for one in rows.values()})
        keys = keyring.opened(stored)
        destroyed = {
            one.household
            for one in stored
            if one.kind == PERSONS and one.state == data_keys.DESTROYED
        }
        index = await indexes(connection, keyring)
        there = await households.terms_of(connection, ids)
        wanted: set[households.Term] = set()
        gone = [one for one in ids if one not in rows]
        async for row in in_slices(rows.values()):
            if row.household in destroyed:
                gone.append(row.id)  # nobody can be found by them any more
                continue
            try:
                persons = open_profile(keys, keyring, row)
            except Tampered:
                unreadable.add(row.id)
                continue
            folded = fold(row.id, row.office, row.program, persons)
            wanted |= index.stored(folded.terms, row.id)
        await households.add_terms(connection, wanted - there)
        await index_keys.drop_older(connection, epoch, gone)
        await rotations.move(connection, _INDEX, ids[-1])
    run = run._replace(after=msgspec.json.encode(ids[-1]).decode())
    return run, len(ids) - len(unreadable.intersection(ids))


async def _drop(context: Context, epoch: int) -> int:
    """Take terms under older keys away, of registrations that have some under the newest."""
    dropped = 0
    after = ""
    while True:
        async with context.log.writing() as turn:
            connection = turn.connection
            await households.hold_intake(connection)
            ids = await index_keys.older(connection, epoch, after, _BATCH)
            there = await households.terms_of(connection, ids)
            anew = {one.registration for one in there if one.epoch == epoch}
            dropped += await index_keys.drop_older(connection, epoch, sorted(anew))
        if not ids:
            return dropped
        after = ids[-1]
        await _pause()


async def _finish(context: Context, caller: Caller, newest: Epoch) -> None:
    """Let nothing stand under older keys any more; where something does, the rotation begins over.

    So that what could not be opened is tried again once it was mended.
    """
    async with change(context, caller, placing=True) as made:
        counted = await index_keys.counts(made.connection)
        if any(count for epoch, count in counted.items() if epoch < newest.epoch):
            await rotations.again(made.connection, _INDEX, _START)
            return
        await index_keys.end(made.connection, newest.epoch)
        await rotations.finish(made.connection, _INDEX)
        told = {"key": _INDEX, "before": newest.epoch}
        await made.log(caller, "key_retired", private=told, public={})


async def _take_out(context: Context, epoch: int) -> None:
    """Take older keys out of the key file, once the database names none of them."""
    async with context.database.reading() as connection:
        known = await index_keys.known(connection)
    held = await asyncio.to_thread(context.provider.load)
    if known[0].epoch == epoch and held.index_epochs[0] < epoch:
        context.keyring.use(await asyncio.to_thread(context.provider.retire_index, epoch))


async def _pause() -> None:
    """Between two transactions whoever serves meanwhile gets to write."""
    await asyncio.sleep(_PAUSE)
