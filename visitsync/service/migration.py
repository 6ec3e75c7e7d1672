"""The database's schema: where it stands, and bringing it to this release's."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.envelope import MasterKeys, new_data_key
from visitsync.envelope.index_key import DEFAULT_TOKEN_BITS
from visitsync.errors import SchemaMismatch
from visitsync.schema.silent import Struct
from visitsync.service import new_keys
from visitsync.service.context import fitting, logbook_of, open_database, signer_of
from visitsync.service.key_provider import provider_of
from visitsync.service.keyring import LOG, REPORTS, STAFF, Keyring
from visitsync.service.logbook import Logbook, Turn
from visitsync.settings import Settings, make_data_dir
from visitsync.signer import Signer, Tombstones
from visitsync.store import (
    access_log,
    changes,
    clock,
    durability,
    index_keys,
    installation,
    master_keys,
    rows,
    schema,
)
from visitsync.store.database import Database
from visitsync.store.index_keys import Epoch
from visitsync.store.installation import Installation
from visitsync.store.master_keys import Master

Standing: TypeAlias = Literal["current", "empty", "older", "newer"]


_SIGNED_LATER: Final = "0007"
"""The schema from which on the signer has a memory of its own."""
_REMEMBERS_ERASED: Final = "0014"
"""The schema from which on a file says what was erased."""
_ANCHORED: Final = "0015"
"""The schema from which on the log says what each row was when it was written."""
_AT_ONCE: Final = 20_000
"""Rows whose anchors stand with one entry."""


class State(Struct, frozen=True, kw_only=True):
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
        TombstonesError: what is erased could not be remembered.
    """
    make_data_dir(settings)
    database = open_database(settings)
    provider = provider_of(settings)
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
                master = provider.load()
                signer = signer_of(settings, master)
                await fitting(connection, settings, master, provider, signer.vkey)
                for epoch in master.index_epochs:
                    await index_keys.name(connection, epoch, master.index_id(epoch))
                if state.revision is not None and state.revision < _SIGNED_LATER:
                    await _remember_signed(connection, settings, master)
                if state.revision is not None and state.revision < _ANCHORED:
                    await _anchor(connection, logbook_of(settings, database, master))
            if state.revision is None or state.revision < _REMEMBERS_ERASED:
                Tombstones(settings.tombstone_file).begin()
            migrated = await _state(connection)
        await logbook_of(settings, database, provider.load()).signing.cover()
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
    provider = provider_of(settings)
    master = provider.load() if provider.path.exists() else provider.create()
    signer = signer_of(settings, master)
    made = Installation(settings.tenant, signer.vkey, DEFAULT_TOKEN_BITS)
    await installation.set_up(connection, made)
    keyring = Keyring(master, settings.tenant)
    at = await clock.now(connection)
    for epoch in master.epochs:
        await master_keys.add(connection, Master(epoch, master.key_id(epoch), at))
    for epoch in master.index_epochs:
        await index_keys.add(connection, Epoch(epoch, master.index_id(epoch), made.token_bits, at))
    general = {("", "", kind): new_data_key() for kind in (LOG, STAFF, REPORTS)}
    await new_keys.store(connection, keyring, general)
    await logbook_of(settings, database, master).found(connection)


async def _anchor(connection: AsyncConnection, log: Logbook) -> None:
    """Have the log say what every row is now; from here on a change past it is found."""
    changes.begin(connection)
    turn = Turn(log, connection)
    waiting = 0
    for table in changes.anchored():
        async for page in rows.pages(connection, table):
            changes.note(connection, table, page)
            waiting += len(page)
            if waiting >= _AT_ONCE:
                await turn.end()
                waiting = 0
    await turn.end()


async def _remember_signed(
    connection: AsyncConnection, settings: Settings, master: MasterKeys
) -> None:
    """Tell the signer what was signed before it had a memory of its own."""
    head = await access_log.head(connection)
    signer = signer_of(settings, master)
    if isinstance(signer, Signer) and signer.signed() is None:
        signer.adopt(head.frontier, head.note)
