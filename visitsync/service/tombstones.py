"""Replaying tombstones: what was erased stays erased, whatever was put back from a backup.

Before anything is served the file of what was erased is compared with the database. An older
database, or an older keyring beside a newer one, still holds wrapped keys of households erased
since; it loses them first, and all that says in clear that these families were here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from visitsync.service import entries, erasing
from visitsync.service.caller import Caller
from visitsync.service.keyring import LOG, Keyring, held
from visitsync.service.logbook import Logbook
from visitsync.service.slices import in_slices
from visitsync.signer import Tombstone, Tombstones
from visitsync.store import data_keys, households, tombstones
from visitsync.store.database import Database

_ITSELF: Final = Caller(kind="operator", id="visitsync", scopes=frozenset())
"""Nobody asks for it."""


class Replayed(NamedTuple):
    """What was done."""

    destroyed: int
    """Erasures of which the database held a key, or knew nothing."""
    remembered: int
    """Tombstones of the database that the file lacked."""


async def replay(database: Database, log: Logbook, keyring: Keyring, file: Tombstones) -> Replayed:
    """Bring the database to what the file of erased households says, and the file to it.

    To be called once the log can be written and before anything is answered. All of it is one
    transaction with its entry in the access log (kind ``restore``), which names the households in
    its sealed part.

    Raises:
        TombstonesError: the file is missing or damaged; nothing was changed.
        DatabaseUnavailable, LogBroken: nothing in the database was changed.
    """
    outside = {one.about: one for one in file.read()}
    async with database.reading() as connection:
        inside = {(one.what, one.household): one for one in await tombstones.known(connection)}
        left = await tombstones.with_keys(connection)
    lost = [_outside(one) for about, one in inside.items() if about not in outside]
    file.add(lost)
    again = [
        one
        for about, one in (outside | {one.about: one for one in lost}).items()
        if about not in inside or (one.household, one.what) in left
    ]
    if again:
        await _destroy(log, keyring, again)
    return Replayed(len(again), len(lost))


async def _destroy(log: Logbook, keyring: Keyring, again: Sequence[Tombstone]) -> None:
    async with log.writing() as turn:
        await households.hold_intake(turn.connection)
        await turn.hold()
        async for one in in_slices(again):
            await erasing.destroy(turn.connection, one)
        keys = keyring.opened(await data_keys.of_households(turn.connection, [""]))
        draft = entries.draft(
            keyring,
            _ITSELF,
            "restore",
            held(keys, ("", "", LOG)),
            household=None,
            private={"households": sorted({one.household for one in again})},
            public={"decision": "erased_again", "records": len(again)},
        )
        await turn.append([draft])
    for one in again:
        keyring.forget(one.household)


def _outside(one: tombstones.Tombstone) -> Tombstone:
    what = one.what
    return Tombstone(
        "log" if what == tombstones.LOG else "records", one.household, one.erasure, one.erased_at
    )
