"""Writing the access log: no entry, no answer.

Looks wait in a queue; one appender takes what is waiting, holds the log's head, looks again at the
epochs under which each was decided, writes the entries and the newly sealed head, and commits. Only
then do the looks go on; the head is signed soon after (`signing`). Whoever changes facts holds the
head too and writes their own entry in the same transaction, so between a decision and its entry no
fact can change unnoticed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.audit import (
    Certificate,
    Frontier,
    Receipt,
    leaf,
    leaf_hash,
    next_part_of,
    opening,
    present_shard,
)
from visitsync.audit.anchors import can_commit, digest, encode
from visitsync.errors import ClockOff, DatabaseUnavailable, LogBroken, VisitsyncError
from visitsync.service import leaving
from visitsync.service.entries import Draft, for_rows, placed
from visitsync.service.sealed_head import HeadSeal
from visitsync.service.signing import Signing
from visitsync.signer import LogSigner
from visitsync.store import access_log, anchors, changes, clock, epochs
from visitsync.store.access_log import Head, Row
from visitsync.store.database import Database

_MOST_AT_ONCE: Final = 256
_LONGEST_UNSIGNED: Final = 60_000_000
"""Microseconds for which an entry may wait for the signer; then nothing is read any more."""
_LOG: Final = structlog.get_logger()


class _Look:
    """A decided look that waits for its entry."""

    __slots__ = ("drafts", "epochs", "gone", "written")

    def __init__(self, drafts: Sequence[Draft], under: Mapping[str, int]) -> None:
        self.drafts = drafts
        self.epochs = under
        self.gone = False
        self.written: asyncio.Future[float | None] = asyncio.get_running_loop().create_future()
        """When the turn of its entry began, by the event loop's clock; None: it is not written."""


class Turn:
    """A transaction that can write to the log; the head is held from `hold` until it ends."""

    __slots__ = ("connection", "head", "log", "made")

    def __init__(self, log: Logbook, connection: AsyncConnection) -> None:
        self.log = log
        self.connection = connection
        self.head: Head | None = None
        self.made: Head | None = None

    async def hold(self) -> Head:
        """Hold the head, and check that it is ours.

        Raises:
            LogBroken: the stored head is not the one that was written, or an older one, or the
                signer refuses it.
            DatabaseUnavailable: it has not been signed for too long.
        """
        self.head = await access_log.lock(self.connection)
        self.log.check(self.head)
        return self.head

    async def append(self, drafts: Sequence[Draft]) -> tuple[Row, ...]:
        """Write entries after the head, which must be held, and the new head."""
        if self.head is None:
            raise LogBroken("The log's head is not held", where="append")
        rows, self.made = await self.log.append(self.connection, self.head, drafts)
        self.head = self.made
        return rows

    async def end(self) -> None:
        """Have the log say what was changed and does not stand in it yet."""
        if changes.is_any(self.connection):
            if self.head is None:
                await self.hold()
            await self.append([])


class Logbook:
    """The access log of one installation, for one process of possibly several.

    Args:
        database: where it stands.
        signing: which has its heads signed.
        seal: of its head.
        signer: which signs receipts too.
        tenant: the municipality.
        queue: how many looks may wait at one time.
        patience: seconds a look waits before it is refused.
    """

    def __init__(  # noqa: PLR0913 -- all that a log is made of
        self,
        database: Database,
        signing: Signing,
        seal: HeadSeal,
        signer: LogSigner,
        tenant: str,
        *,
        queue: int,
        patience: float,
        behind: float,
    ) -> None:
        self._database = database
        self.signing = signing
        self._seal = seal
        self._signer = signer
        self._tenant = tenant
        self._queue = queue
        self._patience = patience
        self._behind = behind
        self._seen = ("", 0)
        """Shard and size that were durable at some time."""
        self._waiting: deque[_Look] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def vkey(self) -> str:
        """The public key."""
        return self._signer.vkey

    async def receipt(self, told: Receipt) -> str:
        """A receipt as a signed note; for what stands in the log durably, and for nothing else.

        Raises:
            SignerError: the signer is away.
            LogBroken, DatabaseUnavailable: see `Signing.cover`.
        """
        await self.signing.cover()
        return await asyncio.to_thread(self._signer.receipt, told)

    async def certificate(self, told: Certificate) -> str:
        """A certificate of erasure as a signed note; likewise."""
        await self.signing.cover()
        return await asyncio.to_thread(self._signer.certificate, told)

    async def manifest(self, told: str) -> str:
        """What a backup says of itself, as a signed note.

        Raises:
            SignerError: the signer is away.
        """
        return await asyncio.to_thread(self._signer.manifest, told)

    # ── looks ─────────────────────────────────────────────────────────────────────────────────────
    async def look(
        self, draft: Draft, under: Mapping[str, int], rows: Sequence[Draft] = ()
    ) -> bool:
        """Write the entry of a decided look; True once it is durable.

        Args:
            draft: the entry.
            under: the epochs with which it was decided.
            rows: of a look that lists households, an entry for each, written with it or not at all.

        Returns:
            False if a fact has changed since: nothing was written, decide again.

        Raises:
            DatabaseUnavailable: it is not written, so it must not be answered.
            CommitUnknown: it may be written, but must not be answered either.
            LogBroken: the log's head is not what was signed.
        """
        if len(self._waiting) >= self._queue:
            raise DatabaseUnavailable("Too many looks wait for the access log; try again")
        one = _Look((draft, *rows), under)
        self._waiting.append(one)
        self._wake.set()
        try:
            turn = await asyncio.wait_for(one.written, self._patience)
        except TimeoutError:
            raise DatabaseUnavailable("The access log could not be written in time") from None
        finally:
            one.gone = True
        if turn is None:
            return False
        leaving.logged(turn)
        return True

    def start(self) -> None:
        """Begin to write looks, and to have them signed."""
        self.signing.start()
        self._task = asyncio.create_task(self._run(), name="access log")

    async def stop(self) -> None:
        """Stop; what still waits is refused."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        _refuse(self._waiting, DatabaseUnavailable("The service is stopping"))
        await self.signing.stop()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                count = min(len(self._waiting), _MOST_AT_ONCE)
                batch = [self._waiting.popleft() for _ in range(count)]
                await self._settle([one for one in batch if not one.gone])

    async def _settle(self, batch: Sequence[_Look]) -> None:
        if not batch:
            return
        try:
            turn, standing = await self._write(batch)
        except VisitsyncError as error:
            _refuse(batch, error)
        except Exception as error:  # noqa: BLE001 -- one broken look must not silence the log for all
            _LOG.error("access_log_failed", error=type(error).__name__)
            _refuse(batch, DatabaseUnavailable("The access log could not be written"))
        except BaseException:
            _refuse(batch, DatabaseUnavailable("The service is stopping"))
            raise
        else:
            for one in batch:
                if not one.written.done():
                    one.written.set_result(turn if one in standing else None)

    async def _write(self, batch: Sequence[_Look]) -> tuple[float, frozenset[_Look]]:
        """Write the entries of those looks whose epochs have not moved; and when that began."""
        async with self.writing() as turn:
            await turn.hold()
            began = asyncio.get_running_loop().time()
            scopes = {scope for one in batch for scope in one.epochs}
            present = await epochs.read(turn.connection, scopes)
            standing = [
                one
                for one in batch
                if all(present[scope] == value for scope, value in one.epochs.items())
            ]
            if standing:
                await turn.append([draft for one in standing for draft in one.drafts])
        return began, frozenset(standing)

    # ── the log itself ────────────────────────────────────────────────────────────────────────────
    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Turn]:
        """One transaction of the database that ends with entries in the log.

        Raises:
            DatabaseUnavailable: nothing was changed.
            CommitUnknown: the database went away while it committed.
        """
        async with self._database.writing() as connection:
            turn = Turn(self, connection)
            yield turn
            await turn.end()
        if turn.made is not None:
            # What is durable is remembered: a log that is shorter later on is an old one.
            self._seen = max(self._seen, (turn.made.shard, turn.made.size))
            self.signing.wake()

    async def append(
        self, connection: AsyncConnection, head: Head, drafts: Sequence[Draft]
    ) -> tuple[tuple[Row, ...], Head]:
        """Write entries after `head`, which the transaction holds, and the new head."""
        at = max(head.now, head.last_at)
        frontier = Frontier.from_bytes(head.frontier)
        rows: list[Row] = []
        shard = present_shard(head.shard, self._tenant, clock.instant(at))
        note, signed = head.note, head.signed
        if shard != head.shard:
            if signed < head.size:
                note = await self.signing.sign(connection, head)
            await access_log.close_year(connection, head.shard, head.size, note)
            frontier = Frontier()
            rows.append(self._opening(at, note))
            signed = 0
        start = frontier.size + len(rows)
        told = await _anchored(connection, drafts, shard, start)
        rows += [placed(one, shard, seq, at) for seq, one in enumerate(told, start)]
        await access_log.insert(connection, rows)
        since = at if head.unsigned_since is None else head.unsigned_since
        made = self._head(shard, frontier, rows, at)._replace(
            note=note, signed=signed, unsigned_since=since
        )
        await access_log.advance(connection, made)
        # An entry of its own for what was changed is nobody's: receipts name the last of `drafts`.
        return tuple(rows[: len(rows) - len(told) + len(drafts)]), made

    async def reopen(
        self, connection: AsyncConnection, head: Head, incident: Draft, note: str
    ) -> None:
        """Close what was put back at `note`, and go on in another part of the year.

        For the operators' ceremony only; whoever calls holds the head.
        """
        at = max(head.now, head.last_at)
        await access_log.close_year(connection, head.shard, head.size, note)
        row = placed(incident, next_part_of(head.shard), 0, at)
        await access_log.insert(connection, [row])
        await access_log.advance(connection, self._head(row.shard, Frontier(), [row], at))

    async def found(self, connection: AsyncConnection) -> None:
        """Begin the log of a new installation; it is signed once it is committed."""
        at = await clock.now(connection)
        body = encode(changes.take(connection))
        row = self._opening(at, None, digest(body))
        await access_log.insert(connection, [row])
        await anchors.add(connection, row.shard, row.seq, body)
        await access_log.begin(connection, self._head(row.shard, Frontier(), [row], at))

    def _opening(self, at: int, previous: str | None, payload: str | None = None) -> Row:
        entry = opening(self._tenant, clock.instant(at), previous=previous, payload=payload)
        return Row(entry.shard, 0, at, leaf(entry).decode(), None, None, 1)

    def _head(self, shard: str, frontier: Frontier, rows: Sequence[Row], at: int) -> Head:
        """The head after `rows`, sealed and not signed."""
        for row in rows:
            frontier.append(leaf_hash(row.leaf.encode()))
        made = Head(shard, frontier.size, frontier.to_bytes(), None, "", 0, at, at, at)
        return made._replace(seal=self._seal.of(made))

    def is_written(self, head: Head) -> None:
        """Check that a head is what was written, of whatever time.

        Raises:
            LogBroken: it is not.
        """
        self._seal.check(head)
        # Else whoever has the database alone could have an entry wait for the signer for ever.
        waits = head.signed < head.size
        if head.seal is not None and waits != (head.unsigned_since is not None):
            raise LogBroken("The access log's head contradicts itself", where=head.shard)

    def check(self, head: Head) -> None:
        """Check that a head is what was written, and no older one than was seen before.

        Raises:
            LogBroken: where it is not, or the signer refuses it.
            ClockOff: the clock was set back, further than is waited out.
            DatabaseUnavailable: it has not been signed for too long.
        """
        self.is_written(head)
        if (head.shard, head.size) < self._seen:
            raise LogBroken(
                "The access log is older than what this service wrote: an old database was "
                "put back. Stop, keep the database as it is, and tell the auditors"
            )
        self._seen = (head.shard, head.size)
        if self.signing.refused is not None:
            raise self.signing.refused
        behind = (head.last_at - head.now) / 1_000_000
        if behind > self._behind:
            raise ClockOff(
                f"The database's clock stands {behind:.0f} seconds before the newest log entry; "
                "set it by NTP. Nothing is read or written until then"
            )
        if head.unsigned_since is not None and head.now - head.unsigned_since > _LONGEST_UNSIGNED:
            raise DatabaseUnavailable(
                "The access log has not been signed for a minute; see to its signer"
            )


async def _anchored(
    connection: AsyncConnection, drafts: Sequence[Draft], shard: str, start: int
) -> Sequence[Draft]:
    """The entries, one of which commits to what the transaction has changed, if it has."""
    changed = changes.take(connection)
    if not changed:
        return drafts
    body = encode(changed)
    place = next((n for n, one in enumerate(drafts) if can_commit(one.fields)), len(drafts))
    told = [*drafts, for_rows()] if place == len(drafts) else list(drafts)
    fields = {**told[place].fields, "payload": digest(body)}
    told[place] = told[place]._replace(fields=fields)
    await anchors.add(connection, shard, start + place, body)
    return told


def _refuse(looks: Iterable[_Look], error: VisitsyncError) -> None:
    for one in looks:
        if not one.written.done():
            one.written.set_exception(error)
