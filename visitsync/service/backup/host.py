"""An installation that is not opened, because it is not fit yet: what a restore works with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from visitsync.envelope import MasterKeys
from visitsync.schema.silent import silent
from visitsync.service.caller import Caller
from visitsync.service.context import logbook_of, open_database
from visitsync.service.key_provider import provider_of
from visitsync.service.keyring import Keyring
from visitsync.service.logbook import Logbook
from visitsync.settings import Settings, make_data_dir
from visitsync.signer import Tombstones
from visitsync.store import durability
from visitsync.store.database import Database


@silent
class Host(NamedTuple):
    """Settings, keys, database and log, none of them checked against each other."""

    settings: Settings
    caller: Caller
    master: MasterKeys
    database: Database
    log: Logbook
    advance: Callable[[int], None]

    def keyring(self) -> Keyring:
        """For what concerns no household; no token is made with it."""
        return Keyring(self.master, self.settings.tenant)


@asynccontextmanager
async def host(
    settings: Settings, caller: Caller, advance: Callable[[int], None] = lambda _: None
) -> AsyncIterator[Host]:
    """Open it for an operator.

    Raises:
        NotAllowed: the caller is no operator.
        KeyFileError, SettingsError, DatabaseUnavailable: it cannot be opened.
        TombstonesError: nobody could tell what was erased since the backup.
    """
    caller.must("operate")
    make_data_dir(settings)
    master = provider_of(settings).load()
    await asyncio.to_thread(Tombstones(settings.tombstone_file).read)
    database = open_database(settings)
    try:
        async with database.reading() as connection:
            await durability.refuse_lies(connection)
        log = await asyncio.to_thread(logbook_of, settings, database, master)
        yield Host(settings, caller, master, database, log, advance)
    finally:
        await database.close()
