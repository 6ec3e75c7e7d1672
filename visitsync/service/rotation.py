"""Rotating master keys while services run: a new one, all data keys wrapped anew, the old one out.

Every step may be cut short and repeated. The key file always holds what the database needs: a new
master key stands in the file before the database names it, and an old one leaves the database,
which refuses while a data key is left under it, before it leaves the file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.envelope import MasterKeys
from visitsync.errors import BadParameter, KeysLeft, Tampered
from visitsync.schema.silent import Struct
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.keyring import Keyring
from visitsync.service.writing import change
from visitsync.store import data_keys, master_keys
from visitsync.store.data_keys import Key
from visitsync.store.master_keys import Master

_BATCH: Final = 200
_PAUSE: Final = 0.02
"""Seconds between two batches, so that whoever serves meanwhile gets to write."""


class Begun(Struct, frozen=True, kw_only=True):
    """Where a rotation stands."""

    epoch: int
    """The newest, under which all data keys are to stand."""
    key_id: str
    is_new: bool
    """Whether this call added it; else it goes on with one that was cut short."""
    left: int
    """Data keys under older ones."""


class Wrapped(Struct, frozen=True, kw_only=True):
    """What wrapping anew came to."""

    done: int
    unreadable: int
    """Data keys that no master key opens: they were altered, and stay as they are."""


async def begin(context: Context, caller: Caller) -> Begun:
    """Add a master key of the next epoch; where data keys of the last rotation are left, none.

    Raises:
        NotAllowed: the caller is no operator.
        KeyFileError: the key file cannot be replaced, or somebody else does it.
        DatabaseUnavailable, LogBroken: nothing but the key file was changed; repeat it.
    """
    caller.must("operate")
    async with context.database.reading() as connection:
        known = await master_keys.known(connection)
        left = await _left(connection, known[-1].epoch)
    if left:
        newest = known[-1]
        return Begun(epoch=newest.epoch, key_id=newest.key_id, is_new=False, left=left)
    master = await _ahead(context, known[-1].epoch)
    context.keyring.use(master)
    return await _name(context, caller, master)


async def prepare(context: Context, caller: Caller) -> int:
    """Add a master key to the key file only, to be carried to where it is read; answers its epoch.

    Raises:
        NotAllowed: the caller is no operator.
        KeyFileError: the key file cannot be replaced, or somebody else does it.
    """
    caller.must("operate")
    async with context.database.reading() as connection:
        newest = await master_keys.newest(connection)
    return (await _ahead(context, newest)).epoch


async def _ahead(context: Context, newest: int) -> MasterKeys:
    """The keys, with one that the database does not name yet."""
    master = await asyncio.to_thread(context.provider.load)
    if master.epoch == newest:
        master = await asyncio.to_thread(context.provider.rotate)
    return master


async def _name(context: Context, caller: Caller, master: MasterKeys) -> Begun:
    """Let data keys stand under the newest master key of the file."""
    epoch, key_id = master.epoch, master.key_id(master.epoch)
    async with change(context, caller) as made:
        known = {one.epoch for one in await master_keys.known(made.connection)}
        if epoch not in known:
            await master_keys.add(made.connection, Master(epoch, key_id, made.at))
            told = {"key": "master", "epoch": epoch, "id": key_id}
            await made.log(caller, "key_rotated", private=told, public={})
        left = await _left(made.connection, epoch)
    return Begun(epoch=epoch, key_id=key_id, is_new=epoch not in known, left=left)


async def _left(connection: AsyncConnection, newest: int) -> int:
    counted = await data_keys.counts(connection)
    return sum(count for epoch, count in counted.items() if epoch < newest)


async def wrap_anew(
    context: Context, *, advance: Callable[[int], None] = lambda _: None
) -> Wrapped:
    """Bring every data key under the newest master key, some at a time; no record is touched.

    Args:
        context: of the installation.
        advance: told how many more are done.

    Raises:
        KeyFileError: the key file is not this database's.
        DatabaseUnavailable: what was done so far stays done; repeat it.
    """
    done = unreadable = 0
    after = ("", "", "", 0)
    while True:
        async with context.database.writing() as connection:
            newest = await master_keys.newest(connection)
            rows = await data_keys.older(connection, newest, after, _BATCH)
            changes = [(row, one) for row in rows if (one := _anew(context.keyring, newest, row))]
            await data_keys.wrap_anew(connection, changes)
        if not rows:
            return Wrapped(done=done, unreadable=unreadable)
        last = rows[-1]
        after = (last.household, last.program, last.kind, last.version)
        done += len(changes)
        unreadable += len(rows) - len(changes)
        advance(len(rows))
        await asyncio.sleep(_PAUSE)


def _anew(keyring: Keyring, newest: int, row: Key) -> Key | None:
    try:
        return keyring.under(newest, row)
    except Tampered:
        return None  # it stays, is counted, and keeps its master key from being retired


async def retire(context: Context, caller: Caller, epoch: int, second: str) -> None:
    """Take a master key out, once nothing stands under it and a second person says so.

    Args:
        context: of the installation.
        caller: who.
        epoch: of the master key.
        second: the name of another operator who confirms.

    Raises:
        NotAllowed: the caller is no operator.
        BadParameter: nobody else confirms, or there is no such older master key.
        KeysLeft: data keys stand under it.
        KeyFileError: the key file cannot be replaced; the database needs the key no more. Repeat.
    """
    caller.must("operate")
    if not second.strip() or second.strip().casefold() == caller.id.casefold():
        raise BadParameter("A second person must confirm, by another name", where="second")
    async with change(context, caller) as made:
        known = {one.epoch: one for one in await master_keys.known(made.connection)}
        held = (await asyncio.to_thread(context.provider.load)).epochs
        if epoch >= max(known) or epoch not in {*known, *held}:
            raise BadParameter("There is no older master key of this epoch", where="epoch")
        left = (await data_keys.counts(made.connection)).get(epoch, 0)
        if left:
            raise KeysLeft(
                f"{left:,} data keys stand under the master key of epoch {epoch}; run visitsync "
                "keys rotate --master until none is left",
                where=f"epoch {epoch}",
            )
        if epoch in known:
            await master_keys.end(made.connection, epoch)
            told = {"key": "master", "epoch": epoch, "id": known[epoch].key_id,
                    "confirmed_by": second.strip()}  # fmt: skip
            await made.log(caller, "key_retired", private=told, public={})
    if epoch in held:
        context.keyring.use(await asyncio.to_thread(context.provider.retire, epoch))
