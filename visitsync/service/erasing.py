"""Destroying the keys of a household, and all that says in clear that there was one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.audit.anchors import under
from visitsync.schema.silent import silent
from visitsync.signer import Tombstone
from visitsync.store import access_log, epochs, erasing, tombstones


@silent
class Destroyed(NamedTuple):
    """What there was."""

    keys: int
    rows: Mapping[str, int]


async def destroy(connection: AsyncConnection, one: Tombstone) -> Destroyed:
    """Destroy the keys that a tombstone is for.

    Args:
        connection: in a transaction that holds the intake and the log's head, so that nothing of
            the household is handed in, recorded or logged meanwhile.
        one: of what and whom; it stands in the file outside the database already.
    """
    household = one.household
    if one.what not in await tombstones.of_household(connection, household):
        entries = None
        if one.what == tombstones.LOG:
            entries = under(await access_log.places(connection, household))
        row = tombstones.Tombstone(household, one.what, one.erasure, one.at, entries)
        await tombstones.add(connection, [row])
    keys = await erasing.destroy_keys(connection, household, one.what)
    rows: Mapping[str, int] = {}
    if one.what == tombstones.RECORDS:
        rows = await erasing.remove_rows(connection, household, one.at)
    # Whatever was decided before, in any process, is decided anew before it is logged.
    await epochs.bump(connection, {epochs.of_household(household)})
    return Destroyed(keys, rows)
