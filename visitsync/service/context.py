"""What every operation needs, opened once: settings, database, keys and the access log."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.audit import Blocks, NoteSigner, NoteVerifier, key_name
from visitsync.consent import whereabouts
from visitsync.envelope import MasterKeys
from visitsync.envelope.index_key import is_token_length
from visitsync.envelope.providers import Provider
from visitsync.errors import (
    DatabaseUnavailable,
    KeyFileError,
    SchemaMismatch,
    SettingsError,
    Tampered,
    VisitsyncError,
)
from visitsync.schema.silent import silent
from visitsync.service import tombstones
from visitsync.service.folding import Folded
from visitsync.service.key_provider import provider_of
from visitsync.service.keyring import Keyring
from visitsync.service.logbook import Logbook
from visitsync.service.masters import refuse_other, refuse_other_index
from visitsync.service.recent import Recent
from visitsync.service.registry import Registry
from visitsync.service.sealed_head import HeadSeal
from visitsync.service.seen import Seen
from visitsync.service.signing import Signing
from visitsync.settings import Settings, password_of
from visitsync.signer import LogSigner, RemoteSigner, Signer, Tombstones
from visitsync.store import durability, index_keys, installation, master_keys, schema
from visitsync.store import tombstones as in_database
from visitsync.store.database import Database, open_postgresql, open_sqlite
from visitsync.store.installation import Installation

_LOG: Final = structlog.get_logger()
_MOST_FOLDED: Final = 16_384
_FORGET_SECONDS: Final = 60.0


@silent
@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """An open installation."""

    settings: Settings
    provider: Provider
    """What keeps the master keys."""
    database: Database
    keyring: Keyring
    log: Logbook
    registry: Registry
    seen: Seen
    folded: Recent[bytes, Folded]
    """What offices know of registrations, folded for comparing, by their sealed form."""
    blocks: dict[str, Blocks] = field(default_factory=dict)
    """Of each year's log, as far as it was read for witnesses."""
    growing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by whoever reads further into the log for them."""


@asynccontextmanager
async def open_context(settings: Settings) -> AsyncIterator[Context]:
    """Open the database and the keys; close them at the end.

    Raises:
        KeyFileError, DatabaseUnavailable, SchemaMismatch, SettingsError, SignerError: what the
            operator must mend before anything is answered.
        TombstonesError: nobody could tell what was erased.
        LogBroken: the database is not the one whose log was signed.
    """
    whereabouts.refuse_unjudged()
    provider = provider_of(settings)
    master = await asyncio.to_thread(provider.load)
    database = open_database(settings)
    try:
        async with database.reading() as connection:
            await durability.refuse_lies(connection)
            log = await asyncio.to_thread(logbook_of, settings, database, master)
            await fitting(connection, settings, master, provider, log.vkey)
        await log.signing.cover()
        keyring = Keyring(master, settings.tenant, again=provider.load)
        await tombstones.replay(database, log, keyring, Tombstones(settings.tombstone_file))
        log.start()
        try:
            opened = Context(
                settings=settings,
                provider=provider,
                database=database,
                keyring=keyring,
                log=log,
                registry=Registry(),
                seen=Seen(),
                folded=Recent(_MOST_FOLDED),
            )
            async with _forgetting(opened):
                yield opened
        finally:
            await log.stop()
    finally:
        await database.close()


@asynccontextmanager
async def _forgetting(context: Context) -> AsyncIterator[None]:
    """Keys that nobody asks for leave memory too, and those that another process destroyed."""

    async def forget() -> None:
        known: frozenset[str] = frozenset()
        while True:
            await asyncio.sleep(_FORGET_SECONDS)
            context.keyring.forget_old()
            try:
                known |= await forget_erased(context, known)
            except DatabaseUnavailable:
                continue  # then nothing is read either
            except VisitsyncError as error:
                _LOG.error("erased_not_dropped", error=error.code)

    task = asyncio.create_task(forget(), name="forgetting keys")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def forget_erased(context: Context, known: frozenset[str] = frozenset()) -> frozenset[str]:
    """Drop from memory what belongs to households erased by whichever process; answers them.

    A key of theirs that somebody put back in the database is destroyed again.

    Args:
        context: of the installation.
        known: households that were dropped already.

    Raises:
        DatabaseUnavailable, TombstonesError, LogBroken: see `tombstones.replay`.
    """
    async with context.database.reading() as connection:
        erased = {one.household for one in await in_database.known(connection)} - known
        came_back = await in_database.with_keys(connection)
    if came_back:
        file = Tombstones(context.settings.tombstone_file)
        await tombstones.replay(context.database, context.log, context.keyring, file)
        erased |= {household for household, _ in came_back}
    for household in erased:
        context.keyring.forget(household)
    if erased:
        context.folded.clear()
    return frozenset(erased)


def open_database(settings: Settings) -> Database:
    """The database of the settings; nothing is connected yet."""
    if settings.embedded is None:
        return open_postgresql(
            settings.database_url,
            password_of(settings),
            connections=settings.database_connections,
            patience=settings.database_wait_seconds,
        )
    return open_sqlite(settings.embedded, patience=settings.database_wait_seconds)


def signer_of(settings: Settings, master: MasterKeys) -> LogSigner:
    """What signs the access log's heads: a process of its own, or this one."""
    if settings.signer_socket is not None:
        return RemoteSigner(settings.signer_socket)
    return Signer(settings.signed_head, NoteSigner(key_name(settings.tenant), master.signing_seed))


def logbook_of(settings: Settings, database: Database, master: MasterKeys) -> Logbook:
    """The access log, not yet started.

    Raises:
        SignerError: its signer is away.
    """
    signer = signer_of(settings, master)
    return Logbook(
        database,
        Signing(database, signer),
        HeadSeal(master.head_key, NoteVerifier(signer.vkey)),
        signer,
        settings.tenant,
        queue=settings.log_queue,
        patience=settings.look_patience,
        behind=settings.clock_back_seconds,
    )


async def fitting(
    connection: AsyncConnection,
    settings: Settings,
    master: MasterKeys,
    provider: Provider,
    vkey: str,
) -> Installation:
    """What the database was set up for, if it fits this release, key file and municipality.

    Raises:
        SchemaMismatch: it is empty, older or newer.
        KeyFileError: the key file belongs to another database, or to another time of this one.
        SettingsError: the database belongs to another municipality.
        Tampered: what it was set up with was changed.
    """
    await refuse_other_schema(connection)
    found = await installation.read(connection)
    if found is None:
        raise SchemaMismatch("The database is not set up; run visitsync migrate")
    if found.tenant != settings.tenant:
        raise SettingsError("The database belongs to another municipality", where="tenant")
    if found.vkey != vkey:
        raise KeyFileError(
            "This key file belongs to another database: put the right one back; or the signing key "
            "was taken over by a signer of its own: set `signer_socket`",
            where=str(provider.path),
        )
    refuse_other(master, await master_keys.known(connection), where=str(provider.path))
    named = await index_keys.known(connection)
    if not named or not all(is_token_length(one.token_bits) for one in named):
        raise Tampered("was changed in the database; put a backup back", where="index_key")
    refuse_other_index(master, named, where=str(provider.path))
    return found


async def refuse_other_schema(connection: AsyncConnection) -> None:
    """Go on only with a schema of this release.

    Raises:
        SchemaMismatch: it is empty, older or newer.
    """
    revision = await schema.revision(connection)
    if revision == schema.release():
        return
    if revision is None or schema.is_older(revision):
        raise SchemaMismatch(
            "The database's schema is older than this release; run visitsync migrate"
        )
    raise SchemaMismatch("The database's schema is newer than this release; run the newer release")
