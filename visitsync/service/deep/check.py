"""``doctor --deep``: any flipped bit, any row put back from an earlier time, any missing key."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.envelope import MasterKeys
from visitsync.errors import DatabaseUnavailable, KeyFileError, LogBroken
from visitsync.schema.silent import Struct
from visitsync.service.context import fitting, logbook_of, open_database
from visitsync.service.deep import terms
from visitsync.service.deep.log import LogCheck
from visitsync.service.deep.newest import Newest, newest
from visitsync.service.deep.sealed import SEALED_TABLES, Keys, check, is_fit
from visitsync.service.deep.trouble import Told, Trouble, place
from visitsync.service.key_provider import provider_of
from visitsync.service.keyring import Keyring
from visitsync.service.logbook import Logbook
from visitsync.service.terms import Indexes, indexes
from visitsync.settings import Settings
from visitsync.store import changes, integrity, master_keys, rows, structure
from visitsync.store.data_keys import Key
from visitsync.store.database import open_sqlite
from visitsync.store.key_tables import data_key
from visitsync.store.tables import log_entry, registration


class Found(Struct, frozen=True, kw_only=True):
    """What a deep check says."""

    rows: int
    """How many were read."""
    troubles: int
    first: tuple[Trouble, ...]
    """The first of them."""


async def look(settings: Settings, advance: Callable[[int], None] = lambda _: None) -> Found:
    """Read everything as of one instant, while the service goes on; changes nothing.

    Args:
        settings: of the installation.
        advance: told how many more rows were read.

    Raises:
        KeyFileError, SchemaMismatch, SettingsError, SignerError, DatabaseUnavailable, Tampered: it
            cannot be read at all.
    """
    provider = provider_of(settings)
    master = provider.load()
    database = open_database(settings)
    try:
        async with database.snapshot() as connection:
            log = await asyncio.to_thread(logbook_of, settings, database, master)
            await fitting(connection, settings, master, provider, log.vkey)
            told = Told(advance)
            await inspect(connection, settings, master, log, told)
    finally:
        await database.close()
    return Found(rows=told.rows, troubles=told.count, first=tuple(told.found))


async def size(settings: Settings) -> int:
    """About how many rows there are to read.

    Raises:
        DatabaseUnavailable: it cannot be read.
    """
    database = open_database(settings)
    try:
        async with database.reading() as connection:
            tables = (*changes.anchored(), data_key, log_entry)
            return sum([await rows.count(connection, one) for one in tables])
    finally:
        await database.close()


async def inspect(
    connection: AsyncConnection,
    settings: Settings,
    master: MasterKeys,
    log: Logbook,
    told: Told,
) -> None:
    """Check all that `connection` sees, which must stand still meanwhile."""
    keyring = Keyring(master, settings.tenant)
    for where in await integrity.contradictions(connection):
        told.add("link_changed", where)
    if not await integrity.is_sound(connection):
        told.add("database_damaged", connection.dialect.name)
    await _structure(connection, settings, told)
    keys = Keys(connection, keyring)
    await keys.know_erased()
    await _data_keys(connection, keys, told)
    with newest() as anchors:
        try:
            await LogCheck(connection, keys, log, told).run(anchors)
        except LogBroken as error:
            told.add("log_changed", error.where or "log")
        await _rows(connection, keys, anchors, told)


_WANTED: Final[dict[str, structure.Structure]] = {}
"""By kind of database, how this release makes one."""


async def _wanted(settings: Settings, kind: str) -> structure.Structure:
    with tempfile.TemporaryDirectory() as folder:
        if kind == "sqlite":
            apart = open_sqlite(Path(folder) / "empty.db", patience=settings.database_wait_seconds)
        else:
            apart = open_database(settings)
        try:
            return await structure.wanted(apart)
        finally:
            await apart.close()


async def _structure(connection: AsyncConnection, settings: Settings, told: Told) -> None:
    found = await structure.read(connection)
    name = connection.dialect.name
    if name not in _WANTED:
        try:
            _WANTED[name] = await _wanted(settings, name)
        except DatabaseUnavailable:  # such as a role that may make no schema
            told.add("unreadable", "structure")
            return
    wanted = _WANTED[name]
    for part in sorted(found.keys() | wanted.keys()):
        if found.get(part) != wanted.get(part):
            told.add("structure_changed", part)


async def _data_keys(connection: AsyncConnection, keys: Keys, told: Told) -> None:
    epochs = {one.epoch for one in await master_keys.known(connection)}
    async for page in rows.pages(connection, data_key):
        told.read(len(page))
        for row in page:
            key = Key._make(row[name] for name in Key._fields)
            if key.wrapped is not None and keys.may_be_destroyed(
                (key.household, key.program, key.kind)
            ):
                told.add("key_came_back", place("data_key", changes.key_of(data_key, row)))
            if not is_fit(keys, key, epochs):
                told.add("key_changed", place("data_key", changes.key_of(data_key, row)))


async def _indexes(connection: AsyncConnection, keys: Keys, told: Told) -> Indexes | None:
    try:
        return await indexes(connection, keys.keyring)
    except (KeyFileError, ValueError):
        told.add("key_changed", "index_key")
        return None


async def _rows(connection: AsyncConnection, keys: Keys, anchors: Newest, told: Told) -> None:
    index = await _indexes(connection, keys, told)
    for table in changes.anchored():
        try:
            await _table(connection, table, keys, anchors, index, told)
        except (DBAPIError, UnicodeError):  # a text that is none, a page that is damaged
            told.add("unreadable", str(table.name))
    for name, key in anchors.left():
        told.add("row_missing", place(name, key))


async def _table(  # noqa: PLR0913, PLR0917 -- what it is compared with, and where it is told
    connection: AsyncConnection,
    table: sa.Table,
    keys: Keys,
    anchors: Newest,
    index: Indexes | None,
    told: Told,
) -> None:
    is_sealed = table.name in SEALED_TABLES
    async for page in rows.pages(connection, table):
        told.read(len(page))
        if is_sealed:
            await keys.of({str(row.get("household") or "") for row in page})
        for row in page:
            one = changes.anchor(table, row)
            wanted = anchors.take(one)
            if wanted != one.hashed:
                code = "row_without_anchor" if wanted is None else "row_changed"
                told.add(code, place(one.table, one.key))
            if is_sealed:
                check(keys, one.table, row, told)
        if table is registration and index is not None:
            await terms.check(connection, keys, index, page, told)
