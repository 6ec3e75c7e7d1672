"""Wrapped data keys, by household, program and what they are for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import bulk
from visitsync.store.among import among_given
from visitsync.store.key_tables import data_key
from visitsync.store.prepared import Prepared

ACTIVE: Final = "active"
DESTROYED: Final = "destroyed"
"""Its wrapped bytes are gone; the row stays, so that it is never made anew."""


@silent
class Key(NamedTuple):
    """One wrapped key."""

    household: str
    program: str
    kind: str
    epoch: int
    state: str
    wrapped: bytes | None
    version: int = 1
    made_at: int = 0


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
_VERSION: Final = (*_PLACE, data_key.c.version)
_WRAP_ANEW: Final = (
    sa.update(data_key)
    .where(
        data_key.c.household == sa.bindparam("of_household"),
        data_key.c.program == sa.bindparam("of_program"),
        data_key.c.kind == sa.bindparam("of_kind"),
        data_key.c.version == sa.bindparam("of_version"),
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
    connection: AsyncConnection, epoch: int, after: tuple[str, str, str, int], most: int
) -> list[Key]:
    """Keys under epochs before `epoch` that come after one, in the order of places and versions.

    Args:
        connection: to read them with.
        epoch: the newest.
        after: household, program, kind and version of the last that was seen.
        most: how many.
    """
    rows = await connection.execute(
        sa.select(*(data_key.c[name] for name in Key._fields))
        .where(sa.tuple_(*_VERSION) > sa.tuple_(*after), data_key.c.epoch < epoch)
        .order_by(*_VERSION)
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
                    "of_version": old.version,
                    "of_state": old.state,
                    "of_wrapped": old.wrapped or b"",
                    "new_epoch": new.epoch,
                    "new_wrapped": new.wrapped,
                }
                for old, new in changes
            ],
        )


# ── versions ──────────────────────────────────────────────────────────────────────────────────────
def _same_place(other: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    return [other.c[column.name] == column for column in _PLACE]


async def newest(
    connection: AsyncConnection, after: tuple[str, str, str], household: str | None, most: int
) -> list[Key]:
    """The newest version of each key that comes after a place, in the order of places.

    Args:
        connection: to read them with.
        after: household, program and kind of the last that was seen.
        household: whose; None of all.
        most: how many.
    """
    newer = data_key.alias()
    return await _keys(
        connection,
        after,
        household,
        ~sa.exists().where(*_same_place(newer), newer.c.version > data_key.c.version),
        most,
    )


async def superseded(
    connection: AsyncConnection, after: tuple[str, str, str], household: str | None, most: int
) -> list[Key]:
    """Versions of which there is a newer one, but those of the log or destroyed; else the same."""
    newer = data_key.alias()
    return await _keys(
        connection,
        after,
        household,
        sa.exists().where(*_same_place(newer), newer.c.version > data_key.c.version)
        & (data_key.c.kind != "log")
        & (data_key.c.state == ACTIVE),
        most,
    )


async def _keys(
    connection: AsyncConnection,
    after: tuple[str, str, str],
    household: str | None,
    which: sa.ColumnElement[bool],
    most: int,
) -> list[Key]:
    rows = await connection.execute(
        sa.select(*(data_key.c[name] for name in Key._fields))
        .where(
            sa.tuple_(*_PLACE) > sa.tuple_(*after),
            sa.true() if household is None else data_key.c.household == household,
            which,
        )
        .order_by(*_VERSION)
        .limit(most)
    )
    return [Key._make(row) for row in rows]


async def destroy(connection: AsyncConnection, keys: Sequence[Key]) -> None:
    """Take versions away under which nothing stands; a newer one of each stays."""
    if keys:
        await connection.execute(
            sa.delete(data_key).where(
                *(column == sa.bindparam(f"of_{column.name}") for column in _VERSION)
            ),
            [
                {f"of_{column.name}": getattr(one, column.name) for column in _VERSION}
                for one in keys
            ],
        )


async def versions(connection: AsyncConnection) -> dict[tuple[str, int], int]:
    """How many keys of each kind there are in each version."""
    rows = await connection.execute(
        sa.select(data_key.c.kind, data_key.c.version, sa.func.count()).group_by(
            data_key.c.kind, data_key.c.version
        )
    )
    return {(row[0], row[1]): row[2] for row in rows}


async def places(connection: AsyncConnection, household: str | None) -> int:
    """How many keys there are, whatever their versions; of one household, or of all."""
    found = sa.select(*_PLACE).distinct()
    if household is not None:
        found = found.where(data_key.c.household == household)
    rows = await connection.execute(sa.select(sa.func.count()).select_from(found.subquery()))
    return int(rows.scalar_one())
