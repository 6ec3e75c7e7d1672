"""Storing data keys that were just made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.envelope import new_data_key
from visitsync.service.keyring import Keyring, Place
from visitsync.store import data_keys, master_keys
from visitsync.store.data_keys import Key


async def store(connection: AsyncConnection, keyring: Keyring, made: Mapping[Place, bytes]) -> None:
    """Store new keys under the newest master key, also one added since this process began.

    Raises:
        KeyFileError: the key file lacks that master key.
        DatabaseUnavailable: it was retired at this very instant; nothing was changed.
    """
    if made:
        newest, now = await master_keys.newest_now(connection)
        rows = [keyring.row(place, key, newest, at=now) for place, key in made.items()]
        await data_keys.add(connection, rows)


async def store_next(connection: AsyncConnection, keyring: Keyring, before: Sequence[Key]) -> None:
    """Store a next version of these keys, each bound to its place and its number.

    Raises:
        KeyFileError, DatabaseUnavailable: as by `store`.
    """
    if before:
        newest, now = await master_keys.newest_now(connection)
        rows = [
            keyring.row(
                (one.household, one.program, one.kind),
                new_data_key(),
                newest,
                version=one.version + 1,
                at=now,
            )
            for one in before
        ]
        await data_keys.add(connection, rows)
