"""What this database was set up for, so that another key file or tenant is noticed."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import changes
from visitsync.store.clock import Now
from visitsync.store.tables import installation, intake


@silent
class Installation(NamedTuple):
    """Set once."""

    tenant: str
    vkey: str
    token_bits: int


async def read(connection: AsyncConnection) -> Installation | None:
    """What it was set up for; None where it is not yet."""
    columns = (installation.c.tenant, installation.c.vkey, installation.c.token_bits)
    row = (await connection.execute(sa.select(*columns))).first()
    return None if row is None else Installation._make(row)


async def set_up(connection: AsyncConnection, made: Installation) -> None:
    """Note it, once."""
    await changes.run(
        connection, sa.insert(installation).values(only=1, created_at=Now(), **made._asdict())
    )
    await connection.execute(sa.insert(intake), {"only": 1, "version": 0})
