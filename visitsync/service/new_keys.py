"""Storing data keys that were just made."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.service.keyring import Keyring, Place
from visitsync.store import data_keys, master_keys


async def store(connection: AsyncConnection, keyring: Keyring, made: Mapping[Place, bytes]) -> None:
    """Store new keys under the newest master key, also one added since this process began.

    Raises:
        KeyFileError: the key file lacks that master key.
        DatabaseUnavailable: it was retired at this very instant; nothing was changed.
    """
    if made:
        newest = await master_keys.newest(connection)
        rows = [keyring.row(place, key, newest) for place, key in made.items()]
        await data_keys.add(connection, rows)
