"""One log with all that can happen to it, in memory and from one seed: the same each time.

Logbook, seal, signing, signer and verifier are visitsync's own; only database, disk and clock are
not. Whatever happens by itself must raise no alarm; whatever is done to the log must be noticed.
"""

from __future__ import annotations

import asyncio
import copy
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from hashlib import sha256
from io import BytesIO
from types import SimpleNamespace
from typing import Any, Final

import pytest

from visitsync.audit import (
    NoteSigner,
    NoteVerifier,
    Section,
    encode_bundle,
    key_name,
    leaf_hash,
    peek_checkpoint,
    root_of,
    stored_leaves,
    verify_bundle,
)
from visitsync.errors import CommitUnknown, DatabaseUnavailable, IntegrityError, SignerError
from visitsync.service import logbook, signing
from visitsync.service.entries import Draft
from visitsync.service.logbook import Logbook
from visitsync.service.sealed_head import HeadSeal
from visitsync.service.signing import Signing
from visitsync.signer import Signer, state
from visitsync.signer import signing as signers
from visitsync.signer.extension import Extension, Signed
from visitsync.signer.state import State
from visitsync.store import access_log, clock
from visitsync.store.access_log import Head, Row

STEPS: Final = 24
TENANT: Final = "shiomi"
KEY: Final = NoteSigner(key_name(TENANT), bytes(range(32)))
_BEGINNING: Final = 1_790_000_000_000_000
_SECOND: Final = 1_000_000
_DAY: Final = 86_400 * _SECOND
_ALARMS: Final = (IntegrityError, SignerError)


class Stored:
    """What the database holds."""

    def __init__(self) -> None:
        self.head: Head | None = None
        self.rows: dict[str, list[Row]] = {}
        self.years: list[tuple[str, int, str]] = []
        self.now = _BEGINNING
        self.info: dict[str, Any] = {}
        """Of a transaction: which rows it changed; there are none here but the log's own."""

    def copied(self) -> Stored:
        twin = copy.copy(self)
        twin.rows = {shard: list(rows) for shard, rows in self.rows.items()}
        twin.years = list(self.years)
        twin.info = {}
        return twin

    def leaves(self, shard: str) -> list[bytes]:
        return [row.leaf.encode() for row in self.rows[shard]]


class Disk:
    """The file with what the signer remembers."""

    def __init__(self) -> None:
        self.data: bytes | None = None

    def open(self, _: str) -> BytesIO:
        if self.data is None:
            raise FileNotFoundError
        return BytesIO(self.data)


class _Remembered(Signer):
    """The signer, and every head that it ever signed."""

    def __init__(self, disk: Any) -> None:
        super().__init__(disk, KEY)
        self.issued: list[str] = []

    def extend(self, asked: Extension) -> Signed | None:
        made = super().extend(asked)
        if made is not None and made.note not in self.issued[-1:]:
            self.issued.append(made.note)
        return made


def driven(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine answers that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        return ended.value
    raise AssertionError("it waits for something")


class Broken(AssertionError):
    """Something that must hold does not."""


class Simulation:
    """One seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 -- the same each time is what is wanted
        self.stored = Stored()
        self.disk = Disk()
        self.signer = _Remembered(self.disk)
        self.answered: list[bytes] = []
        self.done: Counter[str] = Counter()
        self.whole = True
        """Whether the next transactions are to succeed."""
        self._begin()
        driven(self._found())
        self._honest(self.log.signing.cover)
        self.older = [(self.stored.copied(), self.disk.data)]

    def run(self) -> bytes:
        """Go through the steps; a hash of all that is there at the end."""
        for _ in range(STEPS):
            self.whole = False
            step = self.chance.choice(_HAPPENS)
            self.done[step.__name__] += 1
            step(self)
            if self.chance.random() < 0.2:
                self.older.append((self.stored.copied(), self.disk.data))
        self.whole = True
        self._honest(self.log.signing.cover)
        self._holds()
        told = sha256(self.disk.data or b"")
        for shard in sorted(self.stored.rows):
            told.update(b"\n".join(self.stored.leaves(shard)))
        return told.digest()

    # ── the parts that are not visitsync's ────────────────────────────────────────────────────────
    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Stored]:
        yield self.stored

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Stored]:
        draft = self.stored.copied()
        yield draft
        outcome = 1.0 if self.whole else self.chance.random()
        if outcome < 0.1:
            raise DatabaseUnavailable("simulated")
        self.stored = draft
        if outcome < 0.2:
            raise CommitUnknown("simulated")

    def _begin(self) -> None:
        """A process begins, and knows nothing of the one before."""
        database: Any = self
        signed = Signing(database, self.signer)
        seal = HeadSeal(bytes(32), NoteVerifier(KEY.vkey))
        self.log = Logbook(
            database, signed, seal, self.signer, TENANT, queue=1, patience=1.0, behind=float("inf")
        )

    async def _found(self) -> None:
        connection: Any = self.stored
        await self.log.found(connection)

    async def _append(self, drafts: Sequence[Draft]) -> tuple[Row, ...]:
        async with self.log.writing() as turn:
            await turn.hold()
            return await turn.append(drafts)

    # ── what happens by itself ────────────────────────────────────────────────────────────────────
    def looks(self) -> None:
        count = self.chance.randint(1, 4)
        fields = {"actor": "staff:worker", "kind": "timeline_read", "pc": "0" * 64}
        draft = Draft(fields, None, b"", 1)
        rows = self._honest(lambda: self._append([draft] * count))
        if rows is not None:
            self.answered += [row.leaf.encode() for row in rows]

    def signs(self) -> None:
        self._honest(self.log.signing.cover)

    def clock_moves(self) -> None:
        most = self.chance.choice((_SECOND, 3600 * _SECOND, 200 * _DAY))
        self.stored.now += self.chance.randint(-min(most, _DAY), most)

    def crashes(self) -> None:
        self._begin()
        self._honest(self.log.signing.cover)

    def memory_of_before(self) -> None:
        """The signer's memory is an older one of the same log: it signs the same again."""
        fitting = [
            disk
            for stored, disk in self.older
            if stored.head is not None
            and self.stored.head is not None
            and stored.head.shard == self.stored.head.shard
        ]
        if fitting:
            self.disk.data = self.chance.choice(fitting)
            self._honest(self.log.signing.cover)

    def _honest(self, what: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        try:
            return driven(what())
        except _ALARMS as error:
            raise Broken(f"a false alarm: {error}") from error
        except (DatabaseUnavailable, CommitUnknown):
            return None

    # ── what is done to it ────────────────────────────────────────────────────────────────────────
    def entry_is_changed(self) -> None:
        shard = self.chance.choice(sorted(self.stored.rows))
        at = self.chance.randrange(len(self.stored.rows[shard]))

        def change() -> None:
            row = self.stored.rows[shard][at]
            place = self.chance.randrange(len(row.leaf))
            other = chr(ord(row.leaf[place]) ^ (1 << self.chance.randrange(7)))
            leaf = row.leaf[:place] + other + row.leaf[place + 1 :]
            self.stored.rows[shard][at] = row._replace(leaf=leaf)

        self._noticed(change)

    def head_is_changed(self) -> None:
        def change() -> None:
            head = self.stored.head
            assert head is not None
            assert head.seal is not None
            name = self.chance.choice(("frontier", "seal", "note", "size", "signed"))
            value: Any = getattr(head, name)
            if isinstance(value, int):
                value += 1
            elif isinstance(value, bytes):
                value = self._flipped(value)
            else:
                value = self._flipped(value.encode()).decode("latin-1")
            self.stored.head = head._replace(**{name: value})

        if self.stored.head is not None and self.stored.head.signed:
            self._noticed(change)

    def memory_is_changed(self) -> None:
        def change() -> None:
            assert self.disk.data is not None
            self.disk.data = self._flipped(self.disk.data)

        self._noticed(change)

    def memory_is_torn(self) -> None:
        def change() -> None:
            assert self.disk.data is not None
            self.disk.data = self.disk.data[: self.chance.randrange(len(self.disk.data))]

        self._noticed(change)

    def transaction_is_torn(self) -> None:
        """The head is there, and the last entry is not."""

        def change() -> None:
            assert self.stored.head is not None
            self.stored.rows[self.stored.head.shard].pop()

        self._noticed(change)

    def database_is_put_back(self) -> None:
        old, _ = self.chance.choice(self.older)
        size = self._reached(old)
        if size >= self._reached(self.stored):
            return
        last = self.signer.signed()
        assert last is not None
        # Whoever starts anew knows what was signed and nothing more.
        restarted = self.chance.random() < 0.5 and (last.shard, last.size) > size
        known = self.log._seen > size  # noqa: SLF001 -- what a running process knows
        if not restarted and not known:
            return

        def change() -> None:
            now = self.stored.now
            self.stored = old.copied()
            self.stored.now = now
            if restarted:
                self._begin()

        self._noticed(change)

    @staticmethod
    def _reached(stored: Stored) -> tuple[str, int]:
        assert stored.head is not None
        return stored.head.shard, stored.head.size

    def _flipped(self, data: bytes) -> bytes:
        place = self.chance.randrange(len(data))
        flipped = data[place] ^ (1 << self.chance.randrange(7))
        return data[:place] + bytes((flipped,)) + data[place + 1 :]

    def _noticed(self, change: Callable[[], None]) -> None:
        """Have it done, look whether anything notices, and undo it."""
        kept = self.stored.copied(), self.disk.data, self.log, list(self.signer.issued)
        self.whole = True
        change()
        try:
            if not self._alarm():
                raise Broken("nothing noticed it")
        finally:
            self.stored, self.disk.data, self.log, self.signer.issued = kept

    def _alarm(self) -> bool:
        try:
            driven(self._hold())
            driven(self.log.signing.cover())
        except _ALARMS:
            return True
        except DatabaseUnavailable:
            return self._alarm_when_signed()
        return self._verdict() == 1

    def _alarm_when_signed(self) -> bool:
        try:
            driven(self.log.signing.cover())
            driven(self._hold())
        except _ALARMS:
            return True
        return self._verdict() == 1

    async def _hold(self) -> None:
        async with self.log.writing() as turn:
            await turn.hold()

    # ── what must hold ────────────────────────────────────────────────────────────────────────────
    def _verdict(self) -> int:
        stored = self.stored
        assert stored.head is not None
        notes = {shard: note for shard, _, note in stored.years}
        notes[stored.head.shard] = stored.head.note
        sections = [
            Section(origin=shard, leaves=stored_leaves(stored.leaves(shard)), note=notes[shard])
            for shard in sorted(stored.rows)
        ]
        data = encode_bundle(sections)
        return verify_bundle(data, KEY.vkey, self.chance.choice(self.signer.issued)).exit_code

    def _holds(self) -> None:
        leaves = {shard: self.stored.leaves(shard) for shard in self.stored.rows}
        there = Counter(line for lines in leaves.values() for line in lines)
        if Counter(self.answered) - there:
            raise Broken("an answered entry is lost")
        times = [row.at for shard in sorted(leaves) for row in self.stored.rows[shard]]
        if times != sorted(times):
            raise Broken("time goes back")
        for note in self.signer.issued:
            told = peek_checkpoint(note)
            if told.root != root_of([*map(leaf_hash, leaves[told.origin][: told.size])]):
                raise Broken("a signed head contradicts the log")
        if self._verdict() != 0:
            raise Broken("the verifier cries wolf")


_HAPPENS: Final[tuple[Callable[[Simulation], None], ...]] = (
    *(Simulation.looks,) * 5,
    *(Simulation.signs, Simulation.signs, Simulation.crashes, Simulation.clock_moves),
    *(Simulation.memory_of_before, Simulation.entry_is_changed, Simulation.head_is_changed),
    *(Simulation.memory_is_changed, Simulation.memory_is_torn),
    *(Simulation.transaction_is_torn, Simulation.database_is_put_back),
)
EVERY_STEP: Final = frozenset(one.__name__ for one in _HAPPENS)


# ── in the place of the database's statements ─────────────────────────────────────────────────────
async def _lock(stored: Stored) -> Head:
    assert stored.head is not None
    return stored.head._replace(now=stored.now)


async def _insert(stored: Stored, rows: Sequence[Row]) -> None:
    for row in rows:
        there = stored.rows.setdefault(row.shard, [])
        assert row.seq == len(there), "the database holds each place once"
        there.append(row)


async def _advance(stored: Stored, head: Head) -> None:
    stored.head = head


async def _close_year(stored: Stored, shard: str, size: int, note: str) -> None:
    stored.years.append((shard, size, note))


async def _cover(stored: Stored, shard: str, size: int, note: str, now: int) -> None:
    head = stored.head
    assert head is not None
    if head.shard == shard and head.signed < size:
        since = None if head.size == size else now
        stored.head = head._replace(note=note, signed=size, unsigned_since=since)


async def _entries(
    stored: Stored, shard: str, size: int, *, start: int = 0
) -> AsyncIterator[tuple[int, int, str]]:
    for row in stored.rows.get(shard, [])[start:size]:
        yield row.seq, row.at, row.leaf


async def _now(stored: Stored) -> int:
    return stored.now


async def _at_once(what: Callable[..., Any], *arguments: Any) -> Any:
    return what(*arguments)


@contextmanager
def _held(disk: Any) -> Iterator[State]:
    yield State(disk)


def _replace_file(disk: Any, data: bytes) -> None:
    disk.data = data


async def _kept_nowhere(*_: Any) -> None:
    """Anchors have tests of their own."""


def in_memory(patch: pytest.MonkeyPatch) -> None:
    """Give visitsync a database, a disk and a clock in memory."""
    for name, one in (
        *(("lock", _lock), ("head", _lock), ("insert", _insert), ("advance", _advance)),
        *(("begin", _advance), ("close_year", _close_year), ("cover", _cover)),
        ("entries", _entries),
    ):
        patch.setattr(access_log, name, one)
    patch.setattr(logbook, "anchors", SimpleNamespace(add=_kept_nowhere))
    patch.setattr(logbook, "clock", SimpleNamespace(now=_now, instant=clock.instant))
    patch.setattr(signing, "asyncio", SimpleNamespace(to_thread=_at_once, Event=asyncio.Event))
    patch.setattr(signers, "held", _held)
    patch.setattr(state, "replace_file", _replace_file)
