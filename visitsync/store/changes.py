"""Changing rows so that the log's entry of the transaction can say what they are now.

Every table but those that prove themselves is changed through here; `take` gives what was changed,
for the entry. A trigger could not do this: it would also vouch for what somebody else changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.audit.anchors import Anchor, hash_row
from visitsync.store.columns import METADATA

_KEPT: Final = "visitsync.changes"
UNANCHORED: Final[Mapping[str, str]] = {
    "alembic_version": "compared with the release at every start",
    "data_key": "each opens under its master key and in its place, or not at all",
    "index_term": "computed anew from each registration's sealed profile",
    "intake": "a lock; nothing is read from it",
    "key_rotation": "how far one has come; each row says itself under which key it stands",
    "log_anchor": "each entry of the log commits to its own",
    "log_entry": "the log's signed tree, and the sealed parts' commitments",
    "log_head": "sealed, and the tree computed from the entries must give it",
    "log_year": "the signed last head of a year, which the next year's first entry repeats",
}
"""Tables whose rows have no anchor, each with what proves them."""

_Changed = dict[tuple[str, tuple[Any, ...]], Anchor]


def begin(connection: AsyncConnection) -> None:
    """A transaction begins: nothing is changed yet."""
    connection.info[_KEPT] = {}


def take(connection: AsyncConnection) -> tuple[Anchor, ...]:
    """What was changed since it was last asked, each row once; from now on nothing is."""
    found: _Changed = connection.info.get(_KEPT, {})
    connection.info[_KEPT] = {}
    return tuple(found.values())


def is_any(connection: AsyncConnection) -> bool:
    """Whether anything was changed since it was last taken."""
    return bool(connection.info.get(_KEPT))


def note(connection: AsyncConnection, table: sa.Table, rows: Iterable[Mapping[Any, Any]]) -> None:
    """These rows, whole, are what stands there now."""
    if table.name in UNANCHORED:
        return
    kept: _Changed = connection.info.setdefault(_KEPT, {})
    for row in rows:
        made = anchor(table, row)
        kept[made.table, made.key] = made


def anchor(table: sa.Table, row: Mapping[Any, Any]) -> Anchor:
    """A row's anchor."""
    values = [row.get(column.name) for column in table.columns]
    name = str(table.name)
    return Anchor(name, key_of(table, row), hash_row(name, values))


def key_of(table: sa.Table, row: Mapping[Any, Any]) -> tuple[Any, ...]:
    """A row's key."""
    return tuple(row[column.name] for column in table.primary_key)


async def insert(
    connection: AsyncConnection, table: sa.Table, rows: Sequence[Mapping[Any, Any]]
) -> None:
    """Insert rows, each with a value for every column that is not to be null."""
    if rows:
        await connection.execute(sa.insert(table), [dict(row) for row in rows])
        note(connection, table, rows)


async def run(
    connection: AsyncConnection, statement: sa.Insert | sa.Update
) -> Sequence[Mapping[Any, Any]]:
    """Run a statement; answers the rows that it wrote, as they stand now."""
    table: Any = statement.table
    rows = (await connection.execute(statement.returning(*table.columns))).mappings().all()
    note(connection, table, rows)
    return rows


async def delete(connection: AsyncConnection, statement: sa.Delete) -> int:
    """Take rows away; answers how many."""
    table: Any = statement.table
    rows = (await connection.execute(statement.returning(*table.primary_key))).mappings().all()
    kept: _Changed = connection.info.setdefault(_KEPT, {})
    for row in rows:
        made = Anchor(str(table.name), key_of(table, row), None)
        kept[made.table, made.key] = made
    return len(rows)


def anchored() -> list[sa.Table]:
    """Every table whose rows have anchors, by name."""
    return [METADATA.tables[name] for name in sorted(METADATA.tables) if name not in UNANCHORED]
