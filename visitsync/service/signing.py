"""Having the log's head signed once it is committed: every second, and whenever somebody waits.

The signer is asked after the commit, so that what it signed always stands in the database: if ever
the database ends before that, an old one was put back.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.audit import Checkpoint, Frontier, NoteVerifier, leaf_hash, open_signed
from visitsync.errors import IntegrityError, LogBroken, VisitsyncError
from visitsync.signer import Extension, LogSigner, Signed
from visitsync.store import access_log
from visitsync.store.access_log import Head
from visitsync.store.database import Database

_EVERY: Final = 1.0
"""Seconds between two heads, at least."""
_TRIES: Final = 8
_LOG: Final = structlog.get_logger()


class Signing:
    """The signer, asked by one process of possibly several.

    Args:
        database: where the log stands.
        signer: which signs its heads.
    """

    def __init__(self, database: Database, signer: LogSigner) -> None:
        self._database = database
        self._signer = signer
        self._verifier = NoteVerifier(signer.vkey)
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.refused: IntegrityError | None = None
        """Why the signer signs no more; then nothing is read any more either."""

    def start(self) -> None:
        """Begin to have heads signed."""
        self._task = asyncio.create_task(self._run(), name="signing")

    async def stop(self) -> None:
        """Stop, and have signed what still waits, if that can be done."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._wake.is_set():
            await self._try()

    def wake(self) -> None:
        """Entries were committed."""
        self._wake.set()

    async def cover(self) -> str:
        """Have the head that is committed now signed, and keep its checkpoint; the newest one.

        Raises:
            LogBroken: the signer refuses, because the log does not extend what it signed.
            SignerError: the signer cannot sign.
            DatabaseUnavailable: the log cannot be read, or the checkpoint not be kept.
        """
        async with self._database.reading() as connection:
            for _ in range(_TRIES):
                # Asked before the database: it knows nothing yet that is committed only afterwards,
                # whatever another service has signed meanwhile.
                last = await asyncio.to_thread(self._signer.signed)
                head = await access_log.head(connection)
                if head.signed == head.size and last is not None and last.note == head.note:
                    return head.note
                note = await self._extended(connection, head, last)
                if note is not None:
                    break
            else:
                raise LogBroken("The signer signs another log at the same time", where="signer")
        async with self._database.writing() as connection:
            await access_log.cover(connection, head.shard, head.size, note, head.now)
        return note

    async def sign(self, connection: AsyncConnection, head: Head) -> str:
        """The checkpoint of a committed head, which is held.

        Raises:
            LogBroken, SignerError: as by `cover`.
        """
        for _ in range(_TRIES):
            last = await asyncio.to_thread(self._signer.signed)
            note = await self._extended(connection, head, last)
            if note is not None:
                return note
        raise LogBroken("The signer signs another log at the same time", where=head.shard)

    async def _extended(
        self, connection: AsyncConnection, head: Head, last: Signed | None
    ) -> str | None:
        """The checkpoint of a head after the `last` one; None if another was signed meanwhile."""
        asked = await _extension(connection, head, last)
        made = await asyncio.to_thread(self._signer.extend, asked)
        if made is None:
            return None
        self._check(made, head)
        return made.note

    def _check(self, made: Signed, head: Head) -> None:
        """Believe the signer no more than anybody else."""
        root = Frontier.from_bytes(head.frontier).root()
        if open_signed(made.note, [self._verifier]) != Checkpoint(head.shard, head.size, root):
            raise LogBroken("The signer signed another head", where=head.shard)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not await self._try():
                self._wake.set()
            await asyncio.sleep(_EVERY)

    async def _try(self) -> bool:
        try:
            await self.cover()
        except IntegrityError as error:
            self.refused = error
            _LOG.error("signer_refused", error=error.code)
            return False
        except VisitsyncError as error:
            _LOG.error("signer_failed", error=error.code)
            return False
        self.refused = None
        return True


async def _extension(connection: AsyncConnection, head: Head, last: Signed | None) -> Extension:
    """What the signer has not seen yet of a committed log.

    Raises:
        LogBroken: it has seen more than there is.
    """
    known = 0 if last is None or last.shard != head.shard else last.size
    if last is not None and (last.shard > head.shard or known > head.size):
        raise LogBroken(
            "The access log is older than what was signed: an old database was put back. Keep it "
            "as it is, and follow the runbook",
            where=head.shard,
        )
    if last is None and head.signed > 0:
        raise LogBroken(
            "The log's signer does not remember what it signed; put its file back, or follow the "
            "runbook",
            where="signer",
        )
    leaves = [
        leaf.encode()
        async for _, _, leaf in access_log.entries(connection, head.shard, head.size, start=known)
    ]
    return Extension(
        shard=head.shard,
        start=known,
        hashes=tuple(map(leaf_hash, leaves)),
        root=Frontier.from_bytes(head.frontier).root(),
        opening=None if known else next(iter(leaves), None),
    )
