"""The schema's versions: where a database stands, and bringing it to this release's.

A migration is never edited once released; the service refuses a schema that is not its own.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncConnection

import visitsync
from visitsync.errors import SchemaMismatch
from visitsync.store.tables import installation

_PACKAGE: Final = Path(visitsync.__file__).parent


def scripts() -> Path:
    """The folder of the migrations: packed into a wheel, or beside the package."""
    packed = _PACKAGE / "_migrations"
    return packed if packed.is_dir() else _PACKAGE.parent / "migrations"


@cache
def release() -> str:
    """This release's revision, as it stood when this process first asked.

    Every readiness probe asks, and finding it runs every migration's file.
    """
    head = ScriptDirectory(str(scripts())).get_current_head()
    if head is None:
        raise FileNotFoundError("the migrations are not where they belong; install again")
    return head


async def revision(connection: AsyncConnection) -> str | None:
    """The database's revision; None where it is empty.

    Raises:
        SchemaMismatch: it has tables, but its mark of their revision is gone.
    """
    return await connection.run_sync(_revision)


def is_older(one: str) -> bool:
    """Whether a revision other than this release's is one that this release knows."""
    return any(known.revision == one for known in ScriptDirectory(str(scripts())).walk_revisions())


async def upgrade(connection: AsyncConnection) -> None:
    """Bring the database to this release's revision, within the connection's transaction."""
    await connection.run_sync(_upgrade)


def _revision(connection: sa.Connection) -> str | None:
    found = MigrationContext.configure(connection).get_current_revision()
    if found is None and sa.inspect(connection).has_table(installation.name):
        raise SchemaMismatch(
            "The database no longer says of which release its tables are; put a backup back",
            where="alembic_version",
        )
    return found


def _upgrade(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
