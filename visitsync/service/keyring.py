"""The data keys in use: unwrapped once, kept in memory for a while only, and sealing with them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from visitsync.envelope import (
    Context,
    IndexKey,
    KeyContext,
    MasterKeys,
    Wrapped,
    new_data_key,
    open_sealed,
    seal,
)
from visitsync.errors import KeyFileError, Tampered
from visitsync.service.recent import Recent
from visitsync.store import data_keys
from visitsync.store.data_keys import Key

RECORDS: Final = "records"
PERSONS: Final = "persons"
LOG: Final = "log"
STAFF: Final = "staff"
REPORTS: Final = "reports"
EVIDENCE: Final = "evidence"
"""What a data key is for. Those of staff, reports, and the log of what concerns no household have
none."""

_MOST: Final = 50_000
_LONGEST: Final = 15 * 60.0
"""Seconds for which an unwrapped key is used from memory."""
_PATIENCE: Final = 5.0
"""Seconds between two looks into a key file that lacked an epoch."""
_CONTENT_BYTES: Final = 16

Place: TypeAlias = tuple[str, str, str]
"""Household, program and what the key is for; the first two may be empty."""

_NOBODYS: Final[Place] = ("", "", "nobodys")
"""Of a key that seals nothing: unwrapped where a household that there is not has none."""


class VisitPlace(NamedTuple):
    """Where one revision of a report is sealed."""

    household: str
    program: str
    record: str
    revision: int


class ProfilePlace(NamedTuple):
    """Where one edition of what an office knows of a family is sealed."""

    household: str
    registration: str
    edition: int


class DataKeys(Mapping[Place, bytes]):
    """Data keys by their place; never printed.

    Most households that a blind token finds are not compared, so a key that stands in the database
    is unwrapped only when it is asked for.
    """

    __slots__ = ("_made", "_unwrap", "_wrapped")

    def __init__(
        self, wrapped: Mapping[Place, Wrapped], unwrap: Callable[[Place, Wrapped], bytes]
    ) -> None:
        self._wrapped = wrapped
        self._unwrap = unwrap
        self._made: dict[Place, bytes] = {}

    def put(self, place: Place, key: bytes) -> None:
        """Add a key that was just made."""
        self._made[place] = key

    def __getitem__(self, place: Place) -> bytes:
        made = self._made.get(place)
        if made is None:
            made = self._made[place] = self._unwrap(place, self._wrapped[place])
        return made

    def __iter__(self) -> Iterator[Place]:
        return iter({**self._wrapped, **self._made})

    def __len__(self) -> int:
        return len(self._wrapped.keys() | self._made.keys())

    def __repr__(self) -> str:
        return f"<DataKeys, {len(self)}>"


class _Opened(NamedTuple):
    until: float
    wrapped: bytes
    key: bytes


class Keyring:
    """Keys by their place.

    Args:
        master: from the key file.
        tenant: the municipality, to which everything sealed is bound.
        token_bits: of blind index tokens in this database.
        again: reads the key file as it is now. It is asked where a key stands under an epoch that
            is not known yet, so that a rotation needs no restart.
    """

    def __init__(
        self,
        master: MasterKeys,
        tenant: str,
        token_bits: int,
        *,
        again: Callable[[], MasterKeys] | None = None,
    ) -> None:
        self.tenant = tenant
        self.index: Final[IndexKey] = master.index_key(token_bits=token_bits)
        self._opened: Recent[Place, _Opened] = Recent(_MOST)
        self._again = again
        self._not_before = 0.0
        self.use(master)

    def use(self, master: MasterKeys) -> None:
        """Go on with the keys of a newer key file.

        Raises:
            KeyFileError: it is another installation's.
        """
        before = getattr(self, "_master", master)
        if master.signing_seed != before.signing_seed:
            raise KeyFileError(
                "The key file was replaced by another database's; put the right one back"
            )
        self._master = master
        # Under a key that is there: what there is not must not be told by its failing.
        self._nobodys = master.wrap(new_data_key(), self._context(_NOBODYS))

    def opened(self, rows: Iterable[Key]) -> DataKeys:
        """The keys of these rows, each unwrapped when it is asked for, without destroyed ones.

        Asking raises:
            KeyFileError: the key file is not the one that wrapped it.
            Tampered: the wrapped key was altered or moved.
        """
        wrapped = {
            (row.household, row.program, row.kind): Wrapped(row.epoch, row.wrapped)
            for row in rows
            if row.state == data_keys.ACTIVE and row.wrapped is not None
        }
        # With the master keys of now: rows read before an epoch was retired still open.
        return DataKeys(wrapped, partial(self._unwrapped, self._master))

    def kept(self, places: Iterable[Place]) -> dict[Place, bytes] | None:
        """The keys of these places from memory; None unless all are there.

        A key that was destroyed stays here until `forget`; what it sealed is destroyed with it.
        """
        found = {}
        for place in places:
            known = self._in_memory(place)
            if known is None:
                return None
            found[place] = known.key
        return found

    def log_key(self, household: str, rows: Iterable[Key]) -> bytes | None:
        """The log key of a household; None where `rows` hold none, after the same work.

        It is unwrapped whether or not it is in memory, where one that there is not never is.

        Raises:
            KeyFileError, Tampered: as by `opened`.
        """
        place = (household, "", LOG)
        found = next((one for one in rows if (one.household, one.program, one.kind) == place), None)
        if found is None or found.state != data_keys.ACTIVE or found.wrapped is None:
            self._unwrap(self._master, _NOBODYS, self._nobodys)
            return None
        return self._unwrap(self._master, place, Wrapped(found.epoch, found.wrapped))

    def forget(self, household: str) -> None:
        """Drop the keys of a household from memory."""
        for place in self._opened.keys():  # noqa: SIM118 -- a copy, since it changes
            if place[0] == household:
                self._opened.drop(place)

    def forget_old(self) -> None:
        """Drop the keys that were unwrapped too long ago."""
        for place in self._opened.keys():  # noqa: SIM118 -- a copy, since it changes
            self._in_memory(place)

    def row(self, place: Place, key: bytes, epoch: int) -> Key:
        """The row to store of a key that was just made, by `new_keys.store`.

        It is not remembered: where the transaction is undone, somebody else makes the key.

        Raises:
            KeyFileError: the key file lacks the master key of `epoch`.
        """
        wrapped = self._holding(epoch).wrap(key, self._context(place), epoch=epoch)
        return Key(*place, epoch, data_keys.ACTIVE, wrapped.sealed)

    def under(self, epoch: int, row: Key) -> Key:
        """The same key under the master key of `epoch`; of a destroyed one, its row.

        Raises:
            KeyFileError: the key file lacks one of both epochs, or is not the one that wrapped it.
            Tampered: the wrapped key was altered or moved.
        """
        if row.wrapped is None:
            return row._replace(epoch=epoch)
        place = (row.household, row.program, row.kind)
        key = self._unwrap(self._master, place, Wrapped(row.epoch, row.wrapped))
        return self.row(place, key, epoch)

    def _unwrapped(self, master: MasterKeys, place: Place, wrapped: Wrapped) -> bytes:
        known = self._in_memory(place)
        if known is not None and known.wrapped == wrapped.sealed:
            return known.key
        key = self._unwrap(master, place, wrapped)
        self._remember(place, wrapped, key)
        return key

    def _unwrap(self, master: MasterKeys, place: Place, wrapped: Wrapped) -> bytes:
        if wrapped.epoch not in master.epochs:
            master = self._holding(wrapped.epoch)
        return master.unwrap(wrapped, self._context(place))

    def _holding(self, epoch: int) -> MasterKeys:
        """The master keys, read again where they lack `epoch`, but not over and over."""
        now = time.monotonic()
        if epoch not in self._master.epochs and self._again is not None and now >= self._not_before:
            self._not_before = now + _PATIENCE
            found = self._again()
            if epoch in found.epochs:
                self.use(found)
                self._not_before = 0.0
        return self._master

    def _remember(self, place: Place, wrapped: Wrapped, key: bytes) -> None:
        self._opened.put(place, _Opened(time.monotonic() + _LONGEST, wrapped.sealed, key))

    def _in_memory(self, place: Place) -> _Opened | None:
        found = self._opened.get(place)
        if found is not None and time.monotonic() >= found.until:
            self._opened.drop(place)
            return None
        return found

    def _context(self, place: Place) -> bytes:
        household, program, kind = place
        return KeyContext(
            tenant=self.tenant, household=household, program=program, kind=kind
        ).encode()

    # ── sealing ───────────────────────────────────────────────────────────────────────────────────
    def token(self, kind: str, value: str) -> str:
        """The blind index token of a compound value, as it is stored."""
        return f"{kind}:{self.index.token(kind, value).hex()}"

    def content(self, said: bytes) -> bytes:
        """A keyed hash of what a report says, by which the same is known again."""
        return self.index.exact("content", hashlib.sha256(said).hexdigest())[:_CONTENT_BYTES]

    def log_place(self, household: str | None, pc: str) -> Context:
        """Where the private part of a log entry is sealed: bound to its commitment."""
        return Context(
            tenant=self.tenant,
            program="",
            household=household or "",
            record=pc,
            revision=0,
            schema="log-private/1",
            kind="log",
        )

    def seal_visit(self, key: bytes, at: VisitPlace, line: bytes) -> bytes:
        """One revision of a report, sealed in its place."""
        return seal(key, self._visit(at), line)

    def open_visit(self, key: bytes, at: VisitPlace, sealed: bytes) -> bytes:
        """What `seal_visit` sealed in this place.

        Raises:
            Tampered: it was altered, or is of another place.
        """
        return open_sealed(key, self._visit(at), sealed)

    def seal_profile(self, key: bytes, at: ProfilePlace, persons: bytes) -> bytes:
        """What an office knows of a registration's persons, sealed in its place."""
        return seal(key, self._profile(at), persons)

    def open_profile(self, key: bytes, at: ProfilePlace, sealed: bytes) -> bytes:
        """What `seal_profile` sealed in this place.

        Raises:
            Tampered: it was altered, or is of another place.
        """
        return open_sealed(key, self._profile(at), sealed)

    def seal_evidence(self, key: bytes, household: str, directive: str, plain: bytes) -> bytes:
        """What a family signed for a directive, sealed in its place."""
        return seal(key, self._evidence(household, directive), plain)

    def open_evidence(self, key: bytes, household: str, directive: str, sealed: bytes) -> bytes:
        """What `seal_evidence` sealed in this place.

        Raises:
            Tampered: it was altered, or is of another place.
        """
        return open_sealed(key, self._evidence(household, directive), sealed)

    def seal_general(self, key: bytes, kind: str, record: str, plain: bytes) -> bytes:
        """What concerns no household, such as an entry of the directory, sealed in its place."""
        return seal(key, self._general(kind, record), plain)

    def open_general(self, key: bytes, kind: str, record: str, sealed: bytes) -> bytes:
        """What `seal_general` sealed in this place.

        Raises:
            Tampered: it was altered, or is of another place.
        """
        return open_sealed(key, self._general(kind, record), sealed)

    def _visit(self, at: VisitPlace) -> Context:
        return Context(
            tenant=self.tenant,
            program=at.program,
            household=at.household,
            record=at.record,
            revision=at.revision,
            schema="visit/1",
            kind="visit",
        )

    def _profile(self, at: ProfilePlace) -> Context:
        return Context(
            tenant=self.tenant,
            program="",
            household=at.household,
            record=at.registration,
            revision=at.edition,
            schema="persons/1",
            kind="persons",
        )

    def _evidence(self, household: str, directive: str) -> Context:
        return Context(
            tenant=self.tenant,
            program="",
            household=household,
            record=directive,
            revision=0,
            schema="evidence/1",
            kind=EVIDENCE,
        )

    def _general(self, kind: str, record: str) -> Context:
        return Context(
            tenant=self.tenant,
            program="",
            household="",
            record=record,
            revision=0,
            schema=f"{kind}/1",
            kind=kind,
        )


def held(keys: Mapping[Place, bytes], place: Place) -> bytes:
    """The key of a place that must have one.

    Raises:
        Tampered: there is none; it was deleted or destroyed.
    """
    try:
        return keys[place]
    except KeyError:
        raise Tampered("its data key is not there", where=place[2]) from None
