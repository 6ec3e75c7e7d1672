"""The data keys in use: unwrapped once, kept in memory for a while only, and sealing with them."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Final, NamedTuple

from visitsync.envelope import IndexKey, KeyContext, MasterKeys, Wrapped, new_data_key
from visitsync.errors import KeyFileError
from visitsync.schema.silent import silent
from visitsync.service.data_key import DataKey, DataKeys, Place, held
from visitsync.service.masters import refuse_other_index
from visitsync.service.recent import Recent
from visitsync.service.sealing import ProfilePlace, Sealing, VisitPlace
from visitsync.store import data_keys
from visitsync.store.data_keys import Key
from visitsync.store.index_keys import Epoch

__all__ = [
    "EVIDENCE",
    "LOG",
    "PERSONS",
    "RECORDS",
    "REPORTS",
    "STAFF",
    "DataKey",
    "DataKeys",
    "Keyring",
    "Place",
    "ProfilePlace",
    "VisitPlace",
    "held",
]

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

_NOBODYS: Final[Place] = ("", "", "nobodys")
"""Of a key that seals nothing: unwrapped where a household that there is not has none."""


@silent
class _Opened(NamedTuple):
    until: float
    keys: Mapping[int, tuple[bytes, bytes]]
    """By version, as it is wrapped and in clear."""


class Keyring(Sealing):
    """Keys by their place.

    Args:
        master: from the key file.
        tenant: the municipality, to which everything sealed is bound.
        again: reads the key file as it is now. It is asked where a key stands under an epoch that
            is not known yet, so that a rotation needs no restart.
    """

    def __init__(
        self, master: MasterKeys, tenant: str, *, again: Callable[[], MasterKeys] | None = None
    ) -> None:
        super().__init__(tenant)
        self.ids: Final = master.id_key
        self._opened: Recent[Place, _Opened] = Recent(_MOST)
        self._indexes: dict[Epoch, IndexKey] = {}
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
        self._indexes.clear()
        # Under a key that is there: what there is not must not be told by its failing.
        self._nobodys = master.wrap(new_data_key(), self._context(_NOBODYS, 1))

    def index(self, one: Epoch) -> IndexKey:
        """The key of the blind index of an epoch that the database names.

        Raises:
            KeyFileError: the key file lacks it, or holds another one.
        """
        found = self._indexes.get(one)
        if found is None:
            master = self._read_until(lambda held: one.epoch in held.index_epochs)
            refuse_other_index(master, [one])
            found = self._indexes[one] = master.index_key(one.epoch, token_bits=one.token_bits)
        return found

    def opened(self, rows: Iterable[Key]) -> DataKeys:
        """The keys of these rows, each unwrapped when it is asked for, without destroyed ones.

        Asking raises:
            KeyFileError: the key file is not the one that wrapped it.
            Tampered: the wrapped key was altered or moved.
        """
        wrapped: dict[Place, dict[int, Wrapped]] = defaultdict(dict)
        gone: set[Place] = set()
        for row in rows:
            place = (row.household, row.program, row.kind)
            if row.state == data_keys.ACTIVE and row.wrapped is not None:
                wrapped[place][row.version] = Wrapped(row.epoch, row.wrapped)
            else:
                gone.add(place)
        for place in gone:
            wrapped.pop(place, None)
        # With the master keys of now: rows read before an epoch was retired still open.
        return DataKeys(dict(wrapped), partial(self._unwrapped, self._master))

    def kept(self, wanted: Mapping[Place, Collection[int]]) -> dict[Place, DataKey] | None:
        """The keys of these places from memory, in these versions; None unless all are there.

        Where no version is named it seals, under the newest that was there when it was unwrapped.
        A key that was destroyed stays here until `forget`; what it sealed is destroyed with it.
        """
        found = {}
        for place, versions in wanted.items():
            known = self._in_memory(place)
            if known is None or not all(one in known.keys for one in versions):
                return None
            found[place] = DataKey(max(known.keys), partial(_of, known.keys))
        return found

    def log_key(self, household: str, rows: Iterable[Key]) -> DataKey | None:
        """The log key of a household; None where `rows` hold none, after the same work.

        It is unwrapped whether or not it is in memory, where one that there is not never is.

        Raises:
            KeyFileError, Tampered: as by `opened`.
        """
        place = (household, "", LOG)
        there = [one for one in rows if (one.household, one.program, one.kind) == place]
        found = max(there, key=lambda one: one.version, default=None)
        if found is None or found.state != data_keys.ACTIVE or found.wrapped is None:
            self._unwrap(self._master, _NOBODYS, 1, self._nobodys)
            return None
        wrapped = Wrapped(found.epoch, found.wrapped)
        key = self._unwrap(self._master, place, found.version, wrapped)
        return DataKey(found.version, {found.version: key}.__getitem__)

    def forget(self, household: str) -> None:
        """Drop the keys of a household from memory."""
        for place in self._opened.keys():  # noqa: SIM118 -- a copy, since it changes
            if place[0] == household:
                self._opened.drop(place)

    def forget_old(self) -> None:
        """Drop the keys that were unwrapped too long ago."""
        for place in self._opened.keys():  # noqa: SIM118 -- a copy, since it changes
            self._in_memory(place)

    def row(self, place: Place, key: bytes, epoch: int, *, version: int = 1, at: int = 0) -> Key:
        """The row to store of a key that was just made, by `new_keys.store`.

        It is not remembered: where the transaction is undone, somebody else makes the key.

        Raises:
            KeyFileError: the key file lacks the master key of `epoch`.
        """
        master = self._read_until(lambda one: epoch in one.epochs)
        wrapped = master.wrap(key, self._context(place, version), epoch=epoch)
        return Key(*place, epoch, data_keys.ACTIVE, wrapped.sealed, version, at)

    def under(self, epoch: int, row: Key) -> Key:
        """The same key under the master key of `epoch`; of a destroyed one, its row.

        Raises:
            KeyFileError: the key file lacks one of both epochs, or is not the one that wrapped it.
            Tampered: the wrapped key was altered or moved.
        """
        if row.wrapped is None:
            return row._replace(epoch=epoch)
        place = (row.household, row.program, row.kind)
        key = self._unwrap(self._master, place, row.version, Wrapped(row.epoch, row.wrapped))
        return self.row(place, key, epoch, version=row.version, at=row.made_at)

    def _unwrapped(
        self, master: MasterKeys, place: Place, versions: Mapping[int, Wrapped], version: int
    ) -> bytes:
        wrapped = versions[version]
        known = self._in_memory(place)
        one = None if known is None else known.keys.get(version)
        if one is not None and one[0] == wrapped.sealed:
            return one[1]
        key = self._unwrap(master, place, version, wrapped)
        self._remember(place, versions, version, key)
        return key

    def _unwrap(self, master: MasterKeys, place: Place, version: int, wrapped: Wrapped) -> bytes:
        if wrapped.epoch not in master.epochs:
            master = self._read_until(lambda one: wrapped.epoch in one.epochs)
        return master.unwrap(wrapped, self._context(place, version))

    def _read_until(self, holds: Callable[[MasterKeys], bool]) -> MasterKeys:
        """The keys, read again where they lack what is needed, but not over and over."""
        now = time.monotonic()
        if not holds(self._master) and self._again is not None and now >= self._not_before:
            self._not_before = now + _PATIENCE
            found = self._again()
            if holds(found):
                self.use(found)
                self._not_before = 0.0
        return self._master

    def _remember(
        self, place: Place, versions: Mapping[int, Wrapped], version: int, key: bytes
    ) -> None:
        """Keep a key beside its other versions that are still there; none of them for longer."""
        known = self._in_memory(place)
        before = {} if known is None else known.keys
        kept = {one: before[one] for one in before.keys() & versions.keys() if one != version}
        until = time.monotonic() + _LONGEST if known is None or not kept else known.until
        kept[version] = (versions[version].sealed, key)
        self._opened.put(place, _Opened(until, kept))

    def _in_memory(self, place: Place) -> _Opened | None:
        found = self._opened.get(place)
        if found is not None and time.monotonic() >= found.until:
            self._opened.drop(place)
            return None
        return found

    def _context(self, place: Place, version: int) -> bytes:
        household, program, kind = place
        return KeyContext(
            tenant=self.tenant, household=household, program=program, kind=kind, version=version
        ).encode()

    def content(self, said: bytes) -> bytes:
        """A keyed hash of what a report says, by which the same is known again."""
        return self.ids.exact("content", hashlib.sha256(said).hexdigest())[:_CONTENT_BYTES]


def _of(keys: Mapping[int, tuple[bytes, bytes]], version: int) -> bytes:
    return keys[version][1]
