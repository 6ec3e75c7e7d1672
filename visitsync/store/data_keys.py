"""Wrapped data keys, by household, program and what they are for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.store import bulk
from visitsync.store.among import among_given
from visitsync.store.key_tables import data_key
from visitsync.store.prepared import Prepared

ACTIVE: Final = "active"
DESTROYED: Final = "destroyed"
"""Its wrapped bytes are gone; the row stays, so that it is never made anew."""


class Key(NamedTuple):
    """One wrapped key."""

    household: str
    program: str
    kind: str
    epoch: int
    state: str
    wrapped: bytes | None


_OF_HOUSEHOLDS: Final = Prepared(
    sa.select(*(data_key.c[name] for name in Key._fields)).where(
        among_given(data_key.c.household, "households")
    )
)
_OF_LOGS: Final = Prepared(
    sa.select(*(data_key.c[name] for name in Key._fields)).where(
        among_given(data_key.c.household, "households"),
        data_key.c.program == "",
        data_key.c.kind == "log",
    )
)


_PLACE: Final = (data_key.c.household, data_key.c.program, data_key.c.kind)
_WRAP_ANEW: Final = (
    sa.update(data_key)
    .where(
        data_key.c.household == sa.bindparam("of_household"),
        data_key.c.program == sa.bindparam("of_program"),
        data_key.c.kind == sa.bindparam("of_kind"),
        data_key.c.state == sa.bindparam("of_state"),
        sa.func.coalesce(data_key.c.wrapped, b"")
        == sa.bindparam("of_wrapped", type_=sa.LargeBinary),
    )
    .values(epoch=sa.bindparam("new_epoch"), wrapped=sa.bindparam("new_wrapped"))
)


async def of_households(connection: AsyncConnection, households: Collection[str]) -> list[Key]:
    """All keys of these households."""
    rows = await _OF_HOUSEHOLDS.fetch(connection, households=list(households))
    return [Key._make(row) for row in rows]


async def of_logs(connection: AsyncConnection, households: Collection[str]) -> list[Key]:
    """The keys that seal what the access log says of these households."""
    rows = await _OF_LOGS.fetch(connection, households=list(households))
    return [Key._make(row) for row in rows]


async def add(connection: AsyncConnection, keys: Sequence[Key]) -> None:
    """Add new keys."""
    await bulk.add(connection, data_key, keys)


async def counts(connection: AsyncConnection) -> dict[int, int]:
    """How many keys stand under each master key epoch, those too that were destroyed."""
    rows = await connection.execute(
        sa.select(data_key.c.epoch, sa.func.count()).group_by(data_key.c.epoch)
    )
    return {row[0]: row[1] for row in rows}


async def older(
    connection: AsyncConnection, epoch: int, after: tuple[str, str, str], most: int
) -> list[Key]:
    """Keys under epochs before `epoch` that come after a place, in the order of places.

    Args:
        connection: to read them with.
        epoch: the newest.
        after: household, program and kind of the last that was seen.
        most: how many.
    """
    rows = await connection.execute(
        sa.select(*(data_key.c[name] for name in Key._fields))
        .where(sa.tuple_(*_PLACE) > sa.tuple_(*after), data_key.c.epoch < epoch)
        .order_by(*_PLACE)
        .limit(most)
    )
    return [Key._make(row) for row in rows]


async def wrap_anew(connection: AsyncConnection, changes: Sequence[tuple[Key, Key]]) -> None:
    """Replace keys by the same under another epoch; one that changed meanwhile stays as it is."""
    if changes:
        await connection.execute(
            _WRAP_ANEW,
            [
                {
                    "of_household": old.household,
                    "of_program": old.program,
                    "of_kind": old.kind,
                    "of_state": old.state,
                    "of_wrapped": old.wrapped or b"",
                    "new_epoch": new.epoch,
                    "new_wrapped": new.wrapped,
                }
                for old, new in changes
            ],
        )
