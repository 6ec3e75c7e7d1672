"""The keys of a deep check, and opening whatever is sealed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import IntegrityError, KeyFileError
from visitsync.service.deep.trouble import Told, place
from visitsync.service.keyring import (
    EVIDENCE,
    LOG,
    PERSONS,
    RECORDS,
    REPORTS,
    STAFF,
    DataKey,
    Keyring,
    Place,
    ProfilePlace,
    VisitPlace,
)
from visitsync.store import data_keys, tombstones
from visitsync.store.data_keys import Key

_STATES: Final = frozenset({data_keys.ACTIVE, data_keys.DESTROYED})


class Keys:
    """The data keys of some households at a time."""

    def __init__(self, connection: AsyncConnection, keyring: Keyring) -> None:
        self.keyring: Final = keyring
        self._connection = connection
        self._states: dict[Place, set[bool]] = {}
        self._erased: frozenset[tuple[str, str]] = frozenset()
        self.entries: Mapping[str, str | None] = {}
        """By household whose log key was destroyed, which entries stood under it."""
        self.opened: Mapping[Place, DataKey] = {}

    async def know_erased(self) -> None:
        """Have at hand which households were erased: of no other may a key be destroyed."""
        known = await tombstones.known(self._connection)
        self._erased = frozenset((one.household, one.what) for one in known)
        self.entries = {one.household: one.entries for one in known if one.what == tombstones.LOG}

    def may_be_destroyed(self, at: Place) -> bool:
        """Whether a tombstone says that the key of a place is no more."""
        household, program, kind = at
        is_log = program == "" and kind == LOG
        return (household, tombstones.LOG if is_log else tombstones.RECORDS) in self._erased

    async def of(self, households: Collection[str]) -> None:
        """Have the keys of these at hand, and no others."""
        found = await data_keys.of_households(self._connection, households)
        self._states = {}
        for one in found:
            at = (one.household, one.program, one.kind)
            is_gone = one.state == data_keys.DESTROYED and one.wrapped is None
            self._states.setdefault(at, set()).add(is_gone)
        self.opened = self.keyring.opened(found)

    def key(self, at: Place) -> DataKey | None:
        """The key of a place; None where there is none that opens, or it was destroyed."""
        try:
            return self.opened.get(at)
        except (IntegrityError, KeyFileError):
            return None

    def log_key(self, household: str) -> DataKey | None:
        """The key of what the log says of a household."""
        return self.key((household, "", LOG))

    def is_destroyed(self, at: Place) -> bool:
        """Whether its key was destroyed by an erasure, and not merely taken away."""
        return self._states.get(at) == {True} and self.may_be_destroyed(at)

    def was_destroyed(self, household: str) -> bool:
        """Whether the log key of a household was destroyed."""
        return self.is_destroyed((household, "", LOG))


def is_fit(keys: Keys, row: Key, epochs: Collection[int]) -> bool:
    """Whether a data key is as it was stored, or was destroyed by an erasure."""
    if row.state not in _STATES or row.epoch not in epochs:
        return False
    at = (row.household, row.program, row.kind)
    if row.state == data_keys.DESTROYED:
        return row.wrapped is None and keys.may_be_destroyed(at)
    try:
        return bool(keys.keyring.opened([row])[at].of(row.version))
    except (IntegrityError, KeyFileError, KeyError):
        return False


def check(keys: Keys, table: str, row: Mapping[str, Any], told: Told) -> None:
    """Open what is sealed in a row; one whose key was destroyed is no trouble."""
    at, opening = _SEALED[table](keys.keyring, row)
    key = keys.key(at)
    where = place(table, tuple(row[name] for name in _NAMED[table]))
    if key is None:
        if not keys.is_destroyed(at):
            told.add("key_missing", where)
        return
    try:
        opening(key)
    except IntegrityError:
        told.add("does_not_open", where)


_Opening = tuple[Place, Callable[[DataKey], object]]


def _visit(keyring: Keyring, row: Mapping[str, Any]) -> _Opening:
    home, program = row["household"], row["program"]
    stands = VisitPlace(home, program, row["id"], row["revision"])
    return (home, program, RECORDS), lambda key: keyring.open_visit(
        key, stands, row["sealed"], row["key_version"]
    )


def _registration(keyring: Keyring, row: Mapping[str, Any]) -> _Opening:
    stands = ProfilePlace(row["household"], row["id"], row["edition"])
    return (row["household"], "", PERSONS), lambda key: keyring.open_profile(
        key, stands, row["profile"], row["key_version"]
    )


def _evidence(keyring: Keyring, row: Mapping[str, Any]) -> _Opening:
    home = row["household"]
    return (home, "", EVIDENCE), lambda key: keyring.open_evidence(
        key, home, row["directive"], row["sealed"], row["key_version"]
    )


def _staff(keyring: Keyring, row: Mapping[str, Any]) -> _Opening:
    return ("", "", STAFF), lambda key: keyring.open_general(
        key, STAFF, row["id"], row["sealed"], row["key_version"]
    )


def _submission(keyring: Keyring, row: Mapping[str, Any]) -> _Opening:
    return ("", "", REPORTS), lambda key: keyring.open_general(
        key, REPORTS, row["id"], row["report"], row["key_version"]
    )


_SEALED: Final = {
    "visit": _visit,
    "registration": _registration,
    "evidence": _evidence,
    "staff": _staff,
    "submission": _submission,
}
SEALED_TABLES: Final = frozenset(_SEALED)
_NAMED: Final = {
    "visit": ("id", "revision"),
    "registration": ("id",),
    "evidence": ("directive",),
    "staff": ("id",),
    "submission": ("id",),
}
