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
    Keyring,
    Place,
    ProfilePlace,
    VisitPlace,
)
from visitsync.store import data_keys
from visitsync.store.data_keys import Key

_STATES: Final = frozenset({data_keys.ACTIVE, data_keys.DESTROYED})


class Keys:
    """The data keys of some households at a time."""

    def __init__(self, connection: AsyncConnection, keyring: Keyring) -> None:
        self.keyring: Final = keyring
        self._connection = connection
        self._rows: dict[Place, Key] = {}
        self._opened: Mapping[Place, bytes] = {}

    async def of(self, households: Collection[str]) -> None:
        """Have the keys of these at hand, and no others."""
        found = await data_keys.of_households(self._connection, households)
        self._rows = {(one.household, one.program, one.kind): one for one in found}
        self._opened = self.keyring.opened(found)

    def key(self, at: Place) -> bytes | None:
        """The key of a place; None where there is none that opens, or it was destroyed."""
        try:
            return self._opened.get(at)
        except (IntegrityError, KeyFileError):
            return None

    def log_key(self, household: str) -> bytes | None:
        """The key of what the log says of a household."""
        return self.key((household, "", LOG))

    def is_destroyed(self, at: Place) -> bool:
        """Whether its key was destroyed, and not merely taken away."""
        found = self._rows.get(at)
        return found is not None and found.state == data_keys.DESTROYED and found.wrapped is None

    def was_destroyed(self, household: str) -> bool:
        """Whether the log key of a household was destroyed."""
        return self.is_destroyed((household, "", LOG))


def is_fit(keyring: Keyring, row: Key, epochs: Collection[int]) -> bool:
    """Whether a data key is as it was stored."""
    if row.state not in _STATES or row.epoch not in epochs:
        return False
    if row.state == data_keys.DESTROYED:
        return row.wrapped is None
    try:
        return bool(keyring.opened([row])[(row.household, row.program, row.kind)])
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


_Opening = tuple[Place, Callable[[bytes], object]]


def _visit(keyring: Keyring, row: Mapping[str, Any]) -> _Opening:
    home, program = row["household"], row["program"]
    stands = VisitPlace(home, program, row["id"], row["revision"])
    return (home, program, RECORDS), lambda key: keyring.open_visit(key, stands, row["sealed"])


def _registration(keyring: Keyring, row: Mapping[str, Any]) -> _Opening:
    stands = ProfilePlace(row["household"], row["id"], row["edition"])
    at = (row["household"], "", PERSONS)
    return at, lambda key: keyring.open_profile(key, stands, row["profile"])


def _evidence(keyring: Keyring, row: Mapping[str, Any]) -> _Opening:
    home = row["household"]
    return (home, "", EVIDENCE), lambda key: keyring.open_evidence(
        key, home, row["directive"], row["sealed"]
    )


def _staff(keyring: Keyring, row: Mapping[str, Any]) -> _Opening:
    return ("", "", STAFF), lambda key: keyring.open_general(key, STAFF, row["id"], row["sealed"])


def _submission(keyring: Keyring, row: Mapping[str, Any]) -> _Opening:
    return ("", "", REPORTS), lambda key: keyring.open_general(
        key, REPORTS, row["id"], row["report"]
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
