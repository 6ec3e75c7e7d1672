"""Rows that data keys seal: which version each stands under, and sealing them anew.

Private parts of log entries are not among them: the log only grows, so old versions of its keys
stay.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import changes
from visitsync.store.among import among
from visitsync.store.key_tables import data_key
from visitsync.store.tables import evidence, registration, staff, submission, visit


@silent
class _Stand(NamedTuple):
    """Where rows stand that keys of a kind seal."""

    table: sa.Table
    key: tuple[str, ...]
    """The columns of the row's key: its id, then its revision if it has one."""
    sealed: str
    edition: str | None = None
    """The column with the edition that is bound into what is sealed."""


_STANDS: Final[Mapping[str, _Stand]] = {
    "records": _Stand(visit, ("id", "revision"), "sealed", "revision"),
    "persons": _Stand(registration, ("id",), "profile", "edition"),
    "evidence": _Stand(evidence, ("directive",), "sealed"),
    "staff": _Stand(staff, ("id",), "sealed"),
    "reports": _Stand(submission, ("id",), "report"),
}
KINDS: Final = tuple(_STANDS)


@silent
class Row(NamedTuple):
    """One sealed row."""

    kind: str
    id: str
    edition: int
    """Revision or edition; 0 where there is none."""
    household: str
    program: str
    key_version: int
    sealed: bytes


@silent
class Anew(NamedTuple):
    """The same row, sealed under another version."""

    row: Row
    key_version: int
    sealed: bytes


async def older(
    connection: AsyncConnection, kind: str, households: Collection[str], most: int
) -> list[Row]:
    """Rows of these households under a version of their key that is not the newest.

    Args:
        connection: to read them with.
        kind: what their keys are for.
        households: whose; the empty one is of what belongs to none.
        most: how many.
    """
    stand = _STANDS[kind]
    columns = stand.table.c
    household, program = _place(stand)
    newer = sa.exists().where(
        data_key.c.household == household,
        data_key.c.program == program,
        data_key.c.kind == kind,
        data_key.c.version > columns.key_version,
    )
    rows = await connection.execute(
        sa.select(
            sa.literal(kind),
            columns[stand.key[0]],
            columns[stand.edition] if stand.edition else sa.literal(0),
            household,
            program,
            columns.key_version,
            columns[stand.sealed],
        )
        .where(among(columns.household, households) if "household" in columns else sa.true(), newer)
        .order_by(*(columns[name] for name in stand.key))
        .limit(most)
    )
    return [Row._make(row) for row in rows]


async def put(connection: AsyncConnection, kind: str, anew: Sequence[Anew]) -> None:
    """Write rows of a kind sealed anew. Nobody else writes them meanwhile: the intake is held."""
    stand = _STANDS[kind]
    columns = stand.table.c
    for one in anew:
        key = (one.row.id, one.row.edition)[: len(stand.key)]
        await changes.run(
            connection,
            sa.update(stand.table)
            .where(
                *(columns[name] == value for name, value in zip(stand.key, key, strict=True)),
                columns.key_version == one.row.key_version,
            )
            .values({stand.sealed: one.sealed, "key_version": one.key_version}),
        )


async def under(
    connection: AsyncConnection, kind: str, households: Collection[str]
) -> set[tuple[str, str, int]]:
    """Under which versions rows stand: by household, program and version."""
    stand = _STANDS[kind]
    household, program = _place(stand)
    columns = stand.table.c
    rows = await connection.execute(
        sa.select(household, program, columns.key_version)
        .where(among(columns.household, households) if "household" in columns else sa.true())
        .distinct()
    )
    return {(row[0], row[1], row[2]) for row in rows}


async def counts(connection: AsyncConnection, kind: str) -> dict[int, int]:
    """How many rows stand under each version of the keys of a kind."""
    version = _STANDS[kind].table.c.key_version
    rows = await connection.execute(sa.select(version, sa.func.count()).group_by(version))
    return {row[0]: row[1] for row in rows}


def _place(stand: _Stand) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    columns = stand.table.c
    return (
        columns.household if "household" in columns else sa.literal(""),
        columns.program if stand.table is visit else sa.literal(""),
    )
