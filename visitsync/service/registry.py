"""The directory in memory, as of one epoch: who runs and commissions which office."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import clock, directory, epochs


@silent
class Office(NamedTuple):
    """What decisions and answers need of an office."""

    id: str
    name: str
    agency: str
    agency_name: str
    program: str
    commissioner: str
    contract_from: int
    contract_to: int | None
    ended_at: int | None

    def under_contract(self, day: dt.date) -> bool:
        """Whether it works for the municipality on `day`."""
        number = clock.day(day)
        open_then = self.contract_to is None or number <= self.contract_to
        return self.ended_at is None and self.contract_from <= number and open_then


class Registry:
    """The offices; read again when the directory's epoch has moved."""

    def __init__(self) -> None:
        self._epoch = -1
        self._offices: Mapping[str, Office] = {}

    async def offices(self, connection: AsyncConnection, epoch: int) -> Mapping[str, Office]:
        """All offices by id, those that ended too: their records stay.

        Args:
            connection: to read them anew where needed.
            epoch: the directory's, read before.
        """
        if epoch != self._epoch:
            self._offices = await _read(connection)
            self._epoch = epoch
        return self._offices

    async def offices_now(self, connection: AsyncConnection) -> Mapping[str, Office]:
        """All offices by id, as of now."""
        known = await epochs.read(connection, [epochs.DIRECTORY])
        return await self.offices(connection, known[epochs.DIRECTORY])


async def _read(connection: AsyncConnection) -> Mapping[str, Office]:
    rows = await directory.read(connection, with_ended=True)
    names = {row["id"]: row["name"] for row in rows.agencies}
    public = next((row["id"] for row in rows.agencies if row["kind"] == "public"), "")
    return {
        row["id"]: Office(
            id=row["id"],
            name=row["name"],
            agency=row["agency"],
            agency_name=names.get(row["agency"], row["agency"]),
            program=row["program"],
            commissioner=row["commissioner"] or public,
            contract_from=row["contract_from"],
            contract_to=row["contract_to"],
            ended_at=row["ended_at"],
        )
        for row in rows.offices
    }
