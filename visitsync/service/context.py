"""What every operation needs, opened once: settings, database, keys and the log's appender."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from visitsync.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """An open installation."""

    settings: Settings


@asynccontextmanager
async def open_context(settings: Settings, *, check: bool = True) -> AsyncIterator[Context]:
    """Open the database and the keys; close them at the end.

    Args:
        settings: where they are.
        check: refuse an older or newer schema and settings of the database that lie.

    Raises:
        KeyFileError, DatabaseUnavailable, SchemaMismatch, SettingsError: what the operator must mend.
    """
    yield Context(settings=settings)
