"""The data keys in use: unwrapped once, kept in memory only, and sealing with them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
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
from visitsync.errors import Tampered
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


class Keyring:
    """Keys by their place.

    Args:
        master: from the key file.
        tenant: the municipality, to which everything sealed is bound.
        token_bits: of blind index tokens in this database.
    """

    def __init__(self, master: MasterKeys, tenant: str, token_bits: int) -> None:
        self._master = master
        self.tenant = tenant
        self.index: Final[IndexKey] = master.index_key(token_bits=token_bits)
        self._opened: Recent[Place, tuple[bytes, bytes]] = Recent(_MOST)
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
        return DataKeys(wrapped, self._unwrapped)

    def kept(self, places: Iterable[Place]) -> dict[Place, bytes] | None:
        """The keys of these places from memory; None unless all are there.

        A key that was destroyed stays here until `forget`; what it sealed is destroyed with it.
        """
        found = {}
        for place in places:
            known = self._opened.get(place)
            if known is None:
                return None
            found[place] = known[1]
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
            self._master.unwrap(self._nobodys, self._context(_NOBODYS))
            return None
        return self._master.unwrap(Wrapped(found.epoch, found.wrapped), self._context(place))

    def forget(self, household: str) -> None:
        """Drop the keys of a household from memory."""
        for place in self._opened.keys():  # noqa: SIM118 -- a copy, since it changes
            if place[0] == household:
                self._opened.drop(place)

    def made(self, place: Place) -> tuple[bytes, Key]:
        """A new key for `place` and the row to store."""
        key = new_data_key()
        wrapped = self._master.wrap(key, self._context(place))
        self._opened.put(place, (wrapped.sealed, key))
        return key, Key(*place, wrapped.epoch, data_keys.ACTIVE, wrapped.sealed)

    def _unwrapped(self, place: Place, wrapped: Wrapped) -> bytes:
        known = self._opened.get(place)
        if known is not None and known[0] == wrapped.sealed:
            return known[1]
        key = self._master.unwrap(wrapped, self._context(place))
        self._opened.put(place, (wrapped.sealed, key))
        return key

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
