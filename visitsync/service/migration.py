"""The database's schema: where it stands, and bringing it to this release's."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.envelope import MasterKeys
from visitsync.envelope.index_key import DEFAULT_TOKEN_BITS
from visitsync.errors import SchemaMismatch
from visitsync.service.context import fitting, logbook_of, open_database, signer_of
from visitsync.service.keyring import LOG, REPORTS, STAFF, Keyring
from visitsync.settings import Settings, make_data_dir
from visitsync.signer import Signer
from visitsync.store import access_log, data_keys, durability, installation, schema
from visitsync.store.database import Database
from visitsync.store.installation import Installation

Standing: TypeAlias = Literal["current", "empty", "older", "newer"]


_SIGNED_LATER: Final = "0008"
"""The schema from which on the signer has a memory of its own."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Where a database stands."""

    standing: Standing
    revision: str | None
    """The database's; None where it is empty."""
    release: str
    """This release's."""


async def check(settings: Settings) -> State:
    """Where the database stands; changes nothing.

    Raises:
        DatabaseUnavailable: it cannot be reached.
    """
    if settings.embedded is not None and not settings.embedded.exists():
        return State(standing="empty", revision=None, release=schema.release())
    database = open_database(settings)
    try:
        async with database.reading() as connection:
            return await _state(connection)
    finally:
        await database.close()


async def migrate(settings: Settings) -> State:
    """Bring the database to this release's schema; makes the key file of a new installation.

    Raises:
        SchemaMismatch: the database is newer than this release.
        KeyFileError: the key file is missing though there is data, or is another database's.
        DatabaseUnavailable: it cannot be reached; it is as it was before.
        LogBroken, SignerError: the log's signer refuses it, or cannot remember it.
    """
    make_data_dir(settings)
    database = open_database(settings)
    try:
        async with database.reading() as connection:
            await durability.refuse_lies(connection)
        async with database.writing() as connection:
            state = await _state(connection)
            if state.standing == "newer":
                raise SchemaMismatch("The database is newer than this release; run that release")
            if state.standing != "current":
                await schema.upgrade(connection)
            if await installation.read(connection) is None:
                await _set_up(connection, database, settings)
            else:
                await fitting(connection, settings, signer_of(settings, _keys(settings)))
                if state.revision is not None and state.revision < _SIGNED_LATER:
                    await _remember_signed(connection, settings)
            migrated = await _state(connection)
        await logbook_of(settings, database, _keys(settings)).signing.cover()
        return migrated
    finally:
        await database.close()


async def _state(connection: AsyncConnection) -> State:
    revision, release = await schema.revision(connection), schema.release()
    standing: Standing
    if revision is None:
        standing = "empty"
    elif revision == release:
        standing = "current"
    else:
        standing = "older" if schema.is_older(revision) else "newer"
    return State(standing=standing, revision=revision, release=release)


async def _set_up(connection: AsyncConnection, database: Database, settings: Settings) -> None:
    """Note whose database it is, make the general keys, and begin the access log."""
    keys = settings.keys
    master = _keys(settings) if keys.exists() else MasterKeys.create(keys)
    signer = signer_of(settings, master)
    made = Installation(settings.tenant, signer.vkey, DEFAULT_TOKEN_BITS)
    await installation.set_up(connection, made)
    keyring = Keyring(master, settings.tenant, made.token_bits)
    general = [keyring.made(("", "", kind))[1] for kind in (LOG, STAFF, REPORTS)]
    await data_keys.add(connection, general)
    await logbook_of(settings, database, master).found(connection)


async def _remember_signed(connection: AsyncConnection, settings: Settings) -> None:
    """Tell the signer what was signed before it had a memory of its own."""
    head = await access_log.head(connection)
    signer = Signer(settings.signed_head, signer_of(settings, _keys(settings)))
    if signer.signed() is None:
        signer.adopt(head.frontier, head.note)


def _keys(settings: Settings) -> MasterKeys:
    return MasterKeys.load(settings.keys)
