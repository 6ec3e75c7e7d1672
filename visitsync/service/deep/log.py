"""The access log whole: every entry, its sealed part and its anchors, and the heads they give."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.audit import (
    PRIVATE_LABEL,
    Checkpoint,
    Frontier,
    LogEntry,
    NoteVerifier,
    commitment,
    leaf_hash,
    open_signed,
    read_leaf,
)
from visitsync.audit.anchors import OWN_PAYLOAD, decode, digest, under
from visitsync.envelope import open_sealed
from visitsync.errors import IntegrityError, LogBroken
from visitsync.schema.silent import silent
from visitsync.service.deep.newest import Newest
from visitsync.service.deep.sealed import Keys
from visitsync.service.deep.trouble import Told, place
from visitsync.service.logbook import Logbook
from visitsync.store import access_log, anchors, clock
from visitsync.store.access_log import Head, Row

_SALT: Final = 16
_PAGE: Final = 1_000


@silent
class _Shard(NamedTuple):
    name: str
    size: int
    note: str
    signed: int


class LogCheck:
    """One reading of the log.

    Args:
        connection: which sees one instant.
        keys: that open sealed parts.
        log: whose head it is.
        told: what was found.
    """

    def __init__(self, connection: AsyncConnection, keys: Keys, log: Logbook, told: Told) -> None:
        self._connection = connection
        self._keys = keys
        self._log = log
        self._verifier = NoteVerifier(log.vkey)
        self._told = told
        self._is_anchored = False
        self._of_erased: dict[str, list[tuple[str, int]]] = {one: [] for one in keys.entries}

    async def run(self, newest: Newest) -> None:
        """Check it, and give `newest` every anchor in the order of the log."""
        head = await access_log.head(self._connection)
        closed = await access_log.years(self._connection)
        shards = [_Shard(shard, size, note, size) for shard, size, note in closed]
        shards.append(_Shard(head.shard, head.size, head.note, head.signed))
        at, before, frontier = 0, "", Frontier()
        for name, size, _ in closed:
            if size < 1:  # even a year in which nothing happened has its first entry
                self._told.add("log_changed", name)
        for shard in shards:
            frontier, at = await self._shard(shard, newest, at, before)
            before = shard.note
        self._head(head, frontier, at)
        self._erased()
        for name in await access_log.shards(self._connection):
            if name not in {one.name for one in shards}:
                self._told.add("log_changed", name)

    async def _shard(
        self, shard: _Shard, newest: Newest, at: int, before: str
    ) -> tuple[Frontier, int]:
        frontier = Frontier()
        anchored = anchors.of_shard(self._connection, shard.name)
        following = await anext(anchored, None)
        covered = None
        async for rows in access_log.pages(self._connection, shard.name, _PAGE):
            self._told.read(len(rows))
            await self._keys.of({row.household or "" for row in rows})
            for row in rows:
                if row.seq != frontier.size:
                    self._told.add("log_changed", f"{shard.name} {frontier.size}")
                    return frontier, at
                body = None
                if following is not None and following[0] == row.seq:
                    body = following[1]
                    following = await anext(anchored, None)
                self._entry(row, at, before, body, newest)
                frontier.append(leaf_hash(row.leaf.encode()))
                at = row.at
                if frontier.size == shard.signed:
                    covered = Checkpoint(shard.name, shard.signed, frontier.root())
        if following is not None:
            self._told.add("anchors_changed", f"{shard.name} {following[0]}")
        if frontier.size != shard.size or not self._is_signed(shard, covered):
            self._told.add("log_changed", shard.name)
        return frontier, at

    def _is_signed(self, shard: _Shard, covered: Checkpoint | None) -> bool:
        if shard.signed == 0:
            return True
        try:
            return open_signed(shard.note, [self._verifier]) == covered
        except LogBroken:
            return False

    def _entry(
        self, row: Row, earliest: int, before: str, body: bytes | None, newest: Newest
    ) -> None:
        where = f"{row.shard} {row.seq}"
        if row.household in self._of_erased:
            self._of_erased[row.household].append((row.shard, row.seq))
        try:
            entry = read_leaf(row.leaf.encode())
            stands = clock.stored_text(entry.time)
        except (LogBroken, ValueError):
            self._told.add("entry_changed", where)
            return
        chained = row.seq or not before or before in {entry.previous, entry.restored}
        if (entry.shard, entry.seq, stands) != (row.shard, row.seq, row.at) or not (
            row.at >= earliest and chained and self._opens(entry, row)
        ):
            self._told.add("entry_changed", where)
        self._anchors(entry, where, body, newest)

    def _opens(self, entry: LogEntry, row: Row) -> bool:
        if entry.pc is None:
            return (row.private, row.household, row.key_version) == (None, None, 1)
        if row.private is None:
            return False
        key = self._keys.log_key(row.household or "")
        if key is None:
            return self._keys.was_destroyed(row.household or "")
        try:
            place = self._keys.keyring.log_place(row.household, entry.pc, row.key_version)
            plain = open_sealed(key.of(row.key_version), place, row.private)
        except IntegrityError:
            return False
        return commitment(PRIVATE_LABEL, plain[:_SALT], plain[_SALT:]) == entry.pc

    def _erased(self) -> None:
        """What nobody can open any more must at least be what it was when its key was destroyed.

        Else whoever has the database alone could put an entry about another family under it.
        """
        for household, places in self._of_erased.items():
            if under(places) != self._keys.entries[household]:
                self._told.add("erased_entries_changed", place("log_entry", (household,)))

    def _anchors(self, entry: LogEntry, where: str, body: bytes | None, newest: Newest) -> None:
        commits = entry.payload if entry.kind not in OWN_PAYLOAD else None
        if body is None:
            # Before its first anchors a log that was migrated committed to submissions otherwise.
            if commits is not None and self._is_anchored:
                self._told.add("anchors_changed", where)
            return
        self._is_anchored = True
        if commits != digest(body):
            self._told.add("anchors_changed", where)
            return
        newest.put(decode(body, where=where))

    def _head(self, head: Head, frontier: Frontier, at: int) -> None:
        try:
            self._log.is_written(head)
        except LogBroken:
            self._told.add("log_changed", head.shard)
        waits = head.unsigned_since is not None
        if (
            head.frontier != frontier.to_bytes()
            or head.last_at != at
            or waits != (head.signed < head.size)
            or (head.unsigned_since is not None and head.unsigned_since > head.now)
        ):
            self._told.add("log_changed", head.shard)
