"""Opening the database: connections that read, transactions that write, errors that tell nothing.

Reads run statement by statement outside a transaction. Writes are one transaction; on SQLite there
is one writer, which takes its lock at the beginning, so that it never fails half-way for it. When
one is cancelled, that is over only when it is rolled back.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from visitsync.errors import CommitUnknown, DatabaseUnavailable
from visitsync.schema.silent import silent
from visitsync.store import changes
from visitsync.store.embedded import EmbeddedConnection
from visitsync.store.prepared import driver_of
from visitsync.store.uncut import uncut

_NOT_DONE: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL})
"""SQLite's codes after which a commit certainly did not happen."""
_DAMAGED: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_LOOK: Final = {
    "postgresql": "SELECT count(*) FROM pg_namespace",
    "sqlite": "SELECT count(*) FROM sqlite_master",
}
"""What a database without any table answers, too."""
PAGE_BYTES: Final = 8192
DRIVER_ERRORS: Final = (
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    sqlite3.Error,
    OSError,
)
"""All that a driver raises; none of it is passed on."""


@silent
@dataclass(frozen=True, slots=True)
class Database:
    """One database, by its two doors."""

    name: str
    """``postgresql`` or ``sqlite``."""
    _begin: str
    _patience: float
    _reader: AsyncEngine
    _writer: AsyncEngine

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection on which each statement sees what was committed before it.

        Raises:
            DatabaseUnavailable: it is gone, locked or refuses.
        """
        with telling_nothing():
            async with self._reader.connect() as connection:
                try:
                    yield connection
                except DRIVER_ERRORS as error:
                    await uncut(self._let_go(connection, error))
                    raise

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A connection on which every statement sees the same instant; nobody waits for it.

        Raises:
            DatabaseUnavailable: it is gone, locked or refuses.
        """
        kind = " ISOLATION LEVEL REPEATABLE READ READ ONLY" if self.name == "postgresql" else ""
        async with self.reading() as connection:
            driver = driver_of(connection)
            try:
                await driver.execute(f"BEGIN{kind}")
                # The first statement that reads fixes what is seen.
                await connection.execute(sa.text(_LOOK[self.name]))
                yield connection
            except BaseException as error:
                await uncut(self._undo(connection, error))
                raise
            await self._undo(connection, LookupError())

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end, rolled back by any exception.

        Raises:
            DatabaseUnavailable: nothing was changed.
            CommitUnknown: the database went away while it committed.
        """
        with telling_nothing():
            async with self._writer.connect() as connection:
                driver = driver_of(connection)
                try:
                    await driver.execute(self._begin)
                    changes.begin(connection)
                    yield connection
                except BaseException as error:
                    await uncut(self._undo(connection, error))
                    raise
                try:
                    await driver.execute("COMMIT")
                except DRIVER_ERRORS as error:
                    await uncut(self._undo(connection, error))
                    if certainly_not_done(error):
                        raise
                    raise CommitUnknown(
                        "The database went away while it committed; look whether it was done"
                    ) from None
                except BaseException as error:
                    await uncut(self._undo(connection, error))
                    await uncut(self._let_go(connection, error))
                    raise

    async def scrub(self) -> None:
        """Have what was deleted overwritten as far as the database can, after an erasure.

        SQLite overwrites what it deletes, and its write-ahead log is emptied here unless somebody
        reads just then; PostgreSQL frees the rows of keys for what is written next. What backups,
        archives and disks keep is worth nothing once the master key of its time is destroyed.

        Raises:
            DatabaseUnavailable: it could not be done now; what was erased stays erased.
        """
        by_engine = {"sqlite": "PRAGMA wal_checkpoint(TRUNCATE)", "postgresql": "VACUUM data_key"}
        with telling_nothing():
            async with self._writer.connect() as connection:
                await connection.exec_driver_sql(by_engine[self.name])

    async def _undo(self, connection: AsyncConnection, why: BaseException) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await driver_of(connection).execute("ROLLBACK")
        except DRIVER_ERRORS:
            # Nothing began, or it was rolled back already, or the connection is gone.
            await self._let_go(connection, why)

    async def _let_go(self, connection: AsyncConnection, why: BaseException) -> None:
        """Take a connection out of use that may be broken; SQLite's, in this process, never is.

        If the server closed it, the idle ones are closed too: each would cost one more request.
        """
        if connection.invalidated and isinstance(why, asyncio.CancelledError):
            # SQLAlchemy closes the connection of a cancelled statement; nothing else is broken.
            return
        if self.name == "postgresql":
            gone = connection.invalidated or driver_of(connection).is_closed()
            await connection.invalidate()
            if gone:
                await self.close()

    async def close(self) -> None:
        """Close every connection that nobody uses."""
        await self._writer.dispose()
        await self._reader.dispose()


@contextmanager
def telling_nothing() -> Iterator[None]:
    """Turn what a driver raises into our own error: a driver's message may repeat values."""
    try:
        yield
    except DRIVER_ERRORS as error:
        kind = _kind(error)
        if kind.startswith(_DAMAGED):
            raise DatabaseUnavailable(
                f"The database's file is damaged ({kind}); stop the service and put a backup back"
            ) from None
        raise DatabaseUnavailable(
            f"The database is locked, full or gone ({kind}); nothing was changed"
        ) from None


def certainly_not_done(error: BaseException) -> bool:
    """Whether a failed commit certainly changed nothing."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlite_errorcode", None) in _NOT_DONE


def _kind(error: BaseException) -> str:
    # A code or a class name: what went wrong, without any value it went wrong with.
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    code = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
    return str(code or type(cause).__name__)


_SHARED: Final[Mapping[str, Any]] = {
    # Transactions are begun and ended here, not by SQLAlchemy or a driver.
    "isolation_level": "AUTOCOMMIT",
    "skip_autocommit_rollback": True,
    "pool_reset_on_return": None,
    "hide_parameters": True,
    "max_overflow": 0,
}


def open_postgresql(
    url: str, password: str | None, *, connections: int, patience: float
) -> Database:
    """A PostgreSQL database; nothing is connected yet.

    Args:
        url: ``postgresql://user@host/name``.
        password: apart from the address.
        connections: how many at most; half of them write, so that readers never starve the log.
        patience: seconds to wait for a connection or a lock.
    """
    address = sa.make_url(url).set(drivername="postgresql+asyncpg")
    if password is not None:
        address = address.set(password=password)
    if "host" in address.query:
        # A socket's folder is given as libpq takes it.
        address = address.set(host=str(address.query["host"])).difference_update_query(["host"])
    writers = max(1, connections // 2)
    shared: dict[str, Any] = {
        **_SHARED,
        "pool_timeout": patience,
        "connect_args": {
            "timeout": patience,
            "server_settings": {
                "application_name": "visitsync",
                "lock_timeout": f"{int(patience * 1000)}",
                "jit": "off",
                "idle_in_transaction_session_timeout": "120000",
            },
        },
    }
    reader = create_async_engine(
        address,
        pool_size=max(1, connections - writers),
        **shared,
    )
    writer = create_async_engine(address, pool_size=writers, **shared)
    return Database("postgresql", "BEGIN", patience, reader, writer)


def open_sqlite(file: Path, *, patience: float) -> Database:
    """The embedded database in `file`, made if it is not there yet.

    Args:
        file: beside it stand the write-ahead log and its index.
        patience: seconds to wait for another process's writer.
    """
    address = sa.URL.create("sqlite+aiosqlite", database=str(file))
    shared: dict[str, Any] = {
        **_SHARED,
        "connect_args": {
            "timeout": patience,
            "cached_statements": 512,
            "factory": EmbeddedConnection,
        },
        "pool_timeout": patience,
    }
    reader = create_async_engine(address, pool_size=4, **shared)
    writer = create_async_engine(address, pool_size=1, **shared)
    for engine in (reader, writer):
        sa.event.listen(engine.sync_engine, "connect", _set_up_sqlite)
    return Database("sqlite", "BEGIN IMMEDIATE", patience, reader, writer)


def _set_up_sqlite(connection: Any, _: object) -> None:  # noqa: ANN401 -- sqlalchemy's adapter
    cursor = connection.cursor()
    for pragma in (
        f"page_size = {PAGE_BYTES}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "trusted_schema = OFF",
        "cell_size_check = ON",
        "secure_delete = ON",
        "cache_size = -65536",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
