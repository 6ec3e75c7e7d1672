"""Sealing rows anew under the newest version of their data keys, in the place they stand in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import Tampered
from visitsync.schema.silent import silent
from visitsync.service.keyring import (
    EVIDENCE,
    PERSONS,
    RECORDS,
    DataKey,
    Keyring,
    Place,
    ProfilePlace,
    VisitPlace,
)
from visitsync.store import data_keys, sealed_rows
from visitsync.store.sealed_rows import Anew, Row

MOST: Final = 100
"""Rows that are sealed anew in one transaction."""


@silent
class Done(NamedTuple):
    """What became of some rows."""

    anew: tuple[Anew, ...] = ()
    unreadable: frozenset[tuple[str, str, int]] = frozenset()
    """Kind, id and edition of rows that do not open; they stay as they are."""
    is_all: bool = True
    """Whether no older row is left but these."""


async def reseal(
    connection: AsyncConnection,
    keyring: Keyring,
    places: Collection[Place],
    skipped: Collection[tuple[str, str, int]],
) -> Done:
    """Seal rows of these places anew, as many as fit a transaction.

    Args:
        connection: in a transaction that holds the intake.
        keyring: of the installation.
        places: of the data keys; rows of their households under other keys that wait come along.
        skipped: rows that were found not to open, so that they are not counted again.
    """
    households = sorted({household for household, _, _ in places})
    keys = keyring.opened(await data_keys.of_households(connection, households))
    anew: list[Anew] = []
    unreadable: set[tuple[str, str, int]] = set()
    is_all = True
    for kind in sealed_rows.KINDS:
        if kind not in {each for _, _, each in places}:
            continue
        most = MOST - len(anew) + len(skipped)
        found = await sealed_rows.older(connection, kind, households, most)
        is_all = is_all and len(found) < most
        made = []
        for row in found:
            name = (row.kind, row.id, row.edition)
            if name in skipped:
                continue
            try:
                made.append(_anew(keyring, keys, row))
            except Tampered:
                unreadable.add(name)
        await sealed_rows.put(connection, kind, made)
        anew += made
        if len(anew) + len(unreadable) >= MOST:
            is_all = False
            break
    return Done(tuple(anew), frozenset(unreadable), is_all)


def _anew(keyring: Keyring, keys: Mapping[Place, DataKey], row: Row) -> Anew:
    key = keys.get((row.household, row.program, row.kind))
    if key is None:
        raise Tampered("its data key is not there", where=row.kind)
    return Anew(row, key.version, _sealed(keyring, key, row))


def _sealed(keyring: Keyring, key: DataKey, row: Row) -> bytes:
    old = row.key_version
    match row.kind:
        case kind if kind == RECORDS:
            visit = VisitPlace(row.household, row.program, row.id, row.edition)
            plain = keyring.open_visit(key, visit, row.sealed, old)
            return keyring.seal_visit(key, visit, plain)
        case kind if kind == PERSONS:
            profile = ProfilePlace(row.household, row.id, row.edition)
            plain = keyring.open_profile(key, profile, row.sealed, old)
            return keyring.seal_profile(key, profile, plain)
        case kind if kind == EVIDENCE:
            plain = keyring.open_evidence(key, row.household, row.id, row.sealed, old)
            return keyring.seal_evidence(key, row.household, row.id, plain)
        case kind:
            plain = keyring.open_general(key, kind, row.id, row.sealed, old)
            return keyring.seal_general(key, kind, row.id, plain)
