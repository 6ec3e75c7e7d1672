"""What the database is made of: tables, columns, indexes, and the triggers that refuse changes.

Whoever can write to it could take a trigger away, or put a view in a table's place that tells
something else; the rows themselves would then be as they were written.
"""

from __future__ import annotations

import re
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.store import schema
from visitsync.store.database import Database

_SCRATCH: Final = "visitsync_scratch"
_SQLITE: Final = "SELECT type || ' ' || name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
_POSTGRESQL: Final = (
    """SELECT relkind::text || ' ' || relname, relpersistence::text FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind <> 't'""",
    """SELECT 'column ' || relname || ' ' || attname,
    format_type(atttypid, atttypmod) || ' ' || attnotnull || ' '
    || coalesce(pg_get_expr(adbin, adrelid), '')
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'v')
    AND attnum > 0 AND NOT attisdropped""",
    """SELECT 'constraint ' || conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid, true)
    FROM pg_constraint WHERE connamespace = current_schema()::regnamespace""",
    """SELECT 'index ' || indexname, indexdef FROM pg_indexes
    WHERE schemaname = current_schema()""",
    """SELECT 'trigger ' || tgrelid::regclass || ' ' || tgname,
    pg_get_triggerdef(t.oid, true) || ' ' || tgenabled::text
    FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
    WHERE relnamespace = current_schema()::regnamespace AND NOT tgisinternal""",
    """SELECT 'function ' || proname, prosrc FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace""",
    """SELECT 'rule ' || tablename || ' ' || rulename, definition FROM pg_rules
    WHERE schemaname = current_schema()""",
    """SELECT 'policy ' || tablename || ' ' || policyname, coalesce(qual, '') FROM pg_policies
    WHERE schemaname = current_schema()""",
)

Structure = dict[str, str]


class _Seen(Exception):
    """What was made is not kept."""


async def read(connection: AsyncConnection) -> Structure:
    """By kind and name, how each thing was made."""
    asked: tuple[str, ...] = (_SQLITE,)
    home = ""
    if connection.dialect.name == "postgresql":
        asked = _POSTGRESQL
        home = str((await connection.execute(sa.text("SELECT current_schema()"))).scalar_one())
    found: Structure = {}
    for one in asked:
        for name, made in (await connection.execute(sa.text(one))).all():
            found[str(name)] = _plain(str(made), home)
    return found


async def wanted(database: Database) -> Structure:
    """How this release makes a database of its kind; nothing of it is kept.

    Args:
        database: PostgreSQL, in which a schema is made and taken back; or an empty one of SQLite.

    Raises:
        DatabaseUnavailable: it cannot be made.
    """
    found: Structure = {}
    try:
        async with database.writing() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(sa.text(f"CREATE SCHEMA {_SCRATCH}"))
                await connection.execute(sa.text(f"SET LOCAL search_path = {_SCRATCH}"))
            await schema.upgrade(connection)
            found = await read(connection)
            raise _Seen  # noqa: TRY301 -- the transaction is left by it
    except _Seen:
        return found


def _plain(made: str, home: str) -> str:
    """Without the name of the schema it stands in, and however it is broken into lines."""
    unquoted = made.replace('"', "")
    without = re.sub(rf"\b{re.escape(home)}\.", "", unquoted) if home else unquoted
    return " ".join(without.split())
